"""Sources, and how they tell of their posts."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, false
from sqlalchemy.orm import Mapped, mapped_column

from content.types import SourceState, Visibility
from scheduler.push.pushes import PushKind, PushState
from storage.models.base import NO_OPTIONS, Base, Id


class SourceRow(Base):
    __tablename__ = "sources"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str]
    url: Mapped[str] = mapped_column(unique=True)
    post_count: Mapped[int] = mapped_column(default=0, server_default="0")  # of its posts that are stored
    title: Mapped[str] = mapped_column(default="")
    tags: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    visibility: Mapped[Visibility]
    state: Mapped[SourceState] = mapped_column(default=SourceState.ACTIVE)
    etag: Mapped[str] = mapped_column(default="")
    last_modified: Mapped[str] = mapped_column(default="")
    content_hash: Mapped[str] = mapped_column(default="")
    options: Mapped[dict[str, Any]] = mapped_column(JSON, server_default=NO_OPTIONS)
    next_poll_at: Mapped[datetime | None]
    polled_at: Mapped[datetime | None]
    starts_after: Mapped[int] = mapped_column(Id, default=0)
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    trouble_told: Mapped[bool] = mapped_column(default=False, server_default=false())
    last_error: Mapped[str] = mapped_column(default="")
    added_by: Mapped[str] = mapped_column(default="", server_default="")
    read_seconds: Mapped[float] = mapped_column(default=0.0, server_default="0")
    warning: Mapped[str] = mapped_column(default="", server_default="")
    unread: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list, server_default="[]")
    rhythm: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    unfollowed_since: Mapped[datetime | None]
    moved_to: Mapped[str] = mapped_column(default="", server_default="")
    moved_since: Mapped[datetime | None]
    pushed_until: Mapped[datetime | None]  # until then a push tells of its posts, so it is polled less


class PushRow(Base):
    """How a source tells of its posts: by a hub, or by a hook. Without a source: to be ended."""

    __tablename__ = "pushes"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    source_id: Mapped[int | None] = mapped_column(ForeignKey(SourceRow.id, ondelete="SET NULL"), unique=True)
    kind: Mapped[PushKind]
    token: Mapped[str] = mapped_column(unique=True)
    secret: Mapped[str]
    hub: Mapped[str]
    topic: Mapped[str]
    state: Mapped[PushState]
    next_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    last_at: Mapped[datetime | None]
    seen: Mapped[list[str]] = mapped_column(JSON)  # hashes of the last bodies
    failures: Mapped[int]
    reason: Mapped[str]
