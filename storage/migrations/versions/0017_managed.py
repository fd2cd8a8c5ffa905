"""which chat a person manages from another"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "managed",
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("chat_id", Id, nullable=False),
        sa.Column("target_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["chats.id"], name=op.f("fk_managed_chat_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["chats.id"], name=op.f("fk_managed_target_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("actor", "chat_id", name=op.f("pk_managed")),
    )
    op.create_index(op.f("ix_managed_chat_id"), "managed", ["chat_id"])
    op.create_index(op.f("ix_managed_target_id"), "managed", ["target_id"])


def downgrade() -> None:
    op.drop_table("managed")
