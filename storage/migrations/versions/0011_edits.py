"""when posts changed or were withdrawn, and which messages were edited since"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CHANGED = sa.text("changed_at IS NOT NULL")


def upgrade() -> None:
    for name in ("changed_at", "withdrawn_at"):
        op.add_column("posts", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_posts_changed", "posts", ["changed_at"], sqlite_where=CHANGED, postgresql_where=CHANGED
    )
    op.create_table(
        "edits",
        sa.Column("delivery_id", Id, nullable=False),
        sa.Column("version", sa.DateTime(timezone=True), nullable=False),
        sa.Column("chat_id", Id, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shown", sa.JSON(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["deliveries.id"], name=op.f("fk_edits_delivery_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name=op.f("fk_edits_chat_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("delivery_id", "version", name=op.f("pk_edits")),
    )
    op.create_index(op.f("ix_edits_chat_id_at"), "edits", ["chat_id", "at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_edits_chat_id_at"), "edits")
    op.drop_table("edits")
    op.drop_index("ix_posts_changed", "posts")
    # Without batch_alter_table, which would drop the table on SQLite, and all posts along with it.
    for name in ("withdrawn_at", "changed_at"):
        op.drop_column("posts", name)
