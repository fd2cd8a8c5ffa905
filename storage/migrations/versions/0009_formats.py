"""how posts are shown: choices of chats and subscriptions, and a copy of the latter in deliveries"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = ("chats", "subscriptions", "deliveries")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("choices", sa.JSON(), nullable=True))
    where = sa.text("choices IS NOT NULL")
    op.create_index(
        "ix_subscriptions_chosen", "subscriptions", ["source_id"], sqlite_where=where, postgresql_where=where
    )


def downgrade() -> None:
    op.drop_index("ix_subscriptions_chosen", "subscriptions")
    # Without batch_alter_table: SQLite drops a column by itself and keeps all rows.
    for table in TABLES:
        op.drop_column(table, "choices")
