"""Filters of subscriptions, and which posts did not pass them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.types import Source, Visibility
from storage.models import FilteredRow, FilterRow, LedgerRow, PastRow, PostRow, SourceRow, SubscriptionRow
from storage.past import remember
from storage.scope import follows, scope_of, waits
from storage.sql import CHUNK, changed_rows, prune, reserve_alone, upsert

# Asked for each post that is stored.
_ARE_USED = select(exists().where(SubscriptionRow.filter_id.is_not(None)))


@cache
def passes() -> ColumnElement[bool]:
    """Whether the filter of a subscription lets a post pass, in a query that selects from both."""
    failed = exists().where(
        FilteredRow.post_id == PostRow.id, FilteredRow.filter_id == SubscriptionRow.filter_id
    )
    return or_(SubscriptionRow.filter_id.is_(None), ~failed.correlate_except(FilteredRow))


class SqlFilters:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def keep(self, text: str, now: datetime) -> int:
        statement = upsert(self._connection, FilterRow).values(text=text, used_at=now)
        renewed = {"used_at": statement.excluded["used_at"]}
        kept = statement.on_conflict_do_update(index_elements=["text"], set_=renewed)
        return (await self._connection.scalars(kept.returning(FilterRow.id))).one()

    async def text(self, filter_id: int) -> str | None:
        return await self._connection.scalar(select(FilterRow.text).where(FilterRow.id == filter_id))

    async def of_followers(self, source: Source) -> Mapping[int, str]:
        of_all = SubscriptionRow.source_id.is_(None)
        near = SubscriptionRow.source_id == source.id
        if source.visibility is Visibility.PUBLIC:
            near = or_(near, of_all)
        used = exists().where(SubscriptionRow.filter_id == FilterRow.id, near)
        rows = await self._connection.execute(select(FilterRow.id, FilterRow.text).where(used))
        return {filter_id: text for filter_id, text in rows}

    async def are_used(self) -> bool:
        return bool(await self._connection.scalar(_ARE_USED))

    async def reject(self, post_id: int, why: Mapping[int, str]) -> None:
        rows = [{"post_id": post_id, "filter_id": key, "why": reason} for key, reason in why.items()]
        statement = upsert(self._connection, FilteredRow).on_conflict_do_nothing()
        for start in range(0, len(rows), CHUNK):
            await self._connection.execute(statement, rows[start : start + CHUNK])

    async def choose(self, chat_id: int, source_id: int | None, filter_id: int | None, now: datetime) -> None:
        # A post that is being fanned out is judged by either the filter before or the new one.
        await reserve_alone(self._connection)
        mine = (SubscriptionRow.chat_id == chat_id) & (SubscriptionRow.scope == scope_of(source_id))
        before = select(SubscriptionRow.filter_id).where(mine).scalar_subquery()
        await remember(self._connection, mine)
        given_up = update(FilterRow).where(FilterRow.id == before).values(used_at=now)
        await self._connection.execute(given_up)
        await self._connection.execute(update(SubscriptionRow).where(mine).values(filter_id=filter_id))

    async def waiting(self, chat_id: int, source_id: int | None) -> Sequence[int]:
        promised = exists().where(LedgerRow.chat_id == chat_id, LedgerRow.post_key == PostRow.key)
        posts = (
            select(PostRow.id)
            .join(SourceRow, SourceRow.id == PostRow.source_id)
            .join(SubscriptionRow, SubscriptionRow.chat_id == chat_id)
            .where(
                SubscriptionRow.scope == scope_of(source_id),
                waits(),
                follows(),
                PostRow.id > SubscriptionRow.starts_after,
                PostRow.id > SourceRow.starts_after,
                ~PostRow.old_news,
                ~promised,
            )
        )
        return (await self._connection.scalars(posts.order_by(PostRow.id))).all()

    async def prune(self, before: datetime, limit: int) -> int:
        """Verdicts first: filters that are deleted take theirs along. What used them last, before them."""
        newest = select(func.max(PostRow.id)).where(PostRow.first_seen_at < before).scalar_subquery()
        needed = exists().where(
            SubscriptionRow.filter_id == FilteredRow.filter_id,
            SubscriptionRow.digest_id.is_not(None),
            SubscriptionRow.starts_after < FilteredRow.post_id,
        )
        verdict = tuple_(FilteredRow.post_id, FilteredRow.filter_id)
        old = select(FilteredRow.post_id, FilteredRow.filter_id).where(FilteredRow.post_id <= newest, ~needed)
        some = old.order_by(FilteredRow.post_id).limit(limit)
        forgotten = changed_rows(await self._connection.execute(delete(FilteredRow).where(verdict.in_(some))))
        if forgotten == limit:
            return forgotten
        forgotten += await prune(
            self._connection, PastRow, PastRow.id, PastRow.up_to <= newest, limit - forgotten
        )
        await reserve_alone(self._connection)  # nobody may choose one of them meanwhile
        used = exists().where(SubscriptionRow.filter_id == FilterRow.id)
        was_used = exists().where(PastRow.filter_id == FilterRow.id)
        unused = (FilterRow.used_at < before) & ~used & ~was_used
        some_filters = select(FilterRow.id).where(unused).order_by(FilterRow.id).limit(limit - forgotten)
        gone = delete(FilterRow).where(FilterRow.id.in_(some_filters.scalar_subquery()))
        return forgotten + changed_rows(await self._connection.execute(gone))
