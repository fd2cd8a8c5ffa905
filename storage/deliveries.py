"""Deliveries with all that belongs to them: rows of five tables, put together here.

Read as plain columns: for a few hundred at a time, ORM entities cost several times as much.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import BindParameter, Connection, Row, Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from content.formats import from_json
from content.i18n import Msgid
from scheduler.types import Broadcast, Delivery, Part, Sent
from storage.chats import to_chat
from storage.models import BroadcastPostRow, BroadcastRow, ChatRow, DeliveryRow, LedgerRow, PartRow
from storage.sql import table_of

AnySelect: TypeAlias = Select[*tuple[Any, ...]]
Rows: TypeAlias = AnySelect | ReturningUpdate[*tuple[Any, ...]]
AnyRow: TypeAlias = Row[*tuple[Any, ...]]


def _to_part(row: AnyRow) -> Part:
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


MSGID = "msgid"  # the key of a value that is translated for each reader


def from_values(values: Mapping[str, str | int]) -> dict[str, Any]:
    """The values of a notice's fields, as they are stored."""
    return {name: {MSGID: one} if isinstance(one, Msgid) else one for name, one in values.items()}


def _to_values(stored: Mapping[str, Any]) -> dict[str, str | int]:
    return {name: Msgid(one[MSGID]) if isinstance(one, dict) else one for name, one in stored.items()}


def _to_broadcast(row: AnyRow) -> Broadcast:
    """A broadcast without its posts: which of them a delivery carries is in the ledger."""
    return Broadcast(
        row.kind,
        title=row.title,
        more=row.more,
        body=row.body,
        values=_to_values(row.body_values),
        digest_id=row.digest_id,
        slot=row.slot,
    )


# Built once: building a statement costs more than running it.
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
BY_ID = select(table_of(DeliveryRow)).where(DeliveryRow.id.in_(_IDS))
_CHATS = select(table_of(ChatRow)).where(ChatRow.id.in_(_IDS))
_BROADCASTS = select(table_of(BroadcastRow)).where(BroadcastRow.id.in_(_IDS))
_POSTS = (
    select(LedgerRow.delivery_id, BroadcastPostRow.post_id)
    .join(DeliveryRow, DeliveryRow.id == LedgerRow.delivery_id)
    .join(
        BroadcastPostRow,
        (BroadcastPostRow.broadcast_id == DeliveryRow.broadcast_id)
        & (BroadcastPostRow.post_id == LedgerRow.post_id),
    )
    .where(LedgerRow.delivery_id.in_(_IDS))
    .order_by(BroadcastPostRow.position)
)
_PARTS = (
    select(table_of(PartRow)).where(PartRow.delivery_id.in_(_IDS)).order_by(PartRow.delivery_id, PartRow.n)
)


async def load_deliveries(
    connection: AsyncConnection, which: Rows, values: Mapping[str, Any] | None = None
) -> Sequence[Delivery]:
    """The deliveries that `which` selects or updates in their table, earliest due first."""
    return await connection.run_sync(_load, which, values)


def _load(connection: Connection, which: Rows, values: Mapping[str, Any] | None) -> Sequence[Delivery]:
    def rows_of(statement: AnySelect, ids: Collection[int]) -> Sequence[AnyRow]:
        return connection.execute(statement, {"ids": list(ids)}).all()

    rows = sorted(connection.execute(which, values).all(), key=lambda row: (row.due_at, row.id))
    if not rows:
        return []
    ids = [row.id for row in rows]
    chats = {row.id: to_chat(row) for row in rows_of(_CHATS, {row.chat_id for row in rows})}
    found = rows_of(_BROADCASTS, {row.broadcast_id for row in rows})
    broadcasts = {row.id: _to_broadcast(row) for row in found}
    posts: dict[int, list[int]] = defaultdict(list)
    for delivery_id, post_id in rows_of(_POSTS, ids):
        posts[delivery_id].append(post_id)
    parts: dict[int, list[Part]] = defaultdict(list)
    for row in rows_of(_PARTS, ids):
        parts[row.delivery_id].append(_to_part(row))
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
            choices=from_json(row.choices),
        )
        for row in rows
    ]
