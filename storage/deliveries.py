"""Deliveries as the dispatcher takes them up: rows of five tables, put together here.

Read as plain columns: for some hundred at a time, entities of the ORM cost several times as much.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from scheduler.types import Broadcast, Chat, Delivery, Part, Sent
from storage.chats import to_chat
from storage.models import BroadcastPostRow, BroadcastRow, ChatRow, DeliveryRow, LedgerRow, PartRow


def to_part(row: Row[Any]) -> Part:
    sent = row.sent and Sent(row.sent["address"], tuple(row.sent["message_ids"]), row.sent["opened"])
    return Part(
        row.delivery_id,
        row.n,
        row.form,
        row.state,
        tuple(row.posts),
        row.fingerprint,
        sent or None,
        row.unknowns,
        row.begun_at,
    )


def to_broadcast(row: Row[Any]) -> Broadcast:
    """A broadcast as its deliveries know it: which posts are theirs says the ledger."""
    return Broadcast(
        row.kind, title=row.title, more=row.more, body=row.body, digest_id=row.digest_id, slot=row.slot
    )


class Deliveries:
    """Reads deliveries with all that belongs to them."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def load(self, where: ColumnElement[bool], limit: int | None = None) -> Sequence[Delivery]:
        """Those that meet the condition, the longest due first."""
        query = select(DeliveryRow.__table__).where(where).order_by(DeliveryRow.due_at, DeliveryRow.id)
        rows = await self._rows(query.limit(limit))
        if not rows:
            return []
        ids = [row.id for row in rows]
        chats = await self._chats({row.chat_id for row in rows})
        broadcasts = await self._broadcasts({row.broadcast_id for row in rows})
        posts, parts = await self._posts(ids), await self._parts(ids)
        return [
            Delivery(
                id=row.id,
                broadcast_id=row.broadcast_id,
                broadcast=broadcasts[row.broadcast_id],
                chat=chats[row.chat_id],
                state=row.state,
                attempts=row.attempts,
                due_at=row.due_at,
                form=row.form,
                reason=row.reason,
                posts=tuple(posts[row.id]),
                parts=tuple(parts[row.id]),
            )
            for row in rows
        ]

    async def _rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        return (await self._session.execute(query)).all()

    async def _chats(self, ids: set[int]) -> Mapping[int, Chat]:
        query = select(ChatRow.__table__).where(ChatRow.id.in_(ids))
        return {row.id: to_chat(row) for row in await self._rows(query)}

    async def _broadcasts(self, ids: set[int]) -> Mapping[int, Broadcast]:
        query = select(BroadcastRow.__table__).where(BroadcastRow.id.in_(ids))
        return {row.id: to_broadcast(row) for row in await self._rows(query)}

    async def _posts(self, ids: Sequence[int]) -> Mapping[int, list[int]]:
        query = (
            select(LedgerRow.delivery_id, BroadcastPostRow.post_id)
            .join(DeliveryRow, DeliveryRow.id == LedgerRow.delivery_id)
            .join(
                BroadcastPostRow,
                (BroadcastPostRow.broadcast_id == DeliveryRow.broadcast_id)
                & (BroadcastPostRow.post_id == LedgerRow.post_id),
            )
            .where(LedgerRow.delivery_id.in_(ids))
            .order_by(BroadcastPostRow.position)
        )
        posts: dict[int, list[int]] = defaultdict(list)
        for delivery_id, post_id in await self._rows(query):
            posts[delivery_id].append(post_id)
        return posts

    async def _parts(self, ids: Sequence[int]) -> Mapping[int, list[Part]]:
        table = PartRow.__table__
        query = select(table).where(PartRow.delivery_id.in_(ids)).order_by(PartRow.delivery_id, PartRow.n)
        parts: dict[int, list[Part]] = defaultdict(list)
        for row in await self._rows(query):
            parts[row.delivery_id].append(to_part(row))
        return parts
