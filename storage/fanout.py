"""Deliveries and reservations of a broadcast for the chats that get it, made by the database.

One INSERT … SELECT makes a row for each chat: a hundred thousand chats take a fraction of a second.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, delete, exists, func, literal, null, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from content.types import Source
from scheduler.types import ChatAccess, ChatState, DeliveryState, Form, LedgerState
from storage.filters import passes
from storage.models import (
    BroadcastPostRow,
    ChatRow,
    DeliveryRow,
    FilteredRow,
    LedgerRow,
    PostRow,
    SubscriptionRow,
)
from storage.scope import follows
from storage.sql import reserve_alone, upsert
from storage.stories import COLUMNS, told_again


def _follows_at_once(source: Source) -> ColumnElement[bool]:
    """Subscriptions that take a source's posts as they appear."""
    paused = SubscriptionRow.paused_after.is_not(None)
    return SubscriptionRow.digest_id.is_(None) & ~paused & follows(source)


def _near(source: Source) -> ColumnElement[bool]:
    """Those that `follows` may find, by the index on sources; `follows` looks at scopes of a known chat."""
    return or_(SubscriptionRow.source_id == source.id, SubscriptionRow.source_id.is_(None))


def _unpromised(chat_id: Any) -> ColumnElement[bool]:
    promised = exists().where(LedgerRow.chat_id == chat_id, LedgerRow.post_key == PostRow.key)
    # By itself SQLAlchemy correlates with the nearest SELECT only, and would ask about any chat.
    return ~promised.correlate_except(LedgerRow)


