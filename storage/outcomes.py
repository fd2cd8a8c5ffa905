"""What the dispatcher records of every message: that a part begins, and what became of it.

The hottest path of the store: each statement is compiled once and serves a whole batch.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Dialect,
    Row,
    bindparam,
    delete,
    literal_column,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from scheduler.ports import Closed, Outcome, PartEnded, Postponed
from scheduler.types import OPEN, DeliveryState, LedgerState, Part, PartState, Sent
from storage.models import DeliveryRow, LedgerRow, PartRow, PostRow
from storage.sql import ManyRows, insert_into, table_of

# Tables, not entities: these statements need nothing of the ORM.
_deliveries, _parts = table_of(DeliveryRow), table_of(PartRow)
_ledger, _posts = table_of(LedgerRow), table_of(PostRow)

Values: TypeAlias = dict[str, ColumnElement[Any]]

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
# Every transaction locks in this order, or PostgreSQL would let two wait for each other.
_LOCK = (
    select(_deliveries.c.id, _deliveries.c.chat_id, _deliveries.c.state, _deliveries.c.epoch)
    .where(_deliveries.c.id.in_(_IDS))
    .order_by(_deliveries.c.id)
    .with_for_update()
)


@cache
def _upsert_part(dialect: Dialect) -> ManyRows:
    """A part as it is now; `begun_at` stays that of the first attempt."""
    insert = insert_into(_parts, dialect)
    changing = ("state", "posts", "fingerprint", "sent", "unknowns", "reason")
    renewed = {name: insert.excluded[name] for name in changing}
    return ManyRows(insert.on_conflict_do_update(index_elements=_parts.primary_key, set_=renewed), dialect)


@cache
def _upsert_sent(dialect: Dialect) -> ManyRows:
    """A post as sent in a chat's ledger; a post that was deleted meanwhile has no key, and gets no row."""
    sent = select(
        bindparam("chat", type_=_ledger.c.chat_id.type),
        _posts.c.key,
        _posts.c.id,
        bindparam("delivery", type_=_ledger.c.delivery_id.type),
        literal_column(f"'{LedgerState.SENT}'"),
        literal_column("''"),
    ).where(_posts.c.id == bindparam("post"))
    insert = insert_into(_ledger, dialect).from_select(
        ["chat_id", "post_key", "post_id", "delivery_id", "state", "reason"], sent
    )
    renewed = {name: insert.excluded[name] for name in ("state", "delivery_id", "reason")}
    return ManyRows(insert.on_conflict_do_update(index_elements=_ledger.primary_key, set_=renewed), dialect)


@cache
def _postpone(dialect: Dialect) -> ManyRows:
    claimed = (_deliveries.c.id == bindparam("delivery")) & (
        _deliveries.c.state == literal_column(f"'{DeliveryState.CLAIMED}'")
    )
    values: Values = {
        "state": literal_column(f"'{DeliveryState.PENDING}'"),
        "due_at": bindparam("due"),
        "attempts": bindparam("tries"),
        "form": bindparam("as_form"),
        "reason": bindparam("why"),
    }
    return ManyRows(update(_deliveries).where(claimed).values(values), dialect)


@cache
def _end(dialect: Dialect) -> ManyRows:
    values: Values = {
        "state": bindparam("ending"),
        "reason": bindparam("why"),
        "ended_at": bindparam("at"),
    }
    return ManyRows(
        update(_deliveries).where(_deliveries.c.id == bindparam("delivery")).values(values), dialect
    )


_reserved = (_ledger.c.delivery_id == bindparam("delivery")) & (
    _ledger.c.state == literal_column(f"'{LedgerState.RESERVED}'")
)


@cache
def _free(dialect: Dialect) -> ManyRows:
    return ManyRows(delete(_ledger).where(_reserved), dialect)


