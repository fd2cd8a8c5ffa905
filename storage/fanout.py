"""Deliveries and reservations of a broadcast for the chats that get it, made by the database.

One INSERT … SELECT makes a row for each chat: a hundred thousand chats take a fraction of a second.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Delete,
    Dialect,
    Insert,
    Select,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.types import Source, Visibility
from scheduler.types import ChatAccess, ChatState, DeliveryState, Form, LedgerState
from storage.filters import passes
from storage.scope import KEPT, follows_one
from storage.sql import insert_into, reserve_alone, upsert
from storage.stories import COLUMNS, told_again
from storage.tables import (
    BROADCAST_POSTS,
    CHATS,
    DELIVERIES,
    FILTERED,
    LEDGER,
    POSTS,
    SUBSCRIPTIONS,
)

# Statements are built once: to build those of a fan-out takes longer than to run them for a few chats.
_BROADCAST = bindparam("broadcast", type_=DELIVERIES.c.broadcast_id.type)
_CHAT = bindparam("chat", type_=CHATS.c.id.type)
_NOW = bindparam("now", type_=DELIVERIES.c.due_at.type)
_NEWS: BindParameter[Any] = bindparam("news", expanding=True)

# PostgreSQL has no statistics of rows that are a second old, and needs to know how few posts there are when
# it joins them with many chats. So they are queried first.
_OF_BROADCAST = select(BROADCAST_POSTS.c.post_id).where(BROADCAST_POSTS.c.broadcast_id == _BROADCAST)
_NEWS_OF_BROADCAST = (
    select(POSTS.c.id)
    .join(BROADCAST_POSTS, BROADCAST_POSTS.c.post_id == POSTS.c.id)
    .where(BROADCAST_POSTS.c.broadcast_id == _BROADCAST, ~POSTS.c.old_news)
)
_REJECTED = select(FILTERED.c.post_id).where(FILTERED.c.post_id.in_(_NEWS)).limit(1)
_OF_STORIES = select(POSTS.c.id).where(POSTS.c.id.in_(_NEWS), POSTS.c.story.is_not(None))


def _follows_at_once(source_id: int, public: bool) -> ColumnElement[bool]:
    """Subscriptions that take a source's posts as they appear."""
    paused = SUBSCRIPTIONS.c.paused_after.is_not(None)
    return SUBSCRIPTIONS.c.digest_id.is_(None) & ~paused & follows_one(source_id, public)


def _near(source_id: int) -> ColumnElement[bool]:
    """Those that may follow a source, by the index on sources; `follows_one` names scopes of a known chat."""
    return or_(SUBSCRIPTIONS.c.source_id == source_id, SUBSCRIPTIONS.c.source_id.is_(None))


def _unpromised(chat_id: Any) -> ColumnElement[bool]:
    promised = exists().where(LEDGER.c.chat_id == chat_id, LEDGER.c.post_key == POSTS.c.key)
    # By itself SQLAlchemy correlates with the nearest SELECT only, and would ask about any chat.
    return ~promised.correlate_except(LEDGER)


@dataclass(frozen=True, slots=True)
class _Which:
    """What the statements of a fan-out depend on, apart from its posts."""

    source_id: int
    public: bool
    filtered: bool  # some filter rejected one of the posts
    chosen: bool  # some subscription has choices of its own

    @property
    def wanted(self) -> ColumnElement[bool]:
        """Whether a subscription lets a post pass. If no filter rejected any, this costs nothing."""
        return passes() if self.filtered else true()


