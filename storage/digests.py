"""Digests, the posts that wait for them or for the end of quiet hours, and drafts."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from scheduler.types import Digest, Draft, DraftState, Subscription
from storage.filters import passes
from storage.models import DigestRow, DraftRow, LedgerRow, PostRow, SourceRow, SubscriptionRow
from storage.scope import follows, waits
from storage.sql import changed_rows, prune, reserve_alone, table_of

_digests, _drafts = table_of(DigestRow), table_of(DraftRow)


def to_digest(row: Row[Any]) -> Digest:
    return Digest(
        id=row.id,
        chat_id=row.chat_id,
        recurrence=row.recurrence,
        timezone=row.timezone,
        next_run_at=row.next_run_at,
        last_run_at=row.last_run_at,
        title=row.title,
        max_posts=row.max_posts,
        when_empty=row.when_empty,
        name=row.name,
        rest=row.rest,
        paused=row.paused,
    )


def to_draft(row: Row[Any]) -> Draft:
    return Draft(
        row.id, row.chat_id, row.actor, row.text, row.everywhere, row.state, row.due_at, row.created_at
    )


class SqlDigests:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, chat_id: int) -> Sequence[Digest]:
        return sorted(await self._many(DigestRow.chat_id == chat_id), key=lambda digest: digest.id)

    async def get(self, digest_id: int) -> Digest | None:
        found = await self._many(DigestRow.id == digest_id)
        return found[0] if found else None

    async def all(self) -> Sequence[Digest]:
        return await self._many(DigestRow.id > 0)

    async def due(self, now: datetime) -> Sequence[Digest]:
        return await self._many((DigestRow.next_run_at <= now) & ~DigestRow.paused)

    async def save(self, digest: Digest) -> Digest:
        values = {
            "chat_id": digest.chat_id,
            "name": digest.name,
            "recurrence": digest.recurrence,
            "timezone": digest.timezone,
            "title": digest.title,
            "max_posts": digest.max_posts,
            "rest": digest.rest,
            "when_empty": digest.when_empty,
            "next_run_at": digest.next_run_at,
            "last_run_at": digest.last_run_at,
            "paused": digest.paused,
        }
        if digest.id:
            await self._connection.execute(update(DigestRow).where(DigestRow.id == digest.id).values(values))
        else:
            await self._connection.execute(insert(DigestRow), values)
        named = (DigestRow.chat_id == digest.chat_id) & (DigestRow.name == digest.name)
        return (await self._many(named))[0]

    async def remove(self, digest_id: int) -> None:
        mine = update(SubscriptionRow).where(SubscriptionRow.digest_id == digest_id)
        await self._connection.execute(mine.values(digest_id=None))
        await self._connection.execute(delete(DigestRow).where(DigestRow.id == digest_id))

    async def waiting(self, digest: Digest, subscriptions: Collection[int] | None = None) -> Sequence[int]:
        mine = [SubscriptionRow.digest_id == digest.id, waits()]
        if subscriptions is not None:
            mine.append(SubscriptionRow.id.in_(subscriptions))
        return await self._unsent(digest.chat_id, *mine)

    async def held(self, chat_id: int) -> Sequence[int]:
        await reserve_alone(self._connection)  # a post that is being stored is either held or sent at once
        return await self._unsent(chat_id, SubscriptionRow.digest_id.is_(None), waits())

    async def unsent(self, chat_id: int) -> Sequence[int]:
        return await self._unsent(chat_id, waits())

    async def paused(self, subscription: Subscription) -> Sequence[int]:
        await reserve_alone(self._connection)
        since = PostRow.id > SubscriptionRow.paused_after
        return await self._unsent(subscription.chat_id, SubscriptionRow.id == subscription.id, since)

    async def _unsent(self, chat_id: int, *conditions: ColumnElement[bool]) -> Sequence[int]:
        """Posts of subscriptions of a chat that its ledger does not have, oldest first."""
        promised = exists().where(LedgerRow.chat_id == chat_id, LedgerRow.post_key == PostRow.key)
        # Of several posts with the same key, the first is taken.
        posts = (
            select(func.min(PostRow.id).label("id"))
            .join(SourceRow, SourceRow.id == PostRow.source_id)
            .join(SubscriptionRow, SubscriptionRow.chat_id == chat_id)
            .where(
                *conditions,
                follows(),
                PostRow.id > SubscriptionRow.starts_after,
                PostRow.id > SourceRow.starts_after,
                ~PostRow.old_news,
                ~promised,
                passes(),
            )
            .group_by(PostRow.key)
            .order_by("id")
        )
        return (await self._connection.scalars(posts)).all()

    async def advance(self, digest_id: int, settled_before: datetime, rest: Collection[int] = ()) -> None:
        newest = await self._connection.scalar(
            select(func.max(PostRow.id)).where(PostRow.first_seen_at < settled_before)
        )
        start = min((newest or 0, *(post_id - 1 for post_id in rest)))
        mine = (SubscriptionRow.digest_id == digest_id) & (SubscriptionRow.starts_after < start)
        await self._connection.execute(update(SubscriptionRow).where(mine).values(starts_after=start))

    async def _many(self, where: ColumnElement[bool]) -> Sequence[Digest]:
        query = select(_digests).where(where).order_by(DigestRow.next_run_at, DigestRow.id)
        return [to_digest(row) for row in await self._connection.execute(query)]


class SqlDrafts:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, draft: Draft) -> Draft:
        values = {
            "chat_id": draft.chat_id,
            "actor": draft.actor,
            "text": draft.text,
            "everywhere": draft.everywhere,
            "state": draft.state,
            "due_at": draft.due_at,
            "created_at": draft.created_at,
        }
        added = await self._connection.execute(insert(_drafts).returning(*_drafts.c), values)
        return to_draft(added.one())

    async def get(self, draft_id: int) -> Draft | None:
        row = (await self._connection.execute(select(_drafts).where(_drafts.c.id == draft_id))).first()
        return None if row is None else to_draft(row)

    async def last_preview(self, chat_id: int, actor: str) -> Draft | None:
        mine = (DraftRow.chat_id == chat_id) & (DraftRow.actor == actor)
        newest = select(_drafts).where(mine).order_by(DraftRow.id.desc()).limit(1)
        previews = newest.where(DraftRow.state == DraftState.PREVIEW)
        row = (await self._connection.execute(previews)).first()
        return None if row is None else to_draft(row)

    async def due(self, now: datetime) -> Sequence[Draft]:
        scheduled = (DraftRow.state == DraftState.SCHEDULED) & (DraftRow.due_at <= now)
        rows = await self._connection.execute(select(_drafts).where(scheduled).order_by(DraftRow.due_at))
        return [to_draft(row) for row in rows]

    async def scheduled(self) -> Sequence[Draft]:
        rows = await self._connection.execute(
            select(_drafts).where(DraftRow.state == DraftState.SCHEDULED).order_by(DraftRow.due_at)
        )
        return [to_draft(row) for row in rows]

    async def written_since(self, actor: str, since: datetime) -> int:
        written = (DraftRow.actor == actor) & (DraftRow.created_at > since)
        return await self._connection.scalar(select(func.count()).where(written)) or 0

    async def set_state(self, draft_id: int, state: DraftState, *, everywhere: bool | None = None) -> bool:
        before = {DraftState.PREVIEW, DraftState.SCHEDULED} - {state}
        mine = (DraftRow.id == draft_id) & DraftRow.state.in_(before)
        values: dict[str, object] = {"state": state}
        if everywhere is not None:
            values["everywhere"] = everywhere
        return changed_rows(await self._connection.execute(update(DraftRow).where(mine).values(values))) > 0

    async def prune(self, before: datetime, limit: int) -> int:
        # Keep the last one: SQLite would reuse its number, which is the guid of a post of `updates`.
        last = select(func.max(DraftRow.id)).scalar_subquery()
        old = (DraftRow.state != DraftState.SCHEDULED) & (DraftRow.created_at < before)
        return await prune(self._connection, DraftRow, DraftRow.id, old & (DraftRow.id < last), limit)
