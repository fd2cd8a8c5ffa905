"""Deliveries with all that belongs to them: rows of five tables, put together here."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, Dialect, Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.formats import from_json
from content.i18n import Msgid
from scheduler.types import Broadcast, Delivery, Part, Sent
from storage.chats import to_chat
from storage.prepared import Prepared, read
from storage.sql import among
from storage.tables import BROADCAST_POSTS, BROADCASTS, CHATS, DELIVERIES, LEDGER, PARTS

AnySelect: TypeAlias = Select[*tuple[Any, ...]]
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
    """What belongs to deliveries: of chats, of broadcasts, and of the deliveries themselves, by their ids."""

    chats: Prepared
    broadcasts: Prepared
    posts: Prepared
    parts: Prepared


@cache
def _details(dialect: Dialect) -> _Details:
    posts = (
        select(LEDGER.c.delivery_id, BROADCAST_POSTS.c.post_id)
        .join(DELIVERIES, DELIVERIES.c.id == LEDGER.c.delivery_id)
        .join(
            BROADCAST_POSTS,
            (BROADCAST_POSTS.c.broadcast_id == DELIVERIES.c.broadcast_id)
            & (BROADCAST_POSTS.c.post_id == LEDGER.c.post_id),
        )
        .order_by(BROADCAST_POSTS.c.position)
    )
    in_order = select(PARTS).order_by(PARTS.c.delivery_id, PARTS.c.n)
    return _Details(
        Prepared(select(CHATS).where(among(CHATS.c.id, "ids", dialect)), dialect),
        Prepared(select(BROADCASTS).where(among(BROADCASTS.c.id, "ids", dialect)), dialect),
        Prepared(posts.where(among(LEDGER.c.delivery_id, "ids", dialect)), dialect),
        Prepared(in_order.where(among(PARTS.c.delivery_id, "ids", dialect)), dialect),
    )


async def load_deliveries(connection: AsyncConnection, which: AnySelect) -> Sequence[Delivery]:
    """The deliveries that `which` selects of their table, earliest due first."""
    return await connection.run_sync(_load, which)


def _load(connection: Connection, which: AnySelect) -> Sequence[Delivery]:
    return with_details(connection, earliest_first(connection.execute(which)))


def earliest_first(rows: Iterable[AnyRow]) -> Sequence[AnyRow]:
    """Rows of deliveries in the order in which they were due."""
    return sorted(rows, key=lambda row: (row.due_at, row.id))


def with_details(connection: Connection, rows: Sequence[AnyRow]) -> Sequence[Delivery]:
    """The deliveries of rows of their table, in the same order."""
    if not rows:
        return []
    details, ids = _details(connection.dialect), [row.id for row in rows]
    chat_rows, broadcast_rows, post_rows, part_rows = read(
        connection,
        (details.chats, {"ids": list({row.chat_id for row in rows})}),
        (details.broadcasts, {"ids": list({row.broadcast_id for row in rows})}),
        (details.posts, {"ids": ids}),
        (details.parts, {"ids": ids}),
    )
    chats = {row.id: to_chat(row) for row in chat_rows}
    broadcasts = {row.id: _to_broadcast(row) for row in broadcast_rows}
    posts: dict[int, list[int]] = defaultdict(list)
    for delivery_id, post_id in post_rows:
        posts[delivery_id].append(post_id)
    parts: dict[int, list[Part]] = defaultdict(list)
    for row in part_rows:
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
