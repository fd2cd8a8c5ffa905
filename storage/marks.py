"""What the dispatcher records of every message: that a part begins, and what became of it.

The hottest path of the store. Its statements are built once, for building one costs more than running it;
each serves a whole batch.
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
from sqlalchemy.ext.asyncio import AsyncSession

from scheduler.ports import Closed, Mark, PartEnded, Postponed
from scheduler.types import OPEN, DeliveryState, LedgerState, Part, PartState, Sent
from storage.models import DeliveryRow, LedgerRow, PartRow, PostRow
from storage.sql import ManyRows, insert_into, table_of

# Tables, not entities: these statements need nothing of the ORM.
_deliveries, _parts = table_of(DeliveryRow), table_of(PartRow)
_ledger, _posts = table_of(LedgerRow), table_of(PostRow)

Values: TypeAlias = dict[str, ColumnElement[Any]]

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
# Locked in the same order by everybody: PostgreSQL would let two wait for each other.
_LOCKED = (
    select(_deliveries.c.id, _deliveries.c.chat_id, _deliveries.c.state, _deliveries.c.epoch)
    .where(_deliveries.c.id.in_(_IDS))
    .order_by(_deliveries.c.id)
    .with_for_update()
)


@cache
def _write_part(dialect: Dialect) -> ManyRows:
    """A part as it is now; when it was begun first is not changed."""
    insert = insert_into(_parts, dialect)
    changing = ("state", "posts", "fingerprint", "sent", "unknowns", "reason")
    renewed = {name: insert.excluded[name] for name in changing}
    return ManyRows(insert.on_conflict_do_update(index_elements=_parts.primary_key, set_=renewed), dialect)


@cache
def _write_sent(dialect: Dialect) -> ManyRows:
    """A post as sent in the ledger of a chat; one that is not there any more has no key to write."""
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
    waiting = (_deliveries.c.id == bindparam("delivery")) & (
        _deliveries.c.state == literal_column(f"'{DeliveryState.CLAIMED}'")
    )
    values: Values = {
        "state": literal_column(f"'{DeliveryState.PENDING}'"),
        "due_at": bindparam("due"),
        "attempts": bindparam("tries"),
        "form": bindparam("as_form"),
        "reason": bindparam("why"),
    }
    return ManyRows(update(_deliveries).where(waiting).values(values), dialect)


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


_left = (_ledger.c.delivery_id == bindparam("delivery")) & (
    _ledger.c.state == literal_column(f"'{LedgerState.RESERVED}'")
)


@cache
def _free(dialect: Dialect) -> ManyRows:
    return ManyRows(delete(_ledger).where(_left), dialect)


@cache
def _give_up(dialect: Dialect) -> ManyRows:
    values: Values = {
        "state": literal_column(f"'{LedgerState.FAILED}'"),
        "reason": bindparam("why"),
    }
    return ManyRows(update(_ledger).where(_left).values(values), dialect)


class Marks:
    """Writes parts and ends deliveries, as one piece of work without a switch of tasks between statements."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def record(
        self, begins: Sequence[Part], marks: Sequence[Mark], now: datetime, epoch: int
    ) -> Sequence[Part]:
        """See `OutboxRepository.record`."""
        return await self._session.run_sync(
            lambda session: _Batch(session.connection(), now, epoch).record(begins, marks)
        )

    async def close(self, ended: Sequence[Closed], now: datetime) -> None:
        """End deliveries; a cancelled one frees its reservations, any other keeps them as failed."""
        await self._session.run_sync(lambda session: _Batch(session.connection(), now, 0).close(ended))


