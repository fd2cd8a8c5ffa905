"""What chats follow, with which filters and digests, and what they followed."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.types import Rest, WhenEmpty
from storage.models.base import CHOICES, Base, Id, partial
from storage.models.chats import ChatRow
from storage.models.posts import PostRow
from storage.models.sources import SourceRow


class DigestRow(Base):
    __tablename__ = "digests"
    __table_args__ = (UniqueConstraint("chat_id", "name"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey(ChatRow.id, ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(server_default="1")
    recurrence: Mapped[str]
    timezone: Mapped[str]
    title: Mapped[str]
    max_posts: Mapped[int]
    rest: Mapped[Rest] = mapped_column(server_default=Rest.NEVER)
    when_empty: Mapped[WhenEmpty]
    next_run_at: Mapped[datetime] = mapped_column(index=True)
    last_run_at: Mapped[datetime | None]
    paused: Mapped[bool] = mapped_column(default=False, server_default=false())


class FilterRow(Base):
    """A filter in its normal text, which any number of subscriptions share."""

    __tablename__ = "filters"
    # Buttons refer to filters by their ids.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    text: Mapped[str] = mapped_column(unique=True)
    used_at: Mapped[datetime]  # when it was last tried, chosen or given up


class SubscriptionRow(Base):
    __tablename__ = "subscriptions"
    __table_args__ = (
        UniqueConstraint("chat_id", "scope"),
        Index(None, "source_id"),
        partial("ix_subscriptions_filtered", "filter_id IS NOT NULL", "filter_id", "source_id"),
        partial("ix_subscriptions_chosen", "choices IS NOT NULL", "source_id"),
        partial("ix_subscriptions_paused", "paused_until IS NOT NULL", "paused_until"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey(ChatRow.id, ondelete="CASCADE"))
    scope: Mapped[str]  # 'all' or the source's id; a unique constraint would not compare NULLs
    source_id: Mapped[int | None] = mapped_column(ForeignKey(SourceRow.id, ondelete="CASCADE"))
    starts_after: Mapped[int] = mapped_column(Id)  # the chat gets posts with higher ids only
    # As `starts_after` was at first: digests move that one on.
    began_after: Mapped[int] = mapped_column(Id, default=0, server_default="0")
    choices: Mapped[dict[str, Any] | None] = mapped_column(CHOICES)
    # None: its posts are sent at once.
    digest_id: Mapped[int | None] = mapped_column(ForeignKey(DigestRow.id))
    paused_after: Mapped[int | None] = mapped_column(Id)  # a paused one gets no posts with higher ids
    paused_until: Mapped[datetime | None]
    filter_id: Mapped[int | None] = mapped_column(ForeignKey(FilterRow.id))


class PastRow(Base):
    """What a subscription was for the posts from `after` to `up_to`, until its filter changed or it ended."""

    __tablename__ = "past"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey(ChatRow.id, ondelete="CASCADE"), index=True)
    scope: Mapped[str]
    after: Mapped[int] = mapped_column(Id)
    up_to: Mapped[int] = mapped_column(Id, index=True)
    filter_id: Mapped[int | None] = mapped_column(ForeignKey(FilterRow.id), index=True)


class FilteredRow(Base):
    """A post that did not pass a filter, and the condition that it failed."""

    __tablename__ = "filtered"
    __table_args__ = (Index(None, "filter_id"),)

    post_id: Mapped[int] = mapped_column(ForeignKey(PostRow.id, ondelete="CASCADE"), primary_key=True)
    filter_id: Mapped[int] = mapped_column(ForeignKey(FilterRow.id, ondelete="CASCADE"), primary_key=True)
    why: Mapped[str]


class EndingRow(Base):
    """Subscriptions that a chat ended at once, as they were, so that this can be undone for a while."""

    __tablename__ = "endings"
    # Buttons refer to endings by their ids.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey(ChatRow.id, ondelete="CASCADE"), index=True)
    ended_at: Mapped[datetime] = mapped_column(index=True)
    rows: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
