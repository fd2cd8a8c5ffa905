"""Questions that buttons ask."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "questions",
        sa.Column("id", Id, nullable=False),
        sa.Column("chat_id", Id, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("message", "data", "actor")),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("prompt", "placeholder")),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["chats.id"], name=op.f("fk_questions_chat_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")),
        sa.UniqueConstraint("chat_id", "message", "data", name=op.f("uq_questions_chat_id_message_data")),
    )
    op.create_index(op.f("ix_questions_asked_at"), "questions", ["asked_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_questions_asked_at"), "questions")
    op.drop_table("questions")
