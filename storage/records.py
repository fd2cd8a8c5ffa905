"""Leases, saved searches, pages shown, questions and the audit: small tables with one purpose each."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.types import Correction, Match
from scheduler.ports import Asked, AuditEntry, Found, Shown
from scheduler.types import Place
from storage.sql import CHUNK, prune, upsert
from storage.tables import AUDIT, CHATS, LEASES, MANAGED, PEOPLE, QUESTIONS, SEARCHES, VIEWS


class SqlLeases:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(
        self, name: str, holder: str, now: datetime, until: datetime, *, force: bool
    ) -> int | None:
        first = upsert(self._connection, LEASES).values(name=name, holder="", epoch=0, until=now)
        await self._connection.execute(first.on_conflict_do_nothing())
        lease = select(LEASES).where(LEASES.c.name == name).with_for_update()
        row = (await self._connection.execute(lease)).first()
        if row is None or (row.holder not in ("", holder) and row.until > now and not force):
            return None
        epoch: int = row.epoch if row.holder == holder else row.epoch + 1
        taken = update(LEASES).where(LEASES.c.name == name)
        await self._connection.execute(taken.values(holder=holder, epoch=epoch, until=until))
        return epoch

    async def release(self, name: str, holder: str) -> None:
        mine = (LEASES.c.name == name) & (LEASES.c.holder == holder)
        await self._connection.execute(update(LEASES).where(mine).values(holder=""))


class SqlSearches:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def save(self, chat_id: int, found: Found, now: datetime) -> int:
        values = {
            "chat_id": chat_id,
            "query": found.words,
            "ids": list(found.ids),
            "total": found.total,
            "rung": found.match.rung,
            "exact": found.match.exact,
            "corrections": [[word.typed, word.meant] for word in found.match.corrections],
            "created_at": now,
        }
        return (await self._connection.scalars(insert(SEARCHES).returning(SEARCHES.c.id), values)).one()

    async def get(self, search_id: int, chat_id: int) -> Found | None:
        search = select(SEARCHES).where(SEARCHES.c.id == search_id)
        row = (await self._connection.execute(search)).first()
        if row is None or row.chat_id != chat_id:
            return None
        corrections = tuple(Correction(typed, meant) for typed, meant in row.corrections)
        return Found(row.query, tuple(row.ids), row.total, Match(row.rung, row.exact, corrections))

    async def prune(self, before: datetime, limit: int) -> int:
        # Keep the last one: SQLite would reuse its number, and buttons carry it.
        last = select(func.max(SEARCHES.c.id)).scalar_subquery()
        old = (SEARCHES.c.created_at < before) & (SEARCHES.c.id < last)
        return await prune(self._connection, SEARCHES, SEARCHES.c.id, old, limit)


class SqlViews:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def remember(self, shown: Mapping[int, Shown]) -> None:
        # In the order of ids, so that two processes cannot wait for each other's rows.
        rows = [
            {"chat_id": chat_id, "view": page.view, "pages": page.pages, "ids": list(page.ids)}
            for chat_id, page in sorted(shown.items())
        ]
        statement = upsert(self._connection, VIEWS).values(rows)
        renewed = {name: statement.excluded[name] for name in ("view", "pages", "ids")}
        renew = statement.on_conflict_do_update(index_elements=["chat_id"], set_=renewed)
        await self._connection.execute(renew)

    async def last(self, chat_id: int) -> Shown | None:
        last = select(VIEWS).where(VIEWS.c.chat_id == chat_id)
        row = (await self._connection.execute(last)).first()
        return Shown(row.view, row.pages, tuple(row.ids)) if row else None


class SqlQuestions:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def ask(self, chat_id: int, questions: Sequence[Asked], now: datetime) -> None:
        for asked in questions:
            values = {**asdict(asked), "asked_at": now}
            statement = upsert(self._connection, QUESTIONS).values(chat_id=chat_id, **values)
            key = ["chat_id", "message", "data"]
            await self._connection.execute(statement.on_conflict_do_update(index_elements=key, set_=values))

    async def of_button(self, chat_id: int, data: str) -> Asked | None:
        return await self._get((QUESTIONS.c.message == "") & (QUESTIONS.c.data == data), chat_id)

    async def of_message(self, chat_id: int, message: str) -> Asked | None:
        return await self._get(QUESTIONS.c.message == message, chat_id)

    async def _get(self, wanted: ColumnElement[bool], chat_id: int) -> Asked | None:
        asked = select(QUESTIONS).where(QUESTIONS.c.chat_id == chat_id, wanted)
        row = (await self._connection.execute(asked)).first()
        return Asked(row.data, row.prompt, row.placeholder, row.actor, row.message) if row else None

    async def prune(self, before: datetime, limit: int) -> int:
        return await prune(self._connection, QUESTIONS, QUESTIONS.c.id, QUESTIONS.c.asked_at < before, limit)


# Built once: it is asked at every command.
_LANGUAGE = (
    select(CHATS.c.language)
    .join(PEOPLE, PEOPLE.c.chat_id == CHATS.c.id)
    .where(PEOPLE.c.actor == bindparam("person"))
)


class SqlPeople:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def writes_in(self, actor: str, chat_id: int) -> None:
        known = upsert(self._connection, PEOPLE).values(actor=actor, chat_id=chat_id)
        await self._connection.execute(
            known.on_conflict_do_update(index_elements=["actor"], set_={"chat_id": chat_id})
        )

    async def language(self, actor: str) -> str:
        return await self._connection.scalar(_LANGUAGE, {"person": actor}) or ""

    async def manage(self, actor: str, chat_id: int, target_id: int | None) -> None:
        mine = (MANAGED.c.actor == actor) & (MANAGED.c.chat_id == chat_id)
        await self._connection.execute(delete(MANAGED).where(mine))
        if target_id is not None:
            row = {"actor": actor, "chat_id": chat_id, "target_id": target_id}
            await self._connection.execute(insert(MANAGED), row)

    async def managed(self, actor: str, chat_id: int) -> int | None:
        mine = (MANAGED.c.actor == actor) & (MANAGED.c.chat_id == chat_id)
        return await self._connection.scalar(select(MANAGED.c.target_id).where(mine))


class SqlAudit:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, actor: str, action: str, target: str, now: datetime) -> None:
        row = {"at": now, "actor": actor, "action": action, "target": target}
        await self._connection.execute(insert(AUDIT), row)

    async def prune(self, before: datetime, limit: int) -> int:
        return await prune(self._connection, AUDIT, AUDIT.c.id, AUDIT.c.at < before, limit)

    async def forget(self, name: str) -> None:
        mentioned = AUDIT.c.target.contains(name, autoescape=True)
        whole = re.compile(rf"(?<![\w-]){re.escape(name)}(?!\w)")  # telegram:5 is not in telegram:55
        rows = await self._connection.execute(select(AUDIT.c.id, AUDIT.c.target).where(mentioned))
        ids = [number for number, target in rows if whole.search(target)]
        for start in range(0, len(ids), CHUNK):
            await self._connection.execute(delete(AUDIT).where(AUDIT.c.id.in_(ids[start : start + CHUNK])))
        await self._connection.execute(delete(AUDIT).where(AUDIT.c.actor == name))

    async def newest(
        self,
        limit: int,
        *,
        offset: int = 0,
        since: datetime | None = None,
        action: str = "",
        place: Place | None = None,
        actor: str = "",
    ) -> Sequence[AuditEntry]:
        wanted = select(AUDIT).order_by(AUDIT.c.id.desc()).offset(offset).limit(limit)
        if actor:
            wanted = wanted.where(AUDIT.c.actor == actor)
        if since is not None:
            wanted = wanted.where(AUDIT.c.at >= since)
        if action:
            wanted = wanted.where(AUDIT.c.action == action)
        if place:
            of_place = AUDIT.c.target.startswith(f"{place} ", autoescape=True)
            wanted = wanted.where(of_place | (AUDIT.c.target == str(place)))
        rows = await self._connection.execute(wanted)
        return [AuditEntry(row.at, row.actor, row.action, row.target) for row in rows]
