"""What people are shown of the outbox: deliveries, and counts made by the database."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from scheduler.ports import DeliveryFilter
from scheduler.types import OPEN, Delivery, DeliveryState, Headline, Progress
from storage.deliveries import load_deliveries
from storage.models import BroadcastPostRow, BroadcastRow, DeliveryRow, PartRow, PostRow
from storage.sql import CHUNK, is_open, table_of

FAILED = (DeliveryState.FAILED, DeliveryState.HELD)

_deliveries = table_of(DeliveryRow)


def matching(which: DeliveryFilter) -> ColumnElement[bool]:
    """The condition that selects the deliveries of a filter."""
    where: ColumnElement[bool] = DeliveryRow.id > 0
    if which.states is not None:
        where &= DeliveryRow.state.in_(which.states)
    if which.chat_id is not None:
        where &= DeliveryRow.chat_id == which.chat_id
    if which.broadcast_id is not None:
        where &= DeliveryRow.broadcast_id == which.broadcast_id
    if which.reason is not None:
        where &= DeliveryRow.reason.icontains(which.reason, autoescape=True)
    return where


def _count(*states: DeliveryState) -> Any:
    return func.sum(case((DeliveryRow.state.in_(states), 1), else_=0))


class Overview:
    """The outbox as people look at it."""

    _connection: AsyncConnection

    async def find(self, which: DeliveryFilter, limit: int) -> Sequence[Delivery]:
        newest = select(_deliveries).where(matching(which)).order_by(_deliveries.c.id.desc()).limit(limit)
        found = await load_deliveries(self._connection, newest)
        return sorted(found, key=lambda delivery: delivery.id, reverse=True)

    async def counts(self) -> Mapping[DeliveryState, int]:
        rows = await self._connection.execute(
            select(DeliveryRow.state, func.count()).group_by(DeliveryRow.state)
        )
        return {row[0]: row[1] for row in rows}

    async def unknowns(self) -> int:
        return await self._connection.scalar(select(func.sum(PartRow.unknowns))) or 0

    async def progress(self, limit: int) -> Sequence[Progress]:
        shown = await self._shown(limit)
        unknowns, headlines = await self._unknowns_of(shown), await self.headlines(shown)
        counted = (
            select(
                BroadcastRow.id,
                BroadcastRow.kind,
                DeliveryRow.platform,
                _count(DeliveryState.SENT),
                _count(*OPEN),
                _count(*FAILED),
                _count(DeliveryState.CANCELLED),
            )
            .join(DeliveryRow, DeliveryRow.broadcast_id == BroadcastRow.id)
            .where(BroadcastRow.id.in_(shown))
            .group_by(BroadcastRow.id, DeliveryRow.platform)
            .order_by(BroadcastRow.id.desc(), DeliveryRow.platform)
        )
        return [
            Progress(
                broadcast_id=number,
                kind=kind,
                platform=platform,
                created_at=headlines[number].made_at,
                name=headlines[number].title,
                sent=sent,
                pending=pending,
                failed=failed,
                cancelled=cancelled,
                unknown=unknowns.get((number, platform), 0),
            )
            for number, kind, platform, sent, pending, failed, cancelled in (
                await self._connection.execute(counted)
            )
        ]

    async def _shown(self, limit: int) -> Sequence[int]:
        newest = select(BroadcastRow.id).order_by(BroadcastRow.id.desc()).limit(limit)
        busy = select(DeliveryRow.broadcast_id).where(is_open(DeliveryRow.state)).distinct()
        both = select(BroadcastRow.id).where(or_(BroadcastRow.id.in_(newest), BroadcastRow.id.in_(busy)))
        return (await self._connection.scalars(both)).all()

    async def _unknowns_of(self, shown: Sequence[int]) -> Mapping[tuple[int, str], int]:
        query: Select[int, str, int] = (
            select(DeliveryRow.broadcast_id, DeliveryRow.platform, func.sum(PartRow.unknowns))
            .join(PartRow, PartRow.delivery_id == DeliveryRow.id)
            .where(DeliveryRow.broadcast_id.in_(shown), PartRow.unknowns > 0)
            .group_by(DeliveryRow.broadcast_id, DeliveryRow.platform)
        )
        rows = await self._connection.execute(query)
        return {(number, platform): count for number, platform, count in rows}

    async def headlines(self, broadcasts: Collection[int]) -> Mapping[int, Headline]:
        first = (BroadcastPostRow.broadcast_id == BroadcastRow.id) & (BroadcastPostRow.position == 0)
        query = (
            select(
                BroadcastRow.id, BroadcastRow.title, BroadcastRow.body, PostRow.title, BroadcastRow.created_at
            )
            .outerjoin(BroadcastPostRow, first)
            .outerjoin(PostRow, PostRow.id == BroadcastPostRow.post_id)
        )
        found: dict[int, Headline] = {}
        numbers = list(broadcasts)
        for start in range(0, len(numbers), CHUNK):
            rows = await self._connection.execute(
                query.where(BroadcastRow.id.in_(numbers[start : start + CHUNK]))
            )
            for number, title, body, first_title, made_at in rows:
                found[number] = Headline(title or first_title or body.split("\n")[0], made_at)
        return found
