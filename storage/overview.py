"""What people are shown of the outbox: deliveries, and counts made by the database."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from scheduler.ports import DeliveryFilter
from scheduler.types import OPEN, Delivery, DeliveryState, Headline, Progress
from storage.deliveries import load_deliveries
from storage.sql import CHUNK, is_open
from storage.tables import BROADCAST_POSTS, BROADCASTS, DELIVERIES, PARTS, POSTS

FAILED = (DeliveryState.FAILED, DeliveryState.HELD)


def matching(which: DeliveryFilter) -> ColumnElement[bool]:
    """The condition that selects the deliveries of a filter."""
    where: ColumnElement[bool] = DELIVERIES.c.id > 0
    if which.states is not None:
        where &= DELIVERIES.c.state.in_(which.states)
    if which.chat_id is not None:
        where &= DELIVERIES.c.chat_id == which.chat_id
    if which.broadcast_id is not None:
        where &= DELIVERIES.c.broadcast_id == which.broadcast_id
    if which.reason is not None:
        where &= DELIVERIES.c.reason.icontains(which.reason, autoescape=True)
    return where


def _count(*states: DeliveryState) -> Any:
    return func.sum(case((DELIVERIES.c.state.in_(states), 1), else_=0))


class Overview:
    """The outbox as people look at it."""

    _connection: AsyncConnection

    async def find(self, which: DeliveryFilter, limit: int) -> Sequence[Delivery]:
        newest = select(DELIVERIES).where(matching(which)).order_by(DELIVERIES.c.id.desc()).limit(limit)
        found = await load_deliveries(self._connection, newest)
        return sorted(found, key=lambda delivery: delivery.id, reverse=True)

    async def counts(self) -> Mapping[DeliveryState, int]:
        rows = await self._connection.execute(
            select(DELIVERIES.c.state, func.count()).group_by(DELIVERIES.c.state)
        )
        return {row[0]: row[1] for row in rows}

    async def unknowns(self) -> int:
        return await self._connection.scalar(select(func.sum(PARTS.c.unknowns))) or 0

    async def progress(self, limit: int) -> Sequence[Progress]:
        shown = await self._shown(limit)
        unknowns, headlines = await self._unknowns_of(shown), await self.headlines(shown)
        counted = (
            select(
                BROADCASTS.c.id,
                BROADCASTS.c.kind,
                DELIVERIES.c.platform,
                _count(DeliveryState.SENT),
                _count(*OPEN),
                _count(*FAILED),
                _count(DeliveryState.CANCELLED),
            )
            .join(DELIVERIES, DELIVERIES.c.broadcast_id == BROADCASTS.c.id)
            .where(BROADCASTS.c.id.in_(shown))
            .group_by(BROADCASTS.c.id, DELIVERIES.c.platform)
            .order_by(BROADCASTS.c.id.desc(), DELIVERIES.c.platform)
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
        newest = select(BROADCASTS.c.id).order_by(BROADCASTS.c.id.desc()).limit(limit)
        busy = select(DELIVERIES.c.broadcast_id).where(is_open(DELIVERIES.c.state)).distinct()
        both = select(BROADCASTS.c.id).where(or_(BROADCASTS.c.id.in_(newest), BROADCASTS.c.id.in_(busy)))
        return (await self._connection.scalars(both)).all()

    async def _unknowns_of(self, shown: Sequence[int]) -> Mapping[tuple[int, str], int]:
        query: Select[int, str, int] = (
            select(DELIVERIES.c.broadcast_id, DELIVERIES.c.platform, func.sum(PARTS.c.unknowns))
            .join(PARTS, PARTS.c.delivery_id == DELIVERIES.c.id)
            .where(DELIVERIES.c.broadcast_id.in_(shown), PARTS.c.unknowns > 0)
            .group_by(DELIVERIES.c.broadcast_id, DELIVERIES.c.platform)
        )
        rows = await self._connection.execute(query)
        return {(number, platform): count for number, platform, count in rows}

    async def headlines(self, broadcasts: Collection[int]) -> Mapping[int, Headline]:
        first = (BROADCAST_POSTS.c.broadcast_id == BROADCASTS.c.id) & (BROADCAST_POSTS.c.position == 0)
        query = (
            select(
                BROADCASTS.c.id, BROADCASTS.c.title, BROADCASTS.c.body, POSTS.c.title, BROADCASTS.c.created_at
            )
            .outerjoin(BROADCAST_POSTS, first)
            .outerjoin(POSTS, POSTS.c.id == BROADCAST_POSTS.c.post_id)
        )
        found: dict[int, Headline] = {}
        numbers = list(broadcasts)
        for start in range(0, len(numbers), CHUNK):
            rows = await self._connection.execute(
                query.where(BROADCASTS.c.id.in_(numbers[start : start + CHUNK]))
            )
            for number, title, body, first_title, made_at in rows:
                found[number] = Headline(title or first_title or body.split("\n")[0], made_at)
        return found
