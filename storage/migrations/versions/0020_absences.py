"""when chats were gone or banned"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "absences",
        sa.Column("id", Id, nullable=False),
        sa.Column("chat_id", Id, nullable=False),
        sa.Column("after", Id, nullable=False),
        sa.Column("up_to", Id, nullable=True),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["chats.id"], name=op.f("fk_absences_chat_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
    op.create_index(op.f("ix_absences_chat_id"), "absences", ["chat_id"])
    # Nobody knows when those that are away now have gone: what comes from now on is known.
    op.execute(
        "INSERT INTO absences (chat_id, after) "
        "SELECT id, (SELECT coalesce(max(id), 0) FROM posts) FROM chats "
        "WHERE state = 'gone' OR access = 'banned'"
    )


def downgrade() -> None:
    op.drop_table("absences")
