"""words of the search index, for misspelt ones; how a saved search was found"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

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
    op.execute(
        "DELETE FROM meta WHERE name = 'tokenizer'"
    )  # so that this start rebuilds the index, with its words
    op.add_column("searches", sa.Column("rung", sa.String(16), server_default="all", nullable=False))
    # All hits of the searches that are saved match all of their words.
    op.add_column("searches", sa.Column("exact", sa.Integer(), server_default="0", nullable=False))
    op.execute("UPDATE searches SET exact = total")
    op.add_column("searches", sa.Column("corrections", sa.JSON(), server_default="[]", nullable=False))


def downgrade() -> None:
    for column in ("rung", "exact", "corrections"):
        op.drop_column("searches", column)
    op.drop_table("search_words")
