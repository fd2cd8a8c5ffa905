"""What chats follow, with which filters and digests, and what they followed."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
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

from scheduler.types import Rest, WhenEmpty
from storage.tables.base import CHOICES, METADATA, Id, UtcDateTime, Word, partial
from storage.tables.chats import CHATS
from storage.tables.posts import POSTS
from storage.tables.sources import SOURCES


class Digests(TypedColumns):
    id: Named[int] = Column(Id, primary_key=True)
    chat_id: Named[int] = Column(Id, ForeignKey(CHATS.c.id, ondelete="CASCADE"))
    name: Named[str] = Column(Text, server_default="1")
    recurrence: Named[str] = Column(Text)
    timezone: Named[str] = Column(Text)
    title: Named[str] = Column(Text)
    max_posts: Named[int] = Column(Integer)
    rest: Named[Rest] = Column(Word(Rest), server_default=Rest.NEVER)
    when_empty: Named[WhenEmpty] = Column(Word(WhenEmpty))
    next_run_at: Named[datetime] = Column(UtcDateTime, index=True)
    last_run_at: Named[datetime | None] = Column(UtcDateTime)
    paused: Named[bool] = Column(Boolean, default=False, server_default=false())


DIGESTS = Table("digests", METADATA, Digests, UniqueConstraint("chat_id", "name"))


class Filters(TypedColumns):
    """A filter in its normal text, which any number of subscriptions share."""

    id: Named[int] = Column(Id, primary_key=True)
    text: Named[str] = Column(Text, unique=True)
    used_at: Named[datetime] = Column(UtcDateTime)  # when it was last tried, chosen or given up


FILTERS = Table(
    "filters",
    METADATA,
    Filters,
    # Buttons refer to filters by their ids.
    sqlite_autoincrement=True,
)


class Subscriptions(TypedColumns):
    id: Named[int] = Column(Id, primary_key=True)
    chat_id: Named[int] = Column(Id, ForeignKey(CHATS.c.id, ondelete="CASCADE"))
    scope: Named[str] = Column(Text)  # 'all' or the source's id; a unique constraint would not compare NULLs
    source_id: Named[int | None] = Column(Id, ForeignKey(SOURCES.c.id, ondelete="CASCADE"))
    starts_after: Named[int] = Column(Id)  # the chat gets posts with higher ids only
    # As `starts_after` was at first: digests move that one on.
    began_after: Named[int] = Column(Id, default=0, server_default="0")
    choices: Named[dict[str, Any] | None] = Column(CHOICES)
    # None: its posts are sent at once.
    digest_id: Named[int | None] = Column(Id, ForeignKey(DIGESTS.c.id))
    paused_after: Named[int | None] = Column(Id)  # a paused one gets no posts with higher ids
    paused_until: Named[datetime | None] = Column(UtcDateTime)
    filter_id: Named[int | None] = Column(Id, ForeignKey(FILTERS.c.id))


SUBSCRIPTIONS = Table(
    "subscriptions",
    METADATA,
    Subscriptions,
    UniqueConstraint("chat_id", "scope"),
    Index(None, "source_id"),
    partial("ix_subscriptions_filtered", "filter_id IS NOT NULL", "filter_id", "source_id"),
    partial("ix_subscriptions_chosen", "choices IS NOT NULL", "source_id"),
    partial("ix_subscriptions_paused", "paused_until IS NOT NULL", "paused_until"),
)


class Past(TypedColumns):
    """What a subscription was for the posts from `after` to `up_to`, until its filter changed or it ended."""

    id: Named[int] = Column(Id, primary_key=True)
    chat_id: Named[int] = Column(Id, ForeignKey(CHATS.c.id, ondelete="CASCADE"), index=True)
    scope: Named[str] = Column(Text)
    after: Named[int] = Column(Id)
    up_to: Named[int] = Column(Id, index=True)
    filter_id: Named[int | None] = Column(Id, ForeignKey(FILTERS.c.id), index=True)


PAST = Table("past", METADATA, Past)


class Filtered(TypedColumns):
    """A post that did not pass a filter, and the condition that it failed."""

    post_id: Named[int] = Column(Id, ForeignKey(POSTS.c.id, ondelete="CASCADE"), primary_key=True)
    filter_id: Named[int] = Column(Id, ForeignKey(FILTERS.c.id, ondelete="CASCADE"), primary_key=True)
    why: Named[str] = Column(Text)


FILTERED = Table("filtered", METADATA, Filtered, Index(None, "filter_id"))


class Endings(TypedColumns):
    """Subscriptions that a chat ended at once, as they were, so that this can be undone for a while."""

    id: Named[int] = Column(Id, primary_key=True)
    chat_id: Named[int] = Column(Id, ForeignKey(CHATS.c.id, ondelete="CASCADE"), index=True)
    ended_at: Named[datetime] = Column(UtcDateTime, index=True)
    rows: Named[list[dict[str, Any]]] = Column(JSON)


ENDINGS = Table(
    "endings",
    METADATA,
    Endings,
    # Buttons refer to endings by their ids.
    sqlite_autoincrement=True,
)
