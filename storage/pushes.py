"""The repository of pushes."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from scheduler.push.pushes import Push, PushKind, PushState
from storage.sources import is_polled, is_unfollowed
from storage.tables import PUSHES, SOURCES

# What is not yet over: it is ended when its source is no longer read.
OPEN = (PushState.WANTED, PushState.ASKED, PushState.ACTIVE, PushState.RENEWING, PushState.DENIED)


def to_push(row: Row[Any]) -> Push:
    return Push(
        id=row.id,
        source_id=row.source_id,
        kind=row.kind,
        token=row.token,
        secret=row.secret,
        hub=row.hub,
        topic=row.topic,
        state=row.state,
        next_at=row.next_at,
        lease_until=row.lease_until,
        last_at=row.last_at,
        seen=tuple(row.seen),
        failures=row.failures,
        reason=row.reason,
    )


def _values(push: Push) -> dict[str, Any]:
    values = asdict(push) | {"seen": list(push.seen)}
    del values["id"]
    return values


class SqlPushes:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, push: Push) -> Push:
        row = await self._connection.execute(insert(PUSHES).returning(PUSHES), _values(push))
        return to_push(row.one())

    async def all(self) -> Sequence[Push]:
        rows = await self._connection.execute(select(PUSHES).order_by(PUSHES.c.id))
        return [to_push(row) for row in rows]

    async def get(self, push_id: int) -> Push | None:
        return await self._one(PUSHES.c.id == push_id)

    async def of_source(self, source_id: int) -> Push | None:
        return await self._one(PUSHES.c.source_id == source_id)

    async def by_token(self, kind: PushKind, token: str) -> Push | None:
        return await self._one((PUSHES.c.kind == kind) & (PUSHES.c.token == token))

    async def due(self, now: datetime, limit: int) -> Sequence[tuple[Push, bool]]:
        read = exists().where(SOURCES.c.id == PUSHES.c.source_id, is_polled(), ~is_unfollowed())
        read = read.correlate_except(SOURCES)
        is_due = or_(
            PUSHES.c.next_at <= now,
            PUSHES.c.state.in_(OPEN) & ~read,
            (PUSHES.c.state == PushState.ENDED) & read,
            (PUSHES.c.state == PushState.ENDED) & PUSHES.c.source_id.is_(None),
        )
        wanted = select(PUSHES, read.label("is_read")).where(PUSHES.c.kind == PushKind.WEBSUB, is_due)
        in_order = wanted.order_by(PUSHES.c.next_at.nulls_first(), PUSHES.c.id)
        rows = await self._connection.execute(in_order.limit(limit))
        return [(to_push(row), row.is_read) for row in rows]

    async def save(self, push: Push) -> None:
        await self._connection.execute(update(PUSHES).where(PUSHES.c.id == push.id).values(_values(push)))

    async def remove(self, push_id: int) -> None:
        await self._connection.execute(delete(PUSHES).where(PUSHES.c.id == push_id))

    async def _one(self, where: ColumnElement[bool]) -> Push | None:
        row = (await self._connection.execute(select(PUSHES).where(where))).first()
        return None if row is None else to_push(row)
