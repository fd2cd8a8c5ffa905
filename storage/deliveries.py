"""Deliveries with all that belongs to them: rows of five tables, put together here.

Read as plain columns: for a few hundred at a time, ORM entities cost several times as much.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, Dialect, Row, Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningUpdate

from content.formats import from_json
from content.i18n import Msgid
from scheduler.types import Broadcast, Delivery, Part, Sent
from storage.chats import to_chat
from storage.models import BroadcastPostRow, BroadcastRow, ChatRow, DeliveryRow, LedgerRow, PartRow
from storage.sql import among, table_of

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


class _Details(NamedTuple):
    """What belongs to some deliveries, as statements. To build a statement costs more than to run it."""

    chats: AnySelect
    broadcasts: AnySelect
    posts: AnySelect
    parts: AnySelect


@cache
def _details(dialect: Dialect) -> _Details:
    """The statements; `ids` are those of the chats, of the broadcasts, and of the deliveries."""
    chats, broadcasts, parts = table_of(ChatRow), table_of(BroadcastRow), table_of(PartRow)
    ledger, carried, deliveries = table_of(LedgerRow), table_of(BroadcastPostRow), table_of(DeliveryRow)
    of_broadcast = (carried.c.broadcast_id == deliveries.c.broadcast_id) & (
        carried.c.post_id == ledger.c.post_id
    )
    posts = (
        select(ledger.c.delivery_id, carried.c.post_id)
        .join(deliveries, deliveries.c.id == ledger.c.delivery_id)
        .join(carried, of_broadcast)
    )
    return _Details(
        select(chats).where(among(chats.c.id, "ids", dialect)),
        select(broadcasts).where(among(broadcasts.c.id, "ids", dialect)),
        posts.where(among(ledger.c.delivery_id, "ids", dialect)).order_by(carried.c.position),
        select(parts)
        .where(among(parts.c.delivery_id, "ids", dialect))
        .order_by(parts.c.delivery_id, parts.c.n),
    )


async def load_deliveries(
    session: AsyncSession, which: Rows, values: Mapping[str, Any] | None = None
) -> Sequence[Delivery]:
    """The deliveries that `which` selects or updates in their table, earliest due first."""
    return await session.run_sync(lambda session: _load(session.connection(), which, values))


def _load(connection: Connection, which: Rows, values: Mapping[str, Any] | None) -> Sequence[Delivery]:
    def rows_of(statement: AnySelect, ids: Collection[int]) -> Sequence[AnyRow]:
        return connection.execute(statement, {"ids": list(ids)}).all()

    rows = sorted(connection.execute(which, values).all(), key=lambda row: (row.due_at, row.id))
    if not rows:
        return []
    ids, details = [row.id for row in rows], _details(connection.dialect)
    chats = {row.id: to_chat(row) for row in rows_of(details.chats, {row.chat_id for row in rows})}
    found = rows_of(details.broadcasts, {row.broadcast_id for row in rows})
    broadcasts = {row.id: _to_broadcast(row) for row in found}
    posts: dict[int, list[int]] = defaultdict(list)
    for delivery_id, post_id in rows_of(details.posts, ids):
        posts[delivery_id].append(post_id)
    parts: dict[int, list[Part]] = defaultdict(list)
    for row in rows_of(details.parts, ids):
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
