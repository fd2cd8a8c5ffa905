"""Posts, and by which words they are found."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from storage.models.base import NEVER, Base, Id, InOrder, partial
from storage.models.sources import SourceRow


class PostRow(Base):
    __tablename__ = "posts"
    __table_args__ = (
        UniqueConstraint("source_id", "guid"),
        Index(None, "key"),
        Index(None, "published_at", "id"),
        Index(None, "source_id", "published_at", "id"),
        partial("ix_posts_changed", "changed_at IS NOT NULL", "changed_at"),
        partial("ix_posts_story", "story IS NOT NULL", "story"),
        # A post id must never be reused: pages and subscriptions refer to positions by it.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey(SourceRow.id, ondelete="CASCADE"))
    guid: Mapped[str]
    key: Mapped[str]  # the same for the same post of another source
    url: Mapped[str]
    title: Mapped[str]
    author: Mapped[str]
    published_at: Mapped[datetime]
    updated_at: Mapped[datetime | None]
    first_seen_at: Mapped[datetime]
    html: Mapped[str]
    text: Mapped[str]
    language: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(JSON)
    media: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    content_hash: Mapped[str]
    old_news: Mapped[bool] = mapped_column(default=False, server_default=false())
    changed_at: Mapped[datetime | None]  # when what people see of it last changed
    changes: Mapped[int] = mapped_column(default=0, server_default="0")  # how often it has
    # The first post of the story that it tells, if another source told that before; see `stories.py`.
    story: Mapped[int | None] = mapped_column(Id)
    withdrawn_at: Mapped[datetime | None]
    raw_hash: Mapped[str] = mapped_column(default="", server_default="")  # of the item as it was read


class StoryWordRow(Base):
    """A word by which a title of the last days is found, as a number."""

    __tablename__ = "story_words"
    __table_args__ = ({"sqlite_with_rowid": False},)

    word: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    post_id: Mapped[int] = mapped_column(
        ForeignKey(PostRow.id, ondelete="CASCADE"), primary_key=True, index=True
    )


class UnindexedRow(Base):
    """A post that waits to be indexed for searching."""

    __tablename__ = "unindexed"

    post_id: Mapped[int] = mapped_column(ForeignKey(PostRow.id, ondelete="CASCADE"), primary_key=True)


class TombstoneRow(Base):
    __tablename__ = "tombstones"

    source_id: Mapped[int] = mapped_column(ForeignKey(SourceRow.id, ondelete="CASCADE"), primary_key=True)
    guid: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str]
    seen_at: Mapped[datetime] = mapped_column(server_default=NEVER)  # when the source last had it


class WordRow(Base):
    """A word of the search index, for finding the word that a misspelt one stands for."""

    __tablename__ = "search_words"

    word: Mapped[str] = mapped_column(InOrder, primary_key=True)
    backwards: Mapped[str] = mapped_column(InOrder, index=True)
    posts: Mapped[int]