class FanOut:
    """The outbox as deliveries are added to it."""

    _connection: AsyncConnection

    async def fan_out(self, broadcast_id: int, source: Source, now: datetime) -> int:
        await reserve_alone(self._connection)
        news = await self._news(broadcast_id)
        # Most chats have chosen nothing for single subscriptions, and copying a column takes time.
        chosen = select(SubscriptionRow.id).where(SubscriptionRow.choices.is_not(None), _near(source))
        choices = SubscriptionRow.choices if await self._connection.scalar(chosen.limit(1)) else null()
        wanted = await self._wanted(news)
        await self._leave_out_told(source, news, wanted)
        anything = select(PostRow.id).where(
            PostRow.id.in_(news),
            PostRow.id > SubscriptionRow.starts_after,
            _unpromised(SubscriptionRow.chat_id),
            wanted,
        )
        chats = (
            select(*self._delivery(broadcast_id, now, choices))
            .join_from(SubscriptionRow, ChatRow, ChatRow.id == SubscriptionRow.chat_id)
            .where(
                _near(source),
                _follows_at_once(source),
                ChatRow.state != ChatState.GONE,
                ChatRow.access != ChatAccess.BANNED,
                # In quiet hours the posts wait. A tick makes one edition of them and sets the next hours.
                or_(ChatRow.quiet_from.is_(None), ChatRow.quiet_from > now),
                anything.correlate(SubscriptionRow).exists(),
            )
        )
        await self._insert_deliveries(chats)
        await self._reserve(
            select(*self._reservation())
            .join_from(DeliveryRow, SubscriptionRow, SubscriptionRow.chat_id == DeliveryRow.chat_id)
            .join(PostRow, PostRow.id > SubscriptionRow.starts_after)
            .where(
                DeliveryRow.broadcast_id == broadcast_id,
                _follows_at_once(source),
                PostRow.id.in_(news),
                wanted,
            )
        )
        return await self._drop_empty(DeliveryRow.broadcast_id == broadcast_id)

    async def deliver(self, broadcast_id: int, chat_id: int, now: datetime) -> bool:
        await reserve_alone(self._connection)
        of_broadcast = select(BroadcastPostRow.post_id).where(BroadcastPostRow.broadcast_id == broadcast_id)
        posts = (await self._connection.scalars(of_broadcast)).all()
        may_get = (ChatRow.id == chat_id) & (ChatRow.access != ChatAccess.BANNED)
        await self._insert_deliveries(select(*self._delivery(broadcast_id, now, null())).where(may_get))
        mine = (DeliveryRow.broadcast_id == broadcast_id) & (DeliveryRow.chat_id == chat_id)
        if not posts:  # a notice has no posts to reserve
            return await self._connection.scalar(select(func.count()).where(mine)) == 1
        promised = select(*self._reservation()).join_from(DeliveryRow, PostRow, PostRow.id.in_(posts))
        await self._reserve(promised.where(mine))
        return await self._drop_empty(mine) > 0

    async def tell_followers(self, broadcast_id: int, source_id: int, now: datetime) -> None:
        await reserve_alone(self._connection)
        is_quiet = (ChatRow.quiet_from <= now) & (ChatRow.quiet_until > now)
        due = case((is_quiet, ChatRow.quiet_until), else_=literal(now, DeliveryRow.due_at.type))
        followers = (
            select(*self._delivery(broadcast_id, due, null()))
            .join_from(SubscriptionRow, ChatRow, ChatRow.id == SubscriptionRow.chat_id)
            .where(
                SubscriptionRow.source_id == source_id,
                SubscriptionRow.paused_after.is_(None),
                ChatRow.state != ChatState.GONE,
                ChatRow.access != ChatAccess.BANNED,
            )
        )
        await self._insert_deliveries(followers)

    async def _news(self, broadcast_id: int) -> Sequence[int]:
        """The posts of a broadcast that followers get.

        They are queried first because PostgreSQL has no statistics of rows that are a second old, and needs
        to know how few there are when it joins them with many chats.
        """
        posts = select(PostRow.id).join(BroadcastPostRow, BroadcastPostRow.post_id == PostRow.id)
        mine = posts.where(BroadcastPostRow.broadcast_id == broadcast_id, ~PostRow.old_news)
        return (await self._connection.scalars(mine)).all()

    async def _leave_out_told(self, source: Source, news: Sequence[int], wanted: ColumnElement[bool]) -> None:
        """Skip posts whose story came from another source, for chats that want each story once."""
        stories = select(PostRow.id).where(PostRow.id.in_(news), PostRow.story.is_not(None))
        if again := (await self._connection.scalars(stories)).all():
            wants = _near(source) & _follows_at_once(source) & wanted
            rows = told_again(again, SubscriptionRow.chat_id, wants)
            statement = upsert(self._connection, LedgerRow).from_select(COLUMNS, rows)
            await self._connection.execute(statement.on_conflict_do_nothing())

    async def _wanted(self, news: Sequence[int]) -> ColumnElement[bool]:
        """Whether a subscription lets a post pass. If no filter rejected any, this costs nothing."""
        rejected = select(FilteredRow.post_id).where(FilteredRow.post_id.in_(news)).limit(1)
        return passes() if await self._connection.scalar(rejected) else true()

    @staticmethod
    def _delivery(broadcast_id: int, due: Any, choices: Any) -> tuple[Any, ...]:
        return (
            literal(broadcast_id),
            ChatRow.id,
            ChatRow.platform,
            literal(DeliveryState.PENDING, DeliveryRow.state.type),
            literal(Form.RICH, DeliveryRow.form.type),
            literal(0),
            literal(due, DeliveryRow.due_at.type) if isinstance(due, datetime) else due,
            literal(0),
            literal(""),
            choices,
        )

    async def _insert_deliveries(self, chats: Select[Any]) -> None:
        columns = [
            "broadcast_id",
            "chat_id",
            "platform",
            "state",
            "form",
            "attempts",
            "due_at",
            "epoch",
            "reason",
            "choices",
        ]
        statement = upsert(self._connection, DeliveryRow).from_select(columns, chats)
        await self._connection.execute(statement.on_conflict_do_nothing())

    @staticmethod
    def _reservation() -> tuple[Any, ...]:
        reserved = literal(LedgerState.RESERVED, LedgerRow.state.type)
        return (DeliveryRow.chat_id, PostRow.key, PostRow.id, DeliveryRow.id, reserved, literal(""))

    async def _reserve(self, posts: Select[Any]) -> None:
        columns = ["chat_id", "post_key", "post_id", "delivery_id", "state", "reason"]
        waiting = posts.where(DeliveryRow.state == DeliveryState.PENDING)
        statement = upsert(self._connection, LedgerRow).from_select(columns, waiting)
        await self._connection.execute(statement.on_conflict_do_nothing())

    async def _drop_empty(self, made: ColumnElement[bool]) -> int:
        """Delete deliveries for which nothing was left to reserve, and count the others."""
        waiting = made & (DeliveryRow.state == DeliveryState.PENDING)
        empty = waiting & ~exists().where(LedgerRow.delivery_id == DeliveryRow.id)
        await self._connection.execute(delete(DeliveryRow).where(empty))
        return (
            await self._connection.scalar(select(func.count()).select_from(DeliveryRow).where(waiting)) or 0
        )
