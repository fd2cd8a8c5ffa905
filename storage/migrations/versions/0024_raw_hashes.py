"""hashes of posts as their sources give them"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Stored posts get theirs when they are read next.
    op.add_column("posts", sa.Column("raw_hash", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("posts", "raw_hash")
