"""Finds and deletes posts and tombstones that are no longer needed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, delete, exists, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from scheduler.types import ChatState, DeliveryState
from storage.filters import passes
from storage.index import SqlIndex
from storage.scope import ALL, waits
from storage.sql import CHUNK, upsert
from storage.tables import CHATS, DELIVERIES, LEDGER, POSTS, SOURCES, SUBSCRIPTIONS, TOMBSTONES

# A tombstone's `seen_at` is updated at most this often, because a source may be read every few seconds.
TOUCHED = timedelta(days=1)


def _waits() -> ColumnElement[bool]:
    """Whether a post may be in a chat's next digest, or waits for the end of its quiet hours.

    Chats that are gone do not count: they will skip it.
    """
    promised = exists().where(LEDGER.c.chat_id == SUBSCRIPTIONS.c.chat_id, LEDGER.c.post_key == POSTS.c.key)
    return exists(
        select(SUBSCRIPTIONS.c.id)
        .join(CHATS, CHATS.c.id == SUBSCRIPTIONS.c.chat_id)
        .where(
            waits(),
            SUBSCRIPTIONS.c.starts_after < POSTS.c.id,
            or_(SUBSCRIPTIONS.c.source_id == POSTS.c.source_id, SUBSCRIPTIONS.c.scope == ALL),
            CHATS.c.state != ChatState.GONE,
            ~promised.correlate_except(LEDGER),
            passes(),
        )
        .correlate(POSTS)
    )


def _to_be_sent() -> ColumnElement[bool]:
    """Whether a delivery needs a post: an open delivery, or one that can be retried."""
    ended = DELIVERIES.c.state.in_((DeliveryState.SENT, DeliveryState.CANCELLED))
    return exists(
        select(LEDGER.c.post_id)
        .join(DELIVERIES, DELIVERIES.c.id == LEDGER.c.delivery_id)
        .where(LEDGER.c.post_id == POSTS.c.id, ~ended)
        .correlate(POSTS)
    )


def _needed() -> ColumnElement[bool]:
    return _to_be_sent() | (~POSTS.c.old_news & _waits())


class Pruning:
    def __init__(self, connection: AsyncConnection, index: SqlIndex) -> None:
        self._connection, self._index = connection, index

    async def prunable(self, before: datetime, keep: int, limit: int) -> Sequence[tuple[int, int]]:
        many = select(SOURCES.c.id).where(SOURCES.c.post_count > keep).order_by(SOURCES.c.id)
        found: list[tuple[int, int]] = []
        for source_id in (await self._connection.scalars(many)).all():
            found += await self._beyond(source_id, before, keep, limit - len(found))
            if len(found) == limit:
                break
        return found

    async def _beyond(
        self, source_id: int, before: datetime, keep: int, limit: int
    ) -> Sequence[tuple[int, int]]:
        """What may go of a source beside its newest posts, the oldest first."""
        mine, place = POSTS.c.source_id == source_id, (POSTS.c.published_at, POSTS.c.id)
        newest_first = (POSTS.c.published_at.desc(), POSTS.c.id.desc())
        edge = select(*place).where(mine).order_by(*newest_first).offset(keep).limit(1)
        first = (await self._connection.execute(edge)).first()
        if first is None:
            return []
        old = mine & (tuple_(*place) <= tuple_(*first)) & (POSTS.c.first_seen_at < before) & ~_needed()
        return await self._sizes(select(POSTS.c.id).where(old).order_by(*place).limit(limit))

    async def of_source(self, source_id: int, up_to: int, limit: int) -> Sequence[tuple[int, int]]:
        mine = (POSTS.c.source_id == source_id) & (POSTS.c.id <= up_to)
        return await self._sizes(select(POSTS.c.id).where(mine).limit(limit))

    async def _sizes(self, ids: Select[int]) -> Sequence[tuple[int, int]]:
        sized = select(POSTS.c.id, func.length(POSTS.c.text)).where(POSTS.c.id.in_(ids.scalar_subquery()))
        rows = await self._connection.execute(sized.order_by(POSTS.c.id))
        return [(post_id, size) for post_id, size in rows]

    async def forget(self, ids: Sequence[int], now: datetime) -> int:
        # A post may have become needed since `prunable` listed it.
        chosen = POSTS.c.id.in_(ids) & ~_needed()
        rows = await self._connection.execute(
            select(POSTS.c.id, POSTS.c.source_id, POSTS.c.guid, POSTS.c.key).where(chosen)
        )
        gone = [dict(row._mapping) | {"seen_at": now} for row in rows]
        posts = [row.pop("id") for row in gone]
        if posts:
            # The tombstones keep these posts from coming back as new.
            statement = upsert(self._connection, TOMBSTONES).on_conflict_do_nothing()
            await self._connection.execute(statement, gone)
            await self.remove(posts)
        return len(posts)

    async def remove(self, ids: Sequence[int]) -> None:
        await self._index.remove(ids)
        gone = select(POSTS.c.source_id, func.count()).where(POSTS.c.id.in_(ids)).group_by(POSTS.c.source_id)
        for source_id, count in (await self._connection.execute(gone)).all():
            fewer = {"post_count": SOURCES.c.post_count - count}
            await self._connection.execute(update(SOURCES).where(SOURCES.c.id == source_id).values(fewer))
        await self._connection.execute(delete(POSTS).where(POSTS.c.id.in_(ids)))

    async def still_shown(
        self, source_id: int, tombstones: Sequence[str], now: datetime, forget: datetime
    ) -> None:
        mine = TOMBSTONES.c.source_id == source_id
        for start in range(0, len(tombstones), CHUNK):
            shown = mine & TOMBSTONES.c.guid.in_(tombstones[start : start + CHUNK])
            stale = shown & (TOMBSTONES.c.seen_at < now - TOUCHED)
            await self._connection.execute(update(TOMBSTONES).where(stale).values(seen_at=now))
        await self._connection.execute(delete(TOMBSTONES).where(mine, TOMBSTONES.c.seen_at < forget))
