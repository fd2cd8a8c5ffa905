"""Subscriptions: which chat follows what, and from which post on."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Insert,
    Row,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.formats import Format, from_json
from content.types import Visibility
from scheduler.types import Subscription
from storage.past import decided, remember
from storage.scope import ALL, follows, scope_of
from storage.sql import changed_rows, insert_into, reserve_alone
from storage.tables import DIGESTS, FILTERS, POSTS, SOURCES, SUBSCRIPTIONS


def to_subscription(row: Row[Any]) -> Subscription:
    """From the columns of a subscription and the text of its filter."""
    return Subscription(
        row.id,
        row.chat_id,
        row.source_id,
        row.starts_after,
        from_json(row.choices),
        row.text or "",
        row.digest_id,
        row.paused_after,
        row.paused_until,
    )


# Built once: to build them takes longer than to run them.
_WITH_FILTER = select(SUBSCRIPTIONS, FILTERS.c.text).outerjoin(FILTERS).order_by(SUBSCRIPTIONS.c.id)
_OF_CHAT = _WITH_FILTER.where(SUBSCRIPTIONS.c.chat_id == bindparam("chat"))
_NEWEST_POST = select(func.max(POSTS.c.id))
_TAKE_UP = (
    update(SOURCES)
    .where(SOURCES.c.id == bindparam("source"), SOURCES.c.unfollowed_since.is_not(None))
    .values(unfollowed_since=None, polled_at=None, next_poll_at=None)
)


@cache
def _add(dialect: Dialect) -> Insert:
    added = insert_into(SUBSCRIPTIONS, dialect).on_conflict_do_nothing()
    return added.returning(SUBSCRIPTIONS.c.id)


class SqlSubscriptions:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, chat_id: int, source_id: int | None, starts_after: int | None = None) -> bool:
        newest = await self._newest_post()
        values = {
            "chat_id": chat_id,
            "scope": scope_of(source_id),
            "source_id": source_id,
            "digest_id": await self._joins(chat_id),
            "starts_after": newest if starts_after is None else starts_after,
            "began_after": newest if starts_after is None else await self._decided_by_all(chat_id),
        }
        added = await self._connection.scalar(_add(self._connection.dialect), values)
        await self._take_up(source_id)
        return added is not None

    async def remove(self, chat_id: int, source_id: int | None) -> bool:
        scope = (SUBSCRIPTIONS.c.chat_id == chat_id) & (SUBSCRIPTIONS.c.scope == scope_of(source_id))
        await remember(self._connection, scope)
        return changed_rows(await self._connection.execute(delete(SUBSCRIPTIONS).where(scope))) > 0

    async def of(self, chat_id: int) -> Sequence[Subscription]:
        rows = await self._connection.execute(_OF_CHAT, {"chat": chat_id})
        return [to_subscription(row) for row in rows]

    async def followed(self, chat_id: int) -> Collection[int]:
        query = select(SOURCES.c.id).join(SUBSCRIPTIONS, SUBSCRIPTIONS.c.chat_id == chat_id)
        return set(await self._connection.scalars(query.where(follows())))

    async def have_followers(self, source_ids: Collection[int]) -> Collection[int]:
        own = exists().where(SUBSCRIPTIONS.c.source_id == SOURCES.c.id)
        by_all = exists().where(SUBSCRIPTIONS.c.source_id.is_(None))
        followed = or_(own, (SOURCES.c.visibility == Visibility.PUBLIC) & by_all)
        rows = await self._connection.scalars(
            select(SOURCES.c.id).where(SOURCES.c.id.in_(source_ids), followed)
        )
        return set(rows)

    async def all(self) -> Sequence[Subscription]:
        return await self._many(SUBSCRIPTIONS.c.id > 0)

    async def assign(self, ids: Collection[int], digest_id: int | None) -> None:
        some = update(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.id.in_(ids))
        await self._connection.execute(some.values(digest_id=digest_id))

    async def set_choices(self, chat_id: int, source_id: int | None, choices: Format) -> None:
        scope = (SUBSCRIPTIONS.c.chat_id == chat_id) & (SUBSCRIPTIONS.c.scope == scope_of(source_id))
        chosen = dict(choices.chosen) or None
        await self._connection.execute(update(SUBSCRIPTIONS).where(scope).values(choices=chosen))

    async def restart(self, ids: Collection[int], seen_before: datetime | None = None) -> None:
        await reserve_alone(
            self._connection
        )  # a post that is being stored must be either before or after the new start
        newest = select(POSTS.c.id).order_by(POSTS.c.id.desc()).limit(1)
        if seen_before is not None:
            newest = newest.where(POSTS.c.first_seen_at < seen_before)
        restarted = update(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.id.in_(ids))
        start = await self._connection.scalar(newest) or 0
        await self._connection.execute(restarted.values(starts_after=start))

    async def pause(self, ids: Collection[int], until: datetime) -> None:
        await reserve_alone(self._connection)
        some = SUBSCRIPTIONS.c.id.in_(ids)
        after = func.coalesce(SUBSCRIPTIONS.c.paused_after, await self._newest_post())
        paused = update(SUBSCRIPTIONS).where(some).values(paused_until=until, paused_after=after)
        await self._connection.execute(paused)

    async def resume(self, ids: Collection[int]) -> None:
        some = update(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.id.in_(ids))
        await self._connection.execute(some.values(paused_after=None, paused_until=None))

    async def paused_until(self, now: datetime) -> Sequence[Subscription]:
        return await self._many(SUBSCRIPTIONS.c.paused_until <= now)

    async def _take_up(self, source_id: int | None) -> None:
        """Let a source that nobody followed start again: the posts that it has by now are old news."""
        if source_id is not None:
            await self._connection.execute(_TAKE_UP, {"source": source_id})

    async def _joins(self, chat_id: int) -> int | None:
        """The digest of a new subscription: that of `all`; else the first, if nothing is sent at once."""
        others = await self.of(chat_id)
        for other in others:
            if other.source_id is None:
                return other.digest_id
        if any(other.digest_id is None for other in others):
            return None
        return await self._connection.scalar(
            select(func.min(DIGESTS.c.id)).where(DIGESTS.c.chat_id == chat_id)
        )

    async def _decided_by_all(self, chat_id: int) -> int:
        by_all = (SUBSCRIPTIONS.c.chat_id == chat_id) & (SUBSCRIPTIONS.c.scope == ALL)
        return await self._connection.scalar(select(decided()).where(by_all)) or 0

    async def _newest_post(self) -> int:
        return await self._connection.scalar(_NEWEST_POST) or 0

    async def _many(self, where: ColumnElement[bool]) -> Sequence[Subscription]:
        rows = await self._connection.execute(_WITH_FILTER.where(where))
        return [to_subscription(row) for row in rows]