@cache
def _give_up(dialect: Dialect) -> ManyRows:
    values: Values = {
        "state": literal_column(f"'{LedgerState.FAILED}'"),
        "reason": bindparam("why"),
    }
    return ManyRows(update(_ledger).where(_reserved).values(values), dialect)


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
        locked = self._lock({*(part.delivery_id for part in begins), *map(_delivery_of, outcomes)})
        # Of a delivery that another process took over, only arrivals count.
        ours = {row.id for row in locked.values() if row.epoch == epoch}
        known = [one for one in outcomes if _delivery_of(one) in locked]  # it is gone if its chat was united
        valid = [one for one in known if _delivery_of(one) in ours or _is_arrival(one)]
        ended = [one for one in valid if isinstance(one, PartEnded)]
        postponed = [one for one in valid if isinstance(one, Postponed)]
        closed = [one for one in valid if isinstance(one, Closed)]
        let_go = {one.delivery_id for one in postponed} | {one.delivery_id for one in closed}
        claimed = {d for d in ours - let_go if locked[d].state is DeliveryState.CLAIMED}
        begun = [part for part in begins if part.delivery_id in claimed]
        self._write_parts([(one.part, one.reason) for one in ended] + [(part, "") for part in begun])
        self._write_sent(ended, {row.id: row.chat_id for row in locked.values()})
        self._write_postponed(postponed)
        # A delivery that was closed before stays so, and of several ends the first counts.
        first = {one.delivery_id: one for one in reversed(closed)}
        self.close([one for d, one in first.items() if locked[d].state in OPEN])
        return begun

    def close(self, ended: Sequence[Closed]) -> None:
        """End deliveries; a cancelled one frees its reservations, any other keeps them as failed."""
        rows = [
            {"delivery": one.delivery_id, "ending": one.state, "why": one.reason, "at": self._now}
            for one in ended
        ]
        cancelled = [row for row in rows if row["ending"] is DeliveryState.CANCELLED]
        others = [row for row in rows if row["ending"] is not DeliveryState.CANCELLED]
        _end(self._dialect).run(self._connection, rows)
        _free(self._dialect).run(self._connection, cancelled)
        _give_up(self._dialect).run(self._connection, others)

    def _lock(self, ids: Collection[int]) -> dict[int, Row[int, int, DeliveryState, int]]:
        rows = self._connection.execute(_LOCK, {"ids": list(ids)})
        return {row[0]: row for row in rows}

    def _write_parts(self, parts: Sequence[tuple[Part, str]]) -> None:
        rows = [
            {
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
            for part, reason in parts
        ]
        _upsert_part(self._dialect).run(self._connection, rows)

    def _write_sent(self, ended: Sequence[PartEnded], chat_of: dict[int, int]) -> None:
        """Record posts that arrived as sent, also where a reservation was freed during the request."""
        rows = [
            {"chat": chat_of[one.part.delivery_id], "delivery": one.part.delivery_id, "post": post}
            for one in ended
            for post in one.completed
        ]
        _upsert_sent(self._dialect).run(self._connection, rows)

    def _write_postponed(self, postponed: Sequence[Postponed]) -> None:
        rows = [
            {
                "delivery": one.delivery_id,
                "due": one.due_at,
                "tries": one.attempts,
                "as_form": one.form,
                "why": one.reason,
            }
            for one in postponed
        ]
        _postpone(self._dialect).run(self._connection, rows)


def _sent_json(sent: Sent | None) -> dict[str, Any] | None:
    if sent is None:
        return None
    return {"address": sent.address, "message_ids": list(sent.message_ids), "opened": sent.opened}


def _delivery_of(outcome: Outcome) -> int:
    return outcome.part.delivery_id if isinstance(outcome, PartEnded) else outcome.delivery_id


def _is_arrival(outcome: Outcome) -> bool:
    """A fact, whoever reports it; every other outcome is a decision, and only the holder's counts."""
    if isinstance(outcome, PartEnded):
        return outcome.part.state is PartState.SENT
    return isinstance(outcome, Closed) and outcome.state is DeliveryState.SENT
