"""index of deliveries that are retried"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_deliveries_again", "deliveries"


def upgrade() -> None:
    again = sa.text("state = 'pending' AND reason <> ''")
    columns = ["platform", "due_at", "id"]
    op.create_index(NAME, TABLE, columns, sqlite_where=again, postgresql_where=again)


def downgrade() -> None:
    op.drop_index(NAME, TABLE)
