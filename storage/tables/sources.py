"""Sources, and how they tell of their posts."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Integer,
    Named,
    Table,
    Text,
    TypedColumns,
    false,
)

from content.types import SourceState, Visibility
from scheduler.push.pushes import PushKind, PushState
from storage.tables.base import METADATA, NO_OPTIONS, Id, UtcDateTime, Word


class Sources(TypedColumns):
    id: Named[int] = Column(Id, primary_key=True)
    kind: Named[str] = Column(Text)
    url: Named[str] = Column(Text, unique=True)
    post_count: Named[int] = Column(Integer, default=0, server_default="0")  # of its posts that are stored
    title: Named[str] = Column(Text, default="")
    tags: Named[list[str]] = Column(JSON, default=list, server_default="[]")
    visibility: Named[Visibility] = Column(Word(Visibility))
    state: Named[SourceState] = Column(Word(SourceState), default=SourceState.ACTIVE)
    etag: Named[str] = Column(Text, default="")
    last_modified: Named[str] = Column(Text, default="")
    content_hash: Named[str] = Column(Text, default="")
    options: Named[dict[str, Any]] = Column(JSON, server_default=NO_OPTIONS)
    next_poll_at: Named[datetime | None] = Column(UtcDateTime)
    polled_at: Named[datetime | None] = Column(UtcDateTime)
    starts_after: Named[int] = Column(Id, default=0)
    failures: Named[int] = Column(Integer, default=0)
    failing_since: Named[datetime | None] = Column(UtcDateTime)
    trouble_told: Named[bool] = Column(Boolean, default=False, server_default=false())
    last_error: Named[str] = Column(Text, default="")
    added_by: Named[str] = Column(Text, default="", server_default="")
    read_seconds: Named[float] = Column(Double, default=0.0, server_default="0")
    warning: Named[str] = Column(Text, default="", server_default="")
    unread: Named[list[dict[str, str]]] = Column(JSON, default=list, server_default="[]")
    rhythm: Named[dict[str, Any]] = Column(JSON, default=dict, server_default="{}")
    unfollowed_since: Named[datetime | None] = Column(UtcDateTime)
    moved_to: Named[str] = Column(Text, default="", server_default="")
    moved_since: Named[datetime | None] = Column(UtcDateTime)
    # Until then a push tells of its posts, so it is polled less.
    pushed_until: Named[datetime | None] = Column(UtcDateTime)


SOURCES = Table("sources", METADATA, Sources)


class Pushes(TypedColumns):
    """How a source tells of its posts: by a hub, or by a hook. Without a source: to be ended."""

    id: Named[int] = Column(Id, primary_key=True)
    source_id: Named[int | None] = Column(Id, ForeignKey(SOURCES.c.id, ondelete="SET NULL"), unique=True)
    kind: Named[PushKind] = Column(Word(PushKind))
    token: Named[str] = Column(Text, unique=True)
    secret: Named[str] = Column(Text)
    hub: Named[str] = Column(Text)
    topic: Named[str] = Column(Text)
    state: Named[PushState] = Column(Word(PushState))
    next_at: Named[datetime | None] = Column(UtcDateTime)
    lease_until: Named[datetime | None] = Column(UtcDateTime)
    last_at: Named[datetime | None] = Column(UtcDateTime)
    seen: Named[list[str]] = Column(JSON)  # hashes of the last bodies
    failures: Named[int] = Column(Integer)
    reason: Named[str] = Column(Text)


PUSHES = Table("pushes", METADATA, Pushes)
