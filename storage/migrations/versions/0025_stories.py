"""the same story of several sources, and how many posts a source has"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def partial(name: str, table: str, where: str, *columns: str) -> None:
    op.create_index(
        op.f(name), table, list(columns), sqlite_where=sa.text(where), postgresql_where=sa.text(where)
    )


def upgrade() -> None:
    op.add_column("sources", sa.Column("post_count", sa.Integer(), server_default="0", nullable=False))
    counted = "SELECT count(*) FROM posts WHERE posts.source_id = sources.id"
    op.execute(f"UPDATE sources SET post_count = ({counted})")
    op.create_index(op.f("ix_posts_source_id_published_at_id"), "posts", ["source_id", "published_at", "id"])
    op.add_column("posts", sa.Column("story", Id, nullable=True))
    partial("ix_posts_story", "posts", "story IS NOT NULL", "story")
    partial("ix_chats_chosen", "chats", "choices IS NOT NULL", "id")
    op.create_table(
        "story_words",
        sa.Column("word", sa.BigInteger(), nullable=False),
        sa.Column("post_id", Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["post_id"], ["posts.id"], name=op.f("fk_story_words_post_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("word", "post_id", name=op.f("pk_story_words")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_story_words_post_id"), "story_words", ["post_id"])


def downgrade() -> None:
    op.drop_table("story_words")
    op.drop_index(op.f("ix_chats_chosen"), "chats")
    op.drop_index(op.f("ix_posts_story"), "posts")
    # Without batch_alter_table: SQLite drops a column by itself and keeps all rows.
    op.drop_column("posts", "story")
    op.drop_index(op.f("ix_posts_source_id_published_at_id"), "posts")
    op.drop_column("sources", "post_count")
