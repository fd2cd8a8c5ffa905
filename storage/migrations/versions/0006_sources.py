"""permanent redirects and unreadable files of sources; values of a notice's fields"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sources", sa.Column("moved_to", sa.Text(), server_default="", nullable=False))
    op.add_column("sources", sa.Column("unread", sa.JSON(), server_default="[]", nullable=False))
    op.add_column("broadcasts", sa.Column("body_values", sa.JSON(), server_default="{}", nullable=False))
    op.add_column("sources", sa.Column("moved_since", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("broadcasts", "body_values")
    op.drop_column("sources", "moved_since")
    op.drop_column("sources", "moved_to")
    op.drop_column("sources", "unread")
