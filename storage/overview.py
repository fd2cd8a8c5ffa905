"""How far broadcasts have come: counts made by the database."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from scheduler.types import OPEN, DeliveryState, Headline, Progress
from storage.models import BroadcastPostRow, BroadcastRow, DeliveryRow, PartRow, PostRow
from storage.sql import CHUNK, is_open

FAILED = (DeliveryState.FAILED, DeliveryState.HELD)


def _count(*states: DeliveryState) -> Any:
    return func.sum(case((DeliveryRow.state.in_(states), 1), else_=0))


class Overview:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def progress(self, limit: int) -> Sequence[Progress]:
        shown = await self._shown(limit)
        unknowns, headlines = await self._unknowns(shown), await self.headlines(shown)
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
                await self._session.execute(counted)
            )
        ]

    async def _shown(self, limit: int) -> Sequence[int]:
        newest = select(BroadcastRow.id).order_by(BroadcastRow.id.desc()).limit(limit)
        busy = select(DeliveryRow.broadcast_id).where(is_open(DeliveryRow.state)).distinct()
        both = select(BroadcastRow.id).where(or_(BroadcastRow.id.in_(newest), BroadcastRow.id.in_(busy)))
        return (await self._session.scalars(both)).all()

    async def _unknowns(self, shown: Sequence[int]) -> Mapping[tuple[int, str], int]:
        query: Select[int, str, int] = (
            select(DeliveryRow.broadcast_id, DeliveryRow.platform, func.sum(PartRow.unknowns))
            .join(PartRow, PartRow.delivery_id == DeliveryRow.id)
            .where(DeliveryRow.broadcast_id.in_(shown), PartRow.unknowns > 0)
            .group_by(DeliveryRow.broadcast_id, DeliveryRow.platform)
        )
        rows = await self._session.execute(query)
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
            rows = await self._session.execute(
                query.where(BroadcastRow.id.in_(numbers[start : start + CHUNK]))
            )
            for number, title, body, first_title, made_at in rows:
                found[number] = Headline(title or first_title or body.split("\n")[0], made_at)
        return found
