"""Digests, the posts that wait for them, and drafts."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from scheduler.types import Digest, Draft, DraftState, Mode
from storage.filters import passes
from storage.models import DigestRow, DraftRow, LedgerRow, PostRow, SourceRow, SubscriptionRow
from storage.scope import follows
from storage.sql import changed_rows, prune


def to_digest(row: DigestRow) -> Digest:
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
    )


def to_draft(row: DraftRow) -> Draft:
    return Draft(
        row.id, row.chat_id, row.actor, row.text, row.everywhere, row.state, row.due_at, row.created_at
    )


class SqlDigests:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def of(self, chat_id: int) -> Digest | None:
        found = await self._many(DigestRow.chat_id == chat_id)
        return found[0] if found else None

    async def all(self) -> Sequence[Digest]:
        return await self._many(DigestRow.id > 0)

    async def due(self, now: datetime) -> Sequence[Digest]:
        return await self._many(DigestRow.next_run_at <= now)

    async def save(self, digest: Digest) -> Digest:
        values = {
            "chat_id": digest.chat_id,
            "recurrence": digest.recurrence,
            "timezone": digest.timezone,
            "title": digest.title,
            "max_posts": digest.max_posts,
            "when_empty": digest.when_empty,
            "next_run_at": digest.next_run_at,
            "last_run_at": digest.last_run_at,
        }
        if digest.id:
            await self._session.execute(update(DigestRow).where(DigestRow.id == digest.id).values(values))
        else:
            await self._session.execute(insert(DigestRow), values)
        return (await self._many(DigestRow.chat_id == digest.chat_id))[0]

    async def remove(self, digest_id: int) -> None:
        await self._session.execute(delete(DigestRow).where(DigestRow.id == digest_id))

    async def waiting(self, chat_id: int, limit: int) -> tuple[Sequence[int], Sequence[int]]:
        promised = exists().where(LedgerRow.chat_id == chat_id, LedgerRow.post_key == PostRow.key)
        # Of several posts with the same key, the first is taken.
        posts = (
            select(func.min(PostRow.id).label("id"))
            .join(SourceRow, SourceRow.id == PostRow.source_id)
            .join(SubscriptionRow, SubscriptionRow.chat_id == chat_id)
            .where(
                SubscriptionRow.mode == Mode.DIGEST,
                follows(SourceRow),
                PostRow.id > SubscriptionRow.starts_after,
                PostRow.id > SourceRow.starts_after,
                ~PostRow.old_news,
                ~promised,
                passes(),
            )
            .group_by(PostRow.key)
            .order_by("id")
        )
        ids = (await self._session.scalars(posts)).all()
        # If there are too many, keep the newest.
        kept = ids[-limit:] if limit else []
        return kept, ids[: len(ids) - len(kept)]

    async def advance(self, chat_id: int, settled_before: datetime) -> None:
        newest = await self._session.scalar(
            select(func.max(PostRow.id)).where(PostRow.first_seen_at < settled_before)
        )
        mine = (SubscriptionRow.chat_id == chat_id) & (SubscriptionRow.mode == Mode.DIGEST)
        later = mine & (SubscriptionRow.starts_after < (newest or 0))
        await self._session.execute(update(SubscriptionRow).where(later).values(starts_after=newest or 0))

    async def _many(self, where: ColumnElement[bool]) -> Sequence[Digest]:
        query = select(DigestRow).where(where).order_by(DigestRow.next_run_at, DigestRow.id)
        rows = await self._session.scalars(query.execution_options(populate_existing=True))
        return [to_digest(row) for row in rows]


class SqlDrafts:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, draft: Draft) -> Draft:
        row = DraftRow(
            chat_id=draft.chat_id,
            actor=draft.actor,
            text=draft.text,
            everywhere=draft.everywhere,
            state=draft.state,
            due_at=draft.due_at,
            created_at=draft.created_at,
        )
        self._session.add(row)
        await self._session.flush()
        return to_draft(row)

    async def get(self, draft_id: int) -> Draft | None:
        row = await self._session.get(DraftRow, draft_id, populate_existing=True)
        return None if row is None else to_draft(row)

    async def last_preview(self, chat_id: int, actor: str) -> Draft | None:
        mine = (DraftRow.chat_id == chat_id) & (DraftRow.actor == actor)
        newest = select(DraftRow).where(mine).order_by(DraftRow.id.desc()).limit(1)
        row = await self._session.scalar(newest.where(DraftRow.state == DraftState.PREVIEW))
        return None if row is None else to_draft(row)

    async def due(self, now: datetime) -> Sequence[Draft]:
        scheduled = (DraftRow.state == DraftState.SCHEDULED) & (DraftRow.due_at <= now)
        rows = await self._session.scalars(select(DraftRow).where(scheduled).order_by(DraftRow.due_at))
        return [to_draft(row) for row in rows]

    async def scheduled(self) -> Sequence[Draft]:
        rows = await self._session.scalars(
            select(DraftRow).where(DraftRow.state == DraftState.SCHEDULED).order_by(DraftRow.due_at)
        )
        return [to_draft(row) for row in rows]

    async def written_since(self, actor: str, since: datetime) -> int:
        written = (DraftRow.actor == actor) & (DraftRow.created_at > since)
        return await self._session.scalar(select(func.count()).where(written)) or 0

    async def set_state(self, draft_id: int, state: DraftState, *, everywhere: bool | None = None) -> bool:
        before = {DraftState.PREVIEW, DraftState.SCHEDULED} - {state}
        mine = (DraftRow.id == draft_id) & DraftRow.state.in_(before)
        values: dict[str, object] = {"state": state}
        if everywhere is not None:
            values["everywhere"] = everywhere
        return changed_rows(await self._session.execute(update(DraftRow).where(mine).values(values))) > 0

    async def prune(self, before: datetime, limit: int) -> int:
        # Keep the last one: SQLite would reuse its number, which is the guid of a post of `updates`.
        last = select(func.max(DraftRow.id)).scalar_subquery()
        old = (DraftRow.state != DraftState.SCHEDULED) & (DraftRow.created_at < before)
        return await prune(self._session, DraftRow, DraftRow.id, old & (DraftRow.id < last), limit)
