"""which filters subscriptions had before, and where they began"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("subscriptions", sa.Column("began_after", Id, server_default="0", nullable=False))
    # Nobody knows any more where the subscription of a digest began.
    op.execute("UPDATE subscriptions SET began_after = starts_after WHERE digest_id IS NULL")
    op.create_table(
        "past",
        sa.Column("id", Id, nullable=False),
        sa.Column("chat_id", Id, nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("after", Id, nullable=False),
        sa.Column("up_to", Id, nullable=False),
        sa.Column("filter_id", Id, nullable=True),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name=op.f("fk_past_chat_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["filter_id"], ["filters.id"], name=op.f("fk_past_filter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past")),
    )
    for column in ("chat_id", "up_to", "filter_id"):
        op.create_index(op.f(f"ix_past_{column}"), "past", [column])


def downgrade() -> None:
    op.drop_table("past")
    # Without batch_alter_table: SQLite drops a column by itself and keeps all rows.
    op.drop_column("subscriptions", "began_after")
