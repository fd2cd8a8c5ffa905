"""What the dispatcher records of every message: that a part begins, and what became of it.

The hottest path of the store: each statement is compiled once and serves a whole batch.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    bindparam,
    delete,
    literal_column,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from scheduler.ports import Closed, Outcome, PartEnded, Postponed
from scheduler.types import OPEN, DeliveryState, LedgerState, Part, PartState, Sent
from storage.prepared import Prepared, Rows, read, write
from storage.sql import among, insert_into, literally
from storage.tables import DELIVERIES, LEDGER, PARTS, POSTS

Values: TypeAlias = dict[str, ColumnElement[Any]]


@cache
def _lock(dialect: Dialect) -> Prepared:
    """Every transaction locks in this order, or PostgreSQL would let two wait for each other."""
    columns = select(DELIVERIES.c.id, DELIVERIES.c.chat_id, DELIVERIES.c.state, DELIVERIES.c.epoch)
    some = columns.where(among(DELIVERIES.c.id, "ids", dialect))
    return Prepared(some.order_by(DELIVERIES.c.id).with_for_update(), dialect)


@cache
def _upsert_part(dialect: Dialect) -> Prepared:
    """A part as it is now; `begun_at` stays that of the first attempt."""
    insert = insert_into(PARTS, dialect)
    changing = ("state", "posts", "fingerprint", "sent", "unknowns", "reason")
    renewed = {name: insert.excluded[name] for name in changing}
    return Prepared(insert.on_conflict_do_update(index_elements=PARTS.primary_key, set_=renewed), dialect)


@cache
def _upsert_sent(dialect: Dialect) -> Prepared:
    """A post as sent in a chat's ledger; a post that was deleted meanwhile has no key, and gets no row."""
    sent = select(
        bindparam("chat", type_=LEDGER.c.chat_id.type),
        POSTS.c.key,
        POSTS.c.id,
        bindparam("delivery", type_=LEDGER.c.delivery_id.type),
        literally(LedgerState.SENT),
        literal_column("''"),
    ).where(POSTS.c.id == bindparam("post"))
    insert = insert_into(LEDGER, dialect).from_select(
        ["chat_id", "post_key", "post_id", "delivery_id", "state", "reason"], sent
    )
    renewed = {name: insert.excluded[name] for name in ("state", "delivery_id", "reason")}
    return Prepared(insert.on_conflict_do_update(index_elements=LEDGER.primary_key, set_=renewed), dialect)


@cache
def _postpone(dialect: Dialect) -> Prepared:
    claimed = (DELIVERIES.c.id == bindparam("delivery")) & (
        DELIVERIES.c.state == literally(DeliveryState.CLAIMED)
    )
    values: Values = {
        "state": literally(DeliveryState.PENDING),
        "due_at": bindparam("due"),
        "attempts": bindparam("tries"),
        "form": bindparam("as_form"),
        "reason": bindparam("why"),
    }
    return Prepared(update(DELIVERIES).where(claimed).values(values), dialect)


@cache
def _end(dialect: Dialect) -> Prepared:
    values: Values = {
        "state": bindparam("ending"),
        "reason": bindparam("why"),
        "ended_at": bindparam("at"),
    }
    return Prepared(
        update(DELIVERIES).where(DELIVERIES.c.id == bindparam("delivery")).values(values), dialect
    )


_reserved = (LEDGER.c.delivery_id == bindparam("delivery")) & (
    LEDGER.c.state == literally(LedgerState.RESERVED)
)


@cache
def _free(dialect: Dialect) -> Prepared:
    return Prepared(delete(LEDGER).where(_reserved), dialect)


@cache
def _give_up(dialect: Dialect) -> Prepared:
    values: Values = {
        "state": literally(LedgerState.FAILED),
        "reason": bindparam("why"),
    }
    return Prepared(update(LEDGER).where(_reserved).values(values), dialect)


class Outcomes:
    """The outbox as the dispatcher writes it."""

    _connection: AsyncConnection

    async def record(
        self, begins: Sequence[Part], outcomes: Sequence[Outcome], now: datetime, epoch: int
    ) -> Sequence[Part]:
        return await self._connection.run_sync(
            lambda connection: _Batch(connection, now).record(begins, outcomes, epoch)
        )

    async def _close(self, ended: Sequence[Closed], now: datetime) -> None:
        await self._connection.run_sync(lambda connection: _Batch(connection, now).close(ended))


