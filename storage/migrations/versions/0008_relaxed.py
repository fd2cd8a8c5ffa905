"""drop what nothing read: whether a search had matched only a looser form of its query"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without batch_alter_table: SQLite drops a column by itself and keeps all rows.
    op.drop_column("searches", "relaxed")


def downgrade() -> None:
    op.add_column("searches", sa.Column("relaxed", sa.Boolean(), server_default=sa.false(), nullable=False))