@lru_cache(maxsize=KEPT)
def _make_deliveries(dialect: Dialect, which: _Which) -> Insert:
    anything = select(POSTS.c.id).where(
        POSTS.c.id.in_(_NEWS),
        POSTS.c.id > SUBSCRIPTIONS.c.starts_after,
        _unpromised(SUBSCRIPTIONS.c.chat_id),
        which.wanted,
    )
    # Most chats have chosen nothing for single subscriptions, and copying a column takes time.
    chats = (
        select(*_delivery(_NOW, SUBSCRIPTIONS.c.choices if which.chosen else null()))
        .join_from(SUBSCRIPTIONS, CHATS, CHATS.c.id == SUBSCRIPTIONS.c.chat_id)
        .where(
            _near(which.source_id),
            _follows_at_once(which.source_id, which.public),
            CHATS.c.state != ChatState.GONE,
            CHATS.c.access != ChatAccess.BANNED,
            # In quiet hours the posts wait. A tick makes one edition of them and sets the next hours.
            or_(CHATS.c.quiet_from.is_(None), CHATS.c.quiet_from > _NOW),
            anything.correlate(SUBSCRIPTIONS).exists(),
        )
    )
    return _into_deliveries(dialect, chats)


@lru_cache(maxsize=KEPT)
def _reserve(dialect: Dialect, which: _Which) -> Insert:
    posts = (
        select(*_reservation())
        .join_from(DELIVERIES, SUBSCRIPTIONS, SUBSCRIPTIONS.c.chat_id == DELIVERIES.c.chat_id)
        .join(POSTS, POSTS.c.id > SUBSCRIPTIONS.c.starts_after)
        .where(
            DELIVERIES.c.broadcast_id == _BROADCAST,
            _follows_at_once(which.source_id, which.public),
            POSTS.c.id.in_(_NEWS),
            which.wanted,
        )
    )
    return _into_ledger(dialect, posts)


@cache
def _make_delivery(dialect: Dialect) -> Insert:
    may_get = (CHATS.c.id == _CHAT) & (CHATS.c.access != ChatAccess.BANNED)
    return _into_deliveries(dialect, select(*_delivery(_NOW, null())).where(may_get))


@cache
def _reserve_for_one(dialect: Dialect) -> Insert:
    posts = select(*_reservation()).join_from(DELIVERIES, POSTS, POSTS.c.id.in_(_NEWS))
    return _into_ledger(dialect, posts.where(_OF_ONE_CHAT))


def _delivery(due: Any, choices: Any) -> tuple[Any, ...]:
    return (
        _BROADCAST,
        CHATS.c.id,
        CHATS.c.platform,
        literal(DeliveryState.PENDING, DELIVERIES.c.state.type),
        literal(Form.RICH, DELIVERIES.c.form.type),
        literal(0),
        due,
        literal(0),
        literal(""),
        choices,
    )


def _into_deliveries(dialect: Dialect, chats: Select[Any]) -> Insert:
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
    made = insert_into(DELIVERIES, dialect).from_select(columns, chats)
    return made.on_conflict_do_nothing()


def _reservation() -> tuple[Any, ...]:
    reserved = literal(LedgerState.RESERVED, LEDGER.c.state.type)
    return (DELIVERIES.c.chat_id, POSTS.c.key, POSTS.c.id, DELIVERIES.c.id, reserved, literal(""))


def _into_ledger(dialect: Dialect, posts: Select[Any]) -> Insert:
    columns = ["chat_id", "post_key", "post_id", "delivery_id", "state", "reason"]
    waiting = posts.where(DELIVERIES.c.state == DeliveryState.PENDING)
    return insert_into(LEDGER, dialect).from_select(columns, waiting).on_conflict_do_nothing()


_OF_ALL_CHATS = DELIVERIES.c.broadcast_id == _BROADCAST
_OF_ONE_CHAT = _OF_ALL_CHATS & (DELIVERIES.c.chat_id == _CHAT)
_COUNT_OF_ONE = select(func.count()).select_from(DELIVERIES).where(_OF_ONE_CHAT)


