"""whose private chat is which"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "people",
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("chat_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["chats.id"], name=op.f("fk_people_chat_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("actor", name=op.f("pk_people")),
    )
    op.create_index(op.f("ix_people_chat_id"), "people", ["chat_id"])
    # The address of a private chat on Telegram is the person's number.
    op.execute(
        "INSERT INTO people (actor, chat_id) SELECT 'telegram:' || address, id FROM chats "
        "WHERE platform = 'telegram' AND kind = 'private' AND topic = ''"
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_people_chat_id"), "people")
    op.drop_table("people")
