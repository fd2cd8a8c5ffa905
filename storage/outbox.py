"""The outbox: broadcasts, deliveries, their parts, and the ledger of what each chat has been sent."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Insert,
    bindparam,
    delete,
    exists,
    insert,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from scheduler.ports import Closed, DeliveryFilter
from scheduler.types import (
    Broadcast,
    ChatAccess,
    Delivery,
    DeliveryState,
    LedgerState,
    Message,
    PartState,
)
from storage.deliveries import earliest_first, from_values, load_deliveries, with_details
from storage.fanout import FanOut
from storage.outcomes import Outcomes
from storage.overview import Overview, matching
from storage.prepared import Prepared, read
from storage.sql import CHUNK, insert_into, is_open, literally, prune, reserve_alone, upsert
from storage.tables import (
    BROADCAST_POSTS,
    BROADCASTS,
    CHATS,
    DELIVERIES,
    LEASES,
    LEDGER,
    PARTS,
    POSTS,
    RENDERINGS,
)

_older, _busy = DELIVERIES.alias("older"), DELIVERIES.alias("busy")


@cache
def _holder(dialect: Dialect) -> Prepared:
    """Locks the lease: a process that takes it over waits for the old holder's open claims, its last ones."""
    of_platform = select(LEASES.c.epoch).where(LEASES.c.name == bindparam("on"))
    return Prepared(of_platform.with_for_update(read=True), dialect)


def _claim(*conditions: ColumnElement[bool]) -> ReturningUpdate[*tuple[Any, ...]]:
    """Claim the deliveries that are due, earliest first, as far as the conditions allow."""
    due = (
        select(DELIVERIES.c.id)
        .where(
            DELIVERIES.c.platform == bindparam("on"),
            DELIVERIES.c.state == literally(DeliveryState.PENDING),
            DELIVERIES.c.due_at <= bindparam("now"),
            *conditions,
            ~exists().where(
                _older.c.chat_id == DELIVERIES.c.chat_id,
                _older.c.id < DELIVERIES.c.id,
                is_open(_older.c.state),
            ),
            # A later one may be in flight: an earlier one that had failed was opened again meanwhile.
            ~exists().where(
                _busy.c.chat_id == DELIVERIES.c.chat_id,
                is_open(_busy.c.state),  # for the index
                _busy.c.state == literally(DeliveryState.CLAIMED),
            ),
        )
        .order_by(DELIVERIES.c.due_at, DELIVERIES.c.id)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)  # PostgreSQL: somebody may be cancelling one of them
        .cte("due")
    )
    return (
        update(DELIVERIES)
        .where(DELIVERIES.c.id.in_(select(due.c.id)))
        .values(state=literally(DeliveryState.CLAIMED), epoch=bindparam("holder"))
        .returning(*DELIVERIES.c)
    )


@cache
def _claims(dialect: Dialect) -> tuple[Prepared, Prepared]:
    """Claims deliveries that were tried before, or had to wait; and any. The first have a reason."""
    again = DELIVERIES.c.reason != literal_column("''")
    return Prepared(_claim(again), dialect), Prepared(_claim(), dialect)


def _claim_due(
    connection: Connection, platform: str, now: datetime, limit: int, epoch: int
) -> Sequence[Delivery]:
    (leases,) = read(connection, (_holder(connection.dialect), {"on": platform}))
    if any(lease.epoch > epoch for lease in leases):
        return []
    claimed: list[Any] = []
    for claim in _claims(connection.dialect):
        if (most := limit - len(claimed)) > 0:
            due = {"on": platform, "now": now, "holder": epoch, "most": most}
            (rows,) = read(connection, (claim, due))
            claimed += earliest_first(rows)
    return with_details(connection, claimed)


@cache
def _make(dialect: Dialect) -> Insert:
    made = insert_into(BROADCASTS, dialect).on_conflict_do_nothing()
    return made.returning(BROADCASTS.c.id)


