"""Posts, and by which words they are found."""

from datetime import datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Named,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
    false,
)

from storage.tables.base import METADATA, NEVER, Id, InOrder, UtcDateTime, partial
from storage.tables.sources import SOURCES


class Posts(TypedColumns):
    id: Named[int] = Column(Id, primary_key=True)
    source_id: Named[int] = Column(Id, ForeignKey(SOURCES.c.id, ondelete="CASCADE"))
    guid: Named[str] = Column(Text)
    key: Named[str] = Column(Text)  # the same for the same post of another source
    url: Named[str] = Column(Text)
    title: Named[str] = Column(Text)
    author: Named[str] = Column(Text)
    published_at: Named[datetime] = Column(UtcDateTime)
    updated_at: Named[datetime | None] = Column(UtcDateTime)
    first_seen_at: Named[datetime] = Column(UtcDateTime)
    html: Named[str] = Column(Text)
    text: Named[str] = Column(Text)
    language: Named[str] = Column(Text)
    tags: Named[list[str]] = Column(JSON)
    media: Named[list[dict[str, str]]] = Column(JSON)
    content_hash: Named[str] = Column(Text)
    old_news: Named[bool] = Column(Boolean, default=False, server_default=false())
    changed_at: Named[datetime | None] = Column(UtcDateTime)  # when what people see of it last changed
    changes: Named[int] = Column(Integer, default=0, server_default="0")  # how often it has
    # The first post of the story that it tells, if another source told that before; see `stories.py`.
    story: Named[int | None] = Column(Id)
    withdrawn_at: Named[datetime | None] = Column(UtcDateTime)
    raw_hash: Named[str] = Column(Text, default="", server_default="")  # of the item as it was read


POSTS = Table(
    "posts",
    METADATA,
    Posts,
    UniqueConstraint("source_id", "guid"),
    Index(None, "key"),
    Index(None, "published_at", "id"),
    Index(None, "source_id", "published_at", "id"),
    partial("ix_posts_changed", "changed_at IS NOT NULL", "changed_at"),
    partial("ix_posts_story", "story IS NOT NULL", "story"),
    # A post id must never be reused: pages and subscriptions refer to positions by it.
    sqlite_autoincrement=True,
)


class StoryWords(TypedColumns):
    """A word by which a title of the last days is found, as a number."""

    word: Named[int] = Column(BigInteger, primary_key=True)
    post_id: Named[int] = Column(Id, ForeignKey(POSTS.c.id, ondelete="CASCADE"), primary_key=True, index=True)


STORY_WORDS = Table("story_words", METADATA, StoryWords, sqlite_with_rowid=False)


class Unindexed(TypedColumns):
    """A post that waits to be indexed for searching."""

    post_id: Named[int] = Column(Id, ForeignKey(POSTS.c.id, ondelete="CASCADE"), primary_key=True)


UNINDEXED = Table("unindexed", METADATA, Unindexed)


class Tombstones(TypedColumns):
    source_id: Named[int] = Column(Id, ForeignKey(SOURCES.c.id, ondelete="CASCADE"), primary_key=True)
    guid: Named[str] = Column(Text, primary_key=True)
    key: Named[str] = Column(Text)
    seen_at: Named[datetime] = Column(UtcDateTime, server_default=NEVER)  # when the source last had it


TOMBSTONES = Table("tombstones", METADATA, Tombstones)


class Words(TypedColumns):
    """A word of the search index, for finding the word that a misspelt one stands for."""

    word: Named[str] = Column(InOrder, primary_key=True)
    backwards: Named[str] = Column(InOrder, index=True)
    posts: Named[int] = Column(Integer)


WORDS = Table("search_words", METADATA, Words)
