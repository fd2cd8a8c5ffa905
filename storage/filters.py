"""Filters of subscriptions, and which posts did not pass them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.types import Source, Visibility
from storage.past import remember
from storage.scope import follows, scope_of, waits
from storage.sql import CHUNK, changed_rows, prune, reserve_alone, upsert
from storage.tables import FILTERED, FILTERS, LEDGER, PAST, POSTS, SOURCES, SUBSCRIPTIONS

# Asked for each post that is stored.
_ARE_USED = select(exists().where(SUBSCRIPTIONS.c.filter_id.is_not(None)))


@cache
def passes() -> ColumnElement[bool]:
    """Whether the filter of a subscription lets a post pass, in a query that selects from both."""
    failed = exists().where(
        FILTERED.c.post_id == POSTS.c.id, FILTERED.c.filter_id == SUBSCRIPTIONS.c.filter_id
    )
    return or_(SUBSCRIPTIONS.c.filter_id.is_(None), ~failed.correlate_except(FILTERED))


class SqlFilters:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def keep(self, text: str, now: datetime) -> int:
        statement = upsert(self._connection, FILTERS).values(text=text, used_at=now)
        renewed = {"used_at": statement.excluded["used_at"]}
        kept = statement.on_conflict_do_update(index_elements=["text"], set_=renewed)
        return (await self._connection.scalars(kept.returning(FILTERS.c.id))).one()

    async def text(self, filter_id: int) -> str | None:
        return await self._connection.scalar(select(FILTERS.c.text).where(FILTERS.c.id == filter_id))

    async def of_followers(self, source: Source) -> Mapping[int, str]:
        of_all = SUBSCRIPTIONS.c.source_id.is_(None)
        near = SUBSCRIPTIONS.c.source_id == source.id
        if source.visibility is Visibility.PUBLIC:
            near = or_(near, of_all)
        used = exists().where(SUBSCRIPTIONS.c.filter_id == FILTERS.c.id, near)
        rows = await self._connection.execute(select(FILTERS.c.id, FILTERS.c.text).where(used))
        return {filter_id: text for filter_id, text in rows}

    async def are_used(self) -> bool:
        return bool(await self._connection.scalar(_ARE_USED))

    async def reject(self, post_id: int, why: Mapping[int, str]) -> None:
        rows = [{"post_id": post_id, "filter_id": key, "why": reason} for key, reason in why.items()]
        statement = upsert(self._connection, FILTERED).on_conflict_do_nothing()
        for start in range(0, len(rows), CHUNK):
            await self._connection.execute(statement, rows[start : start + CHUNK])

    async def choose(self, chat_id: int, source_id: int | None, filter_id: int | None, now: datetime) -> None:
        # A post that is being fanned out is judged by either the filter before or the new one.
        await reserve_alone(self._connection)
        mine = (SUBSCRIPTIONS.c.chat_id == chat_id) & (SUBSCRIPTIONS.c.scope == scope_of(source_id))
        before = select(SUBSCRIPTIONS.c.filter_id).where(mine).scalar_subquery()
        await remember(self._connection, mine)
        given_up = update(FILTERS).where(FILTERS.c.id == before).values(used_at=now)
        await self._connection.execute(given_up)
        await self._connection.execute(update(SUBSCRIPTIONS).where(mine).values(filter_id=filter_id))

    async def waiting(self, chat_id: int, source_id: int | None) -> Sequence[int]:
        promised = exists().where(LEDGER.c.chat_id == chat_id, LEDGER.c.post_key == POSTS.c.key)
        posts = (
            select(POSTS.c.id)
            .join(SOURCES, SOURCES.c.id == POSTS.c.source_id)
            .join(SUBSCRIPTIONS, SUBSCRIPTIONS.c.chat_id == chat_id)
            .where(
                SUBSCRIPTIONS.c.scope == scope_of(source_id),
                waits(),
                follows(),
                POSTS.c.id > SUBSCRIPTIONS.c.starts_after,
                POSTS.c.id > SOURCES.c.starts_after,
                ~POSTS.c.old_news,
                ~promised,
            )
        )
        return (await self._connection.scalars(posts.order_by(POSTS.c.id))).all()

    async def prune(self, before: datetime, limit: int) -> int:
        """Verdicts first: filters that are deleted take theirs along. What used them last, before them."""
        newest = select(func.max(POSTS.c.id)).where(POSTS.c.first_seen_at < before).scalar_subquery()
        needed = exists().where(
            SUBSCRIPTIONS.c.filter_id == FILTERED.c.filter_id,
            SUBSCRIPTIONS.c.digest_id.is_not(None),
            SUBSCRIPTIONS.c.starts_after < FILTERED.c.post_id,
        )
        verdict = tuple_(FILTERED.c.post_id, FILTERED.c.filter_id)
        old = select(FILTERED.c.post_id, FILTERED.c.filter_id).where(FILTERED.c.post_id <= newest, ~needed)
        some = old.order_by(FILTERED.c.post_id).limit(limit)
        forgotten = changed_rows(await self._connection.execute(delete(FILTERED).where(verdict.in_(some))))
        if forgotten == limit:
            return forgotten
        forgotten += await prune(self._connection, PAST, PAST.c.id, PAST.c.up_to <= newest, limit - forgotten)
        await reserve_alone(self._connection)  # nobody may choose one of them meanwhile
        used = exists().where(SUBSCRIPTIONS.c.filter_id == FILTERS.c.id)
        was_used = exists().where(PAST.c.filter_id == FILTERS.c.id)
        unused = (FILTERS.c.used_at < before) & ~used & ~was_used
        some_filters = select(FILTERS.c.id).where(unused).order_by(FILTERS.c.id).limit(limit - forgotten)
        gone = delete(FILTERS).where(FILTERS.c.id.in_(some_filters.scalar_subquery()))
        return forgotten + changed_rows(await self._connection.execute(gone))