class SqlOutbox(FanOut, Outcomes, Overview):
    """The outbox: its bases fan out, record and look; claims and what people change are here."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    # Broadcasts

    async def broadcast(self, broadcast: Broadcast, now: datetime) -> int | None:
        values = {
            "kind": broadcast.kind,
            "title": broadcast.title,
            "more": broadcast.more,
            "body": broadcast.body,
            "body_values": from_values(broadcast.values),
            "digest_id": broadcast.digest_id,
            "slot": broadcast.slot,
            "created_at": now,
        }
        broadcast_id: int | None = await self._connection.scalar(_make(self._connection.dialect), values)
        if broadcast_id is not None and broadcast.posts:
            rows = [
                {"broadcast_id": broadcast_id, "position": position, "post_id": post_id}
                for position, post_id in enumerate(broadcast.posts)
            ]
            await self._connection.execute(insert(BROADCAST_POSTS), rows)
        return broadcast_id

    async def skip(self, chat_id: int, posts: Sequence[int], reason: str) -> None:
        await reserve_alone(self._connection)
        for start in range(0, len(posts), CHUNK):
            skipped = select(
                literal(chat_id),
                POSTS.c.key,
                POSTS.c.id,
                literal(LedgerState.SKIPPED, LEDGER.c.state.type),
                literal(reason),
            ).where(POSTS.c.id.in_(posts[start : start + CHUNK]))
            columns = ["chat_id", "post_key", "post_id", "state", "reason"]
            statement = upsert(self._connection, LEDGER).from_select(columns, skipped)
            await self._connection.execute(statement.on_conflict_do_nothing())

    # Claims

    async def claim(self, platform: str, now: datetime, limit: int, epoch: int) -> Sequence[Delivery]:
        return await self._connection.run_sync(_claim_due, platform, now, limit, epoch)

    async def recover(self, platform: str, epoch: int) -> Sequence[Delivery]:
        claimed = (
            (DELIVERIES.c.platform == platform)
            & (DELIVERIES.c.state == DeliveryState.CLAIMED)
            & (DELIVERIES.c.epoch <= epoch)
        )
        ids = list(await self._connection.scalars(select(DELIVERIES.c.id).where(claimed)))
        if not ids:
            return []
        interrupted = (PARTS.c.state == PartState.SENDING) & PARTS.c.delivery_id.in_(ids)
        with_unknown = set(await self._connection.scalars(select(PARTS.c.delivery_id).where(interrupted)))
        await self._connection.execute(
            update(PARTS)
            .where(interrupted)
            .values(state=PartState.UNKNOWN, unknowns=PARTS.c.unknowns + 1, reason="the process ended")
        )
        await self._set([i for i in ids if i not in with_unknown], state=DeliveryState.PENDING)
        await self._set(sorted(with_unknown), epoch=epoch)
        unknown = select(DELIVERIES).where(DELIVERIES.c.id.in_(sorted(with_unknown)))
        return await load_deliveries(self._connection, unknown)

    async def _set(self, ids: Sequence[int], **values: object) -> None:
        for start in range(0, len(ids), CHUNK):
            some = DELIVERIES.c.id.in_(ids[start : start + CHUNK])
            await self._connection.execute(update(DELIVERIES).where(some).values(**values))

    # Renderings

    async def rendering(self, key: str) -> Sequence[Message] | None:
        known = select(RENDERINGS.c.messages).where(RENDERINGS.c.key == key)
        messages = await self._connection.scalar(known)
        if messages is None:
            return None
        return [Message(item["payload"], tuple(item["posts"])) for item in messages]

    async def keep_rendering(self, key: str, broadcast_id: int, messages: Sequence[Message]) -> None:
        stored = [{"payload": message.payload, "posts": list(message.posts)} for message in messages]
        values = {"key": key, "broadcast_id": broadcast_id, "messages": stored}
        await self._connection.execute(
            upsert(self._connection, RENDERINGS).values(values).on_conflict_do_nothing()
        )

    # What people and events change

    async def cancel(
        self, reason: str, now: datetime, *, chat_id: int | None = None, source_id: int | None = None
    ) -> int:
        which: ColumnElement[bool] = is_open(DELIVERIES.c.state)
        if chat_id is not None:
            which &= DELIVERIES.c.chat_id == chat_id
        if source_id is None:
            return await self._cancel(which, reason, now)
        await self._withdraw(which, source_id)
        mine = exists().where(LEDGER.c.delivery_id == DELIVERIES.c.id, LEDGER.c.post_id == POSTS.c.id)
        of_source = select(POSTS.c.id).where(
            POSTS.c.source_id == source_id, mine.correlate(DELIVERIES, POSTS)
        )
        others = select(POSTS.c.id).where(POSTS.c.source_id != source_id, mine.correlate(DELIVERIES, POSTS))
        only = of_source.correlate(DELIVERIES).exists() & ~others.correlate(DELIVERIES).exists()
        return await self._cancel(which & only, reason, now)

    async def _cancel(self, which: ColumnElement[bool], reason: str, now: datetime) -> int:
        # Every transaction locks in this order, or PostgreSQL would let two wait for each other.
        locked = select(DELIVERIES.c.id).where(which).order_by(DELIVERIES.c.id).with_for_update()
        ids = list(await self._connection.scalars(locked))
        await self._close([Closed(i, DeliveryState.CANCELLED, reason) for i in ids], now)
        return len(ids)

    async def _withdraw(self, which: ColumnElement[bool], source_id: int) -> None:
        """Take a source's posts out of broadcasts of several sources that have not begun."""
        begun = exists().where(PARTS.c.delivery_id == DELIVERIES.c.id)
        of_others = (
            select(LEDGER.c.post_id)
            .join(POSTS, POSTS.c.id == LEDGER.c.post_id)
            .where(LEDGER.c.delivery_id == DELIVERIES.c.id, POSTS.c.source_id != source_id)
        )
        mixed = select(DELIVERIES.c.id).where(which, ~begun, of_others.correlate(DELIVERIES).exists())
        of_source = select(POSTS.c.id).where(POSTS.c.source_id == source_id)
        await self._connection.execute(
            delete(LEDGER).where(
                LEDGER.c.state == LedgerState.RESERVED,
                LEDGER.c.delivery_id.in_(mixed.scalar_subquery()),
                LEDGER.c.post_id.in_(of_source.scalar_subquery()),
            )
        )

    async def postpone_chat(self, chat_id: int, due_at: datetime, reason: str) -> None:
        mine = (DELIVERIES.c.chat_id == chat_id) & is_open(DELIVERIES.c.state)
        waiting = mine & (DELIVERIES.c.state == DeliveryState.PENDING)
        await self._connection.execute(update(DELIVERIES).where(waiting).values(due_at=due_at, reason=reason))

    async def retry(self, which: DeliveryFilter, now: datetime) -> int:
        ended = DELIVERIES.c.state.in_((DeliveryState.FAILED, DeliveryState.HELD))
        not_banned = exists().where(CHATS.c.id == DELIVERIES.c.chat_id, CHATS.c.access != ChatAccess.BANNED)
        failed = select(DELIVERIES.c.id).where(matching(which) & ended & not_banned)
        ids = list(await self._connection.scalars(failed))
        await self._set(ids, state=DeliveryState.PENDING, due_at=now, attempts=0, reason="", ended_at=None)
        for start in range(0, len(ids), CHUNK):
            mine = LEDGER.c.delivery_id.in_(ids[start : start + CHUNK])
            again = update(LEDGER).where(mine, LEDGER.c.state == LedgerState.FAILED)
            await self._connection.execute(again.values(state=LedgerState.RESERVED, reason=""))
        return len(ids)

    async def prune(self, before: datetime, limit: int) -> int:
        still_open = exists().where(
            DELIVERIES.c.broadcast_id == RENDERINGS.c.broadcast_id, is_open(DELIVERIES.c.state)
        )
        unused = select(RENDERINGS.c.key).where(~still_open).limit(limit)
        await self._connection.execute(
            delete(RENDERINGS).where(RENDERINGS.c.key.in_(unused.scalar_subquery()))
        )
        done = DELIVERIES.c.state.in_((DeliveryState.SENT, DeliveryState.CANCELLED))
        # Deliveries with an unknown outcome are kept: they are counted for ever.
        uncertain = exists().where(PARTS.c.delivery_id == DELIVERIES.c.id, PARTS.c.unknowns > 0)
        old = done & (DELIVERIES.c.ended_at < before) & ~uncertain
        return await prune(self._connection, DELIVERIES, DELIVERIES.c.id, old, limit)
