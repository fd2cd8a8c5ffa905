"""tags of sources: their folders in OPML"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sources", sa.Column("tags", sa.JSON(), server_default="[]", nullable=False))


def downgrade() -> None:
    op.drop_column("sources", "tags")
