"""Subscriptions that were ended, so that this can be undone."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "endings",
        sa.Column("id", Id, nullable=False),
        sa.Column("chat_id", Id, nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["chats.id"], name=op.f("fk_endings_chat_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_endings")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_endings_chat_id"), "endings", ["chat_id"])
    op.create_index(op.f("ix_endings_ended_at"), "endings", ["ended_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_endings_ended_at"), "endings")
    op.drop_index(op.f("ix_endings_chat_id"), "endings")
    op.drop_table("endings")