@cache
def _drop_empty(one_chat: bool) -> tuple[Delete, Select[int]]:
    """Deletes deliveries for which nothing was left to reserve, and counts the others."""
    made = _OF_ONE_CHAT if one_chat else _OF_ALL_CHATS
    waiting = made & (DELIVERIES.c.state == DeliveryState.PENDING)
    empty = waiting & ~exists().where(LEDGER.c.delivery_id == DELIVERIES.c.id)
    return (
        delete(DELIVERIES).where(empty),
        select(func.count()).select_from(DELIVERIES).where(waiting),
    )


class FanOut:
    """The outbox as deliveries are added to it."""

    _connection: AsyncConnection

    async def fan_out(self, broadcast_id: int, source: Source, now: datetime) -> int:
        await reserve_alone(self._connection)
        dialect, of_broadcast = self._connection.dialect, {"broadcast": broadcast_id}
        news = (await self._connection.scalars(_NEWS_OF_BROADCAST, of_broadcast)).all()
        which = await self._which(source, news)
        await self._leave_out_told(which, news)
        given = of_broadcast | {"news": news}
        await self._connection.execute(_make_deliveries(dialect, which), given | {"now": now})
        await self._connection.execute(_reserve(dialect, which), given)
        return await self._drop_empty(of_broadcast)

    async def deliver(self, broadcast_id: int, chat_id: int, now: datetime) -> bool:
        await reserve_alone(self._connection)
        dialect, mine = self._connection.dialect, {"broadcast": broadcast_id, "chat": chat_id}
        posts = (await self._connection.scalars(_OF_BROADCAST, {"broadcast": broadcast_id})).all()
        await self._connection.execute(_make_delivery(dialect), mine | {"now": now})
        if not posts:  # a notice has no posts to reserve
            return await self._connection.scalar(_COUNT_OF_ONE, mine) == 1
        await self._connection.execute(_reserve_for_one(dialect), mine | {"news": posts})
        return await self._drop_empty(mine) > 0

    async def tell_followers(self, broadcast_id: int, source_id: int, now: datetime) -> None:
        await reserve_alone(self._connection)
        is_quiet = (CHATS.c.quiet_from <= now) & (CHATS.c.quiet_until > now)
        followers = (
            select(*_delivery(case((is_quiet, CHATS.c.quiet_until), else_=_NOW), null()))
            .join_from(SUBSCRIPTIONS, CHATS, CHATS.c.id == SUBSCRIPTIONS.c.chat_id)
            .where(
                SUBSCRIPTIONS.c.source_id == source_id,
                SUBSCRIPTIONS.c.paused_after.is_(None),
                CHATS.c.state != ChatState.GONE,
                CHATS.c.access != ChatAccess.BANNED,
            )
        )
        made = _into_deliveries(self._connection.dialect, followers)
        await self._connection.execute(made, {"broadcast": broadcast_id, "now": now})

    async def _which(self, source: Source, news: Sequence[int]) -> _Which:
        own = select(SUBSCRIPTIONS.c.id).where(SUBSCRIPTIONS.c.choices.is_not(None), _near(source.id))
        return _Which(
            source.id,
            source.visibility is Visibility.PUBLIC,
            filtered=bool(await self._connection.scalar(_REJECTED, {"news": news})),
            chosen=bool(await self._connection.scalar(own.limit(1))),
        )

    async def _leave_out_told(self, which: _Which, news: Sequence[int]) -> None:
        """Skip posts whose story came from another source, for chats that want each story once."""
        if again := (await self._connection.scalars(_OF_STORIES, {"news": news})).all():
            wants = _near(which.source_id) & _follows_at_once(which.source_id, which.public) & which.wanted
            rows = told_again(again, SUBSCRIPTIONS.c.chat_id, wants)
            statement = upsert(self._connection, LEDGER).from_select(COLUMNS, rows)
            await self._connection.execute(statement.on_conflict_do_nothing())

    async def _drop_empty(self, made: Mapping[str, int]) -> int:
        drop, count = _drop_empty("chat" in made)
        await self._connection.execute(drop, made)
        return await self._connection.scalar(count, made) or 0
