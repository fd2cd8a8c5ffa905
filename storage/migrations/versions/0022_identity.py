"""how often posts have changed"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("posts", sa.Column("changes", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    # Without batch_alter_table: SQLite drops a column by itself and keeps all rows.
    op.drop_column("posts", "changes")