class _Batch:
    """Rows that are written together, without a switch of tasks between the statements."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection, self._now, self._dialect = connection, now, connection.dialect

    def record(self, begins: Sequence[Part], outcomes: Sequence[Outcome], epoch: int) -> Sequence[Part]:
        locked = self._lock({one.delivery_id for one in (*begins, *outcomes)})
        # Of a delivery that another process took over, only arrivals count.
        ours = {row.id for row in locked.values() if row.epoch == epoch}
        ended, postponed, closed = list[PartEnded](), list[Postponed](), dict[int, Closed]()
        for one in outcomes:
            if one.delivery_id not in locked:
                continue  # it is gone if its chat was united
            if one.delivery_id not in ours and not _is_arrival(one):
                continue
            match one:
                case PartEnded():
                    ended.append(one)
                case Postponed():
                    postponed.append(one)
                case Closed():
                    closed.setdefault(one.delivery_id, one)  # of several ends the first counts
        let_go = {one.delivery_id for one in postponed} | closed.keys()
        claimed = {d for d in ours - let_go if locked[d].state is DeliveryState.CLAIMED}
        begun = [part for part in begins if part.delivery_id in claimed]
        # A delivery that was closed before stays so.
        closing = [one for d, one in closed.items() if locked[d].state in OPEN]
        chat_of = {row.id: row.chat_id for row in locked.values()}
        write(
            self._connection,
            (_upsert_part(self._dialect), [_part(one.part, one.reason) for one in ended]),
            (_upsert_part(self._dialect), [_part(part, "") for part in begun]),
            (_upsert_sent(self._dialect), [row for one in ended for row in _sent(one, chat_of)]),
            (_postpone(self._dialect), [_postponed(one) for one in postponed]),
            *self._ends(closing),
        )
        return begun

    def close(self, ended: Sequence[Closed]) -> None:
        """End deliveries; a cancelled one frees its reservations, any other keeps them as failed."""
        write(self._connection, *self._ends(ended))

    def _ends(self, ended: Sequence[Closed]) -> Sequence[tuple[Prepared, Rows]]:
        rows = [
            {"delivery": one.delivery_id, "ending": one.state, "why": one.reason, "at": self._now}
            for one in ended
        ]
        cancelled = [row for row in rows if row["ending"] is DeliveryState.CANCELLED]
        others = [row for row in rows if row["ending"] is not DeliveryState.CANCELLED]
        return (
            (_end(self._dialect), rows),
            (_free(self._dialect), cancelled),
            (_give_up(self._dialect), others),
        )

    def _lock(self, ids: Collection[int]) -> Mapping[int, Any]:
        """The deliveries that exist, by their ids: chat, state and epoch of each."""
        (rows,) = read(self._connection, (_lock(self._dialect), {"ids": list(ids)}))
        return {row.id: row for row in rows}


def _part(part: Part, reason: str) -> Mapping[str, object]:
    return {
        "delivery_id": part.delivery_id,
        "form": part.form,
        "n": part.n,
        "state": part.state,
        "posts": part.posts,
        "fingerprint": part.rendering_key,
        "sent": _sent_json(part.sent),
        "unknowns": part.unknowns,
        "reason": reason,
        "begun_at": part.begun_at,
    }


def _sent(one: PartEnded, chat_of: Mapping[int, int]) -> Iterator[Mapping[str, object]]:
    """Posts that arrived are recorded as sent, also where a reservation was freed during the request."""
    for post in one.completed:
        yield {"chat": chat_of[one.delivery_id], "delivery": one.delivery_id, "post": post}


def _postponed(one: Postponed) -> Mapping[str, object]:
    return {
        "delivery": one.delivery_id,
        "due": one.due_at,
        "tries": one.attempts,
        "as_form": one.form,
        "why": one.reason,
    }


def _sent_json(sent: Sent | None) -> dict[str, Any] | None:
    if sent is None:
        return None
    return {"address": sent.address, "message_ids": list(sent.message_ids), "opened": sent.opened}


def _is_arrival(outcome: Outcome) -> bool:
    """A fact, whoever reports it; every other outcome is a decision, and only the holder's counts."""
    if isinstance(outcome, PartEnded):
        return outcome.part.state is PartState.SENT
    return isinstance(outcome, Closed) and outcome.state is DeliveryState.SENT
