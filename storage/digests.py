"""Digests, the posts that wait for them or for the end of quiet hours, and drafts."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from scheduler.types import Digest, Draft, DraftState, Subscription
from storage.filters import passes
from storage.scope import follows, waits
from storage.sql import changed_rows, prune, reserve_alone
from storage.tables import DIGESTS, DRAFTS, LEDGER, POSTS, SOURCES, SUBSCRIPTIONS


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
        return sorted(await self._many(DIGESTS.c.chat_id == chat_id), key=lambda digest: digest.id)

    async def get(self, digest_id: int) -> Digest | None:
        found = await self._many(DIGESTS.c.id == digest_id)
        return found[0] if found else None

    async def all(self) -> Sequence[Digest]:
        return await self._many(DIGESTS.c.id > 0)

    async def due(self, now: datetime) -> Sequence[Digest]:
        return await self._many((DIGESTS.c.next_run_at <= now) & ~DIGESTS.c.paused)

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
            await self._connection.execute(update(DIGESTS).where(DIGESTS.c.id == digest.id).values(values))
        else:
            await self._connection.execute(insert(DIGESTS), values)
        named = (DIGESTS.c.chat_id == digest.chat_id) & (DIGESTS.c.name == digest.name)
        return (await self._many(named))[0]

    async def remove(self, digest_id: int) -> None:
        mine = update(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.digest_id == digest_id)
        await self._connection.execute(mine.values(digest_id=None))
        await self._connection.execute(delete(DIGESTS).where(DIGESTS.c.id == digest_id))

    async def waiting(self, digest: Digest, subscriptions: Collection[int] | None = None) -> Sequence[int]:
        mine = [SUBSCRIPTIONS.c.digest_id == digest.id, waits()]
        if subscriptions is not None:
            mine.append(SUBSCRIPTIONS.c.id.in_(subscriptions))
        return await self._unsent(digest.chat_id, *mine)

    async def held(self, chat_id: int) -> Sequence[int]:
        await reserve_alone(self._connection)  # a post that is being stored is either held or sent at once
        return await self._unsent(chat_id, SUBSCRIPTIONS.c.digest_id.is_(None), waits())

    async def unsent(self, chat_id: int) -> Sequence[int]:
        return await self._unsent(chat_id, waits())

    async def paused(self, subscription: Subscription) -> Sequence[int]:
        await reserve_alone(self._connection)
        since = POSTS.c.id > SUBSCRIPTIONS.c.paused_after
        return await self._unsent(subscription.chat_id, SUBSCRIPTIONS.c.id == subscription.id, since)

    async def _unsent(self, chat_id: int, *conditions: ColumnElement[bool]) -> Sequence[int]:
        """Posts of subscriptions of a chat that its ledger does not have, oldest first."""
        promised = exists().where(LEDGER.c.chat_id == chat_id, LEDGER.c.post_key == POSTS.c.key)
        # Of several posts with the same key, the first is taken.
        posts = (
            select(func.min(POSTS.c.id).label("id"))
            .join(SOURCES, SOURCES.c.id == POSTS.c.source_id)
            .join(SUBSCRIPTIONS, SUBSCRIPTIONS.c.chat_id == chat_id)
            .where(
                *conditions,
                follows(),
                POSTS.c.id > SUBSCRIPTIONS.c.starts_after,
                POSTS.c.id > SOURCES.c.starts_after,
                ~POSTS.c.old_news,
                ~promised,
                passes(),
            )
            .group_by(POSTS.c.key)
            .order_by("id")
        )
        return (await self._connection.scalars(posts)).all()

    async def advance(self, digest_id: int, settled_before: datetime, rest: Collection[int] = ()) -> None:
        newest = await self._connection.scalar(
            select(func.max(POSTS.c.id)).where(POSTS.c.first_seen_at < settled_before)
        )
        start = min((newest or 0, *(post_id - 1 for post_id in rest)))
        mine = (SUBSCRIPTIONS.c.digest_id == digest_id) & (SUBSCRIPTIONS.c.starts_after < start)
        await self._connection.execute(update(SUBSCRIPTIONS).where(mine).values(starts_after=start))

    async def _many(self, where: ColumnElement[bool]) -> Sequence[Digest]:
        query = select(DIGESTS).where(where).order_by(DIGESTS.c.next_run_at, DIGESTS.c.id)
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
        added = await self._connection.execute(insert(DRAFTS).returning(DRAFTS), values)
        return to_draft(added.one())

    async def get(self, draft_id: int) -> Draft | None:
        row = (await self._connection.execute(select(DRAFTS).where(DRAFTS.c.id == draft_id))).first()
        return None if row is None else to_draft(row)

    async def last_preview(self, chat_id: int, actor: str) -> Draft | None:
        mine = (DRAFTS.c.chat_id == chat_id) & (DRAFTS.c.actor == actor)
        newest = select(DRAFTS).where(mine).order_by(DRAFTS.c.id.desc()).limit(1)
        previews = newest.where(DRAFTS.c.state == DraftState.PREVIEW)
        row = (await self._connection.execute(previews)).first()
        return None if row is None else to_draft(row)

    async def due(self, now: datetime) -> Sequence[Draft]:
        scheduled = (DRAFTS.c.state == DraftState.SCHEDULED) & (DRAFTS.c.due_at <= now)
        rows = await self._connection.execute(select(DRAFTS).where(scheduled).order_by(DRAFTS.c.due_at))
        return [to_draft(row) for row in rows]

    async def scheduled(self) -> Sequence[Draft]:
        rows = await self._connection.execute(
            select(DRAFTS).where(DRAFTS.c.state == DraftState.SCHEDULED).order_by(DRAFTS.c.due_at)
        )
        return [to_draft(row) for row in rows]

    async def written_since(self, actor: str, since: datetime) -> int:
        written = (DRAFTS.c.actor == actor) & (DRAFTS.c.created_at > since)
        return await self._connection.scalar(select(func.count()).where(written)) or 0

    async def set_state(self, draft_id: int, state: DraftState, *, everywhere: bool | None = None) -> bool:
        before = {DraftState.PREVIEW, DraftState.SCHEDULED} - {state}
        mine = (DRAFTS.c.id == draft_id) & DRAFTS.c.state.in_(before)
        values: dict[str, object] = {"state": state}
        if everywhere is not None:
            values["everywhere"] = everywhere
        return changed_rows(await self._connection.execute(update(DRAFTS).where(mine).values(values))) > 0

    async def prune(self, before: datetime, limit: int) -> int:
        # Keep the last one: SQLite would reuse its number, which is the guid of a post of `updates`.
        last = select(func.max(DRAFTS.c.id)).scalar_subquery()
        old = (DRAFTS.c.state != DraftState.SCHEDULED) & (DRAFTS.c.created_at < before)
        return await prune(self._connection, DRAFTS, DRAFTS.c.id, old & (DRAFTS.c.id < last), limit)