class _Batch:
    """What is written in one go, by who holds `epoch`."""

    def __init__(self, connection: Connection, now: datetime, epoch: int) -> None:
        self._connection, self._now, self._epoch = connection, now, epoch
        self._dialect = connection.dialect

    def record(self, begins: Sequence[Part], marks: Sequence[Mark]) -> Sequence[Part]:
        locked = self._locked({*(part.delivery_id for part in begins), *map(_delivery_of, marks)})
        # Of a delivery that somebody took over only what is a fact counts.
        mine = {row.id for row in locked.values() if row.epoch == self._epoch}
        there = [mark for mark in marks if _delivery_of(mark) in locked]  # not if its chat was united
        valid = [mark for mark in there if _delivery_of(mark) in mine or _is_arrival(mark)]
        ended = [mark for mark in valid if isinstance(mark, PartEnded)]
        waits = [mark for mark in valid if isinstance(mark, Postponed)]
        closed = [mark for mark in valid if isinstance(mark, Closed)]
        let_go = {mark.delivery_id for mark in waits} | {mark.delivery_id for mark in closed}
        claimed = {d for d in mine - let_go if locked[d].state is DeliveryState.CLAIMED}
        begun = [part for part in begins if part.delivery_id in claimed]
        self._write_parts([(mark.part, mark.reason) for mark in ended] + [(part, "") for part in begun])
        self._mark_sent(ended, {row.id: row.chat_id for row in locked.values()})
        self._postpone(waits)
        # What has ended stays as it ended, and the first end counts.
        first = {mark.delivery_id: mark for mark in reversed(closed)}
        self.close([mark for d, mark in first.items() if locked[d].state in OPEN])
        return begun

    def close(self, ended: Sequence[Closed]) -> None:
        rows = [
            {"delivery": mark.delivery_id, "ending": mark.state, "why": mark.reason, "at": self._now}
            for mark in ended
        ]
        _end(self._dialect).run(self._connection, rows)
        _free(self._dialect).run(
            self._connection, [row for row in rows if row["ending"] is DeliveryState.CANCELLED]
        )
        _give_up(self._dialect).run(
            self._connection, [row for row in rows if row["ending"] is not DeliveryState.CANCELLED]
        )

    def _locked(self, ids: Collection[int]) -> dict[int, Row[int, int, DeliveryState, int]]:
        rows = self._connection.execute(_LOCKED, {"ids": list(ids)})
        return {row[0]: row for row in rows}

    def _write_parts(self, parts: Sequence[tuple[Part, str]]) -> None:
        rows = [
            {
                "delivery_id": part.delivery_id,
                "form": part.form,
                "n": part.n,
                "state": part.state,
                "posts": part.posts,
                "fingerprint": part.fingerprint,
                "sent": _sent_json(part.sent),
                "unknowns": part.unknowns,
                "reason": reason,
                "begun_at": part.begun_at,
            }
            for part, reason in parts
        ]
        _write_part(self._dialect).run(self._connection, rows)

    def _mark_sent(self, ended: Sequence[PartEnded], chat_of: dict[int, int]) -> None:
        """Record what was delivered as sent, also where a reservation was freed while it left."""
        rows = [
            {"chat": chat_of[mark.part.delivery_id], "delivery": mark.part.delivery_id, "post": post}
            for mark in ended
            for post in mark.delivered
        ]
        _write_sent(self._dialect).run(self._connection, rows)

    def _postpone(self, waits: Sequence[Postponed]) -> None:
        rows = [
            {
                "delivery": mark.delivery_id,
                "due": mark.due_at,
                "tries": mark.attempts,
                "as_form": mark.form,
                "why": mark.reason,
            }
            for mark in waits
        ]
        _postpone(self._dialect).run(self._connection, rows)


def _sent_json(sent: Sent | None) -> dict[str, Any] | None:
    if sent is None:
        return None
    return {"address": sent.address, "message_ids": list(sent.message_ids), "opened": sent.opened}


def _delivery_of(mark: Mark) -> int:
    return mark.part.delivery_id if isinstance(mark, PartEnded) else mark.delivery_id


def _is_arrival(mark: Mark) -> bool:
    """A fact, whoever tells it; everything else is a decision of the holder."""
    if isinstance(mark, PartEnded):
        return mark.part.state is PartState.SENT
    return isinstance(mark, Closed) and mark.state is DeliveryState.SENT
