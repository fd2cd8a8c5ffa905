"""words of the search index; how saved searches were found; the page that a chat was shown last"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Both databases order it by its code points.
InOrder = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "search_words",
        sa.Column("word", InOrder, nullable=False),
        sa.Column("backwards", InOrder, nullable=False),
        sa.Column("posts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_search_words")),
    )
    op.create_index(op.f("ix_search_words_backwards"), "search_words", ["backwards"], unique=False)
    # So that the index is rebuilt at this start, and its words along with it.
    op.execute("DELETE FROM meta WHERE name = 'tokenizer'")
    op.add_column("searches", sa.Column("rung", sa.String(16), server_default="all", nullable=False))
    op.add_column("searches", sa.Column("exact", sa.Integer(), server_default="0", nullable=False))
    # All hits of the searches that are saved match all of their words.
    op.execute("UPDATE searches SET exact = total")
    op.add_column("searches", sa.Column("corrections", sa.JSON(), server_default="[]", nullable=False))
    op.create_table(
        "views",
        sa.Column("chat_id", Id, nullable=False),
        sa.Column("view", sa.Text(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("ids", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["chat_id"], ["chats.id"], name=op.f("fk_views_chat_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("chat_id", name=op.f("pk_views")),
    )


def downgrade() -> None:
    op.drop_table("views")
    for column in ("rung", "exact", "corrections"):
        op.drop_column("searches", column)
    op.drop_table("search_words")
