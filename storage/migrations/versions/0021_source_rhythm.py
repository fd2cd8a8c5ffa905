"""how often a source posts; since when it fails, and whether its followers know"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sources", sa.Column("rhythm", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("sources", sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "sources", sa.Column("trouble_told", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    # The last good read is the latest moment that is known of before the failures began.
    op.execute("UPDATE sources SET failing_since = polled_at WHERE failures > 0")


def downgrade() -> None:
    # Without batch_alter_table: SQLite drops a column by itself and keeps all rows.
    for column in ("trouble_told", "failing_since", "rhythm"):
        op.drop_column("sources", column)
