"""What the dispatcher records of every message: that a part begins, and what became of it.

The hottest path of the store. Its statements are built once, for building one costs more than running it;
each serves a whole batch.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Insert, Row, Table, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from scheduler.ports import Closed, Mark, PartEnded, Postponed
from scheduler.types import OPEN, DeliveryState, LedgerState, Part, PartState, Sent
from storage.models import DeliveryRow, LedgerRow, PartRow, PostRow
from storage.sql import CHUNK, table_of

# What the end of a delivery makes of the reservations that are left.
LEFT_OVER = {
    DeliveryState.FAILED: LedgerState.FAILED,
    DeliveryState.HELD: LedgerState.FAILED,
    DeliveryState.SENT: LedgerState.FAILED,
}

# Tables, not entities: these statements need nothing of the ORM.
_deliveries, _parts = table_of(DeliveryRow), table_of(PartRow)
_ledger, _posts = table_of(LedgerRow), table_of(PostRow)

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
# Locked in the same order by everybody: PostgreSQL would let two wait for each other.
_LOCKED = (
    select(_deliveries.c.id, _deliveries.c.chat_id, _deliveries.c.state, _deliveries.c.epoch)
    .where(_deliveries.c.id.in_(_IDS))
    .order_by(_deliveries.c.id)
    .with_for_update()
)
_KEYS = select(_posts.c.id, _posts.c.key).where(_posts.c.id.in_(_IDS))
_END = (
    update(_deliveries)
    .where(_deliveries.c.id.in_(_IDS))
    .values(state=bindparam("ending"), reason=bindparam("why"), ended_at=bindparam("at"))
)
_POSTPONE = (
    update(_deliveries)
    .where(_deliveries.c.id == bindparam("delivery"), _deliveries.c.state == DeliveryState.CLAIMED)
    .values(
        state=DeliveryState.PENDING,
        due_at=bindparam("due"),
        attempts=bindparam("tries"),
        form=bindparam("as_form"),
        reason=bindparam("why"),
    )
)
_left = _ledger.c.delivery_id.in_(_IDS) & (_ledger.c.state == LedgerState.RESERVED)
_FREE = delete(_ledger).where(_left)
_GIVE_UP = update(_ledger).where(_left).values(state=bindparam("ending"), reason=bindparam("why"))


@cache
def _upsert(table: Table, dialect: str, *renewed: str) -> Insert:
    """An INSERT that, where the row is there already, renews some of its columns."""
    statement = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    values = {name: statement.excluded[name] for name in renewed}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=values)


class Marks:
    """Writes parts and ends deliveries."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def begin(self, parts: Sequence[Part], epoch: int) -> Sequence[Part]:
        """See `OutboxRepository.begin`."""
        locked = await self._locked({part.delivery_id for part in parts})
        mine = {row.id for row in locked if row.epoch == epoch and row.state is DeliveryState.CLAIMED}
        begun = [part for part in parts if part.delivery_id in mine]
        if begun:
            await self._write_parts(begun, [""] * len(begun))
        return begun

    async def mark(self, marks: Sequence[Mark], now: datetime, epoch: int) -> None:
        """See `OutboxRepository.mark`."""
        locked = {row.id: row for row in await self._locked({_delivery_of(mark) for mark in marks})}
        # Of a delivery that somebody took over only what is a fact counts.
        mine = {row.id for row in locked.values() if row.epoch == epoch}
        valid = [mark for mark in marks if _delivery_of(mark) in mine or _is_arrival(mark)]
        ended = [mark for mark in valid if isinstance(mark, PartEnded)]
        if ended:
            await self._write_parts([mark.part for mark in ended], [mark.reason for mark in ended])
            await self._mark_sent(ended, {row.id: row.chat_id for row in locked.values()})
        if waits := [mark for mark in valid if isinstance(mark, Postponed)]:
            await self._postpone(waits)
        is_open = {row.id for row in locked.values() if row.state in OPEN}
        by_end: dict[tuple[DeliveryState, str], list[int]] = defaultdict(list)
        for mark in valid:
            if isinstance(mark, Closed) and mark.delivery_id in is_open:
                is_open.remove(mark.delivery_id)  # what has ended stays as it ended
                by_end[mark.state, mark.reason].append(mark.delivery_id)
        for (state, reason), ids in by_end.items():
            await self.close(ids, state, reason, now)

    async def close(self, ids: Sequence[int], state: DeliveryState, reason: str, now: datetime) -> None:
        """End deliveries; a cancelled one frees its reservations, any other keeps them as failed."""
        for start in range(0, len(ids), CHUNK):
            chunk = {"ids": ids[start : start + CHUNK]}
            await self._session.execute(_END, chunk | {"ending": state, "why": reason, "at": now})
            if state is DeliveryState.CANCELLED:
                await self._session.execute(_FREE, chunk)
            else:
                given_up = {"ending": LEFT_OVER[state], "why": reason}
                await self._session.execute(_GIVE_UP, chunk | given_up)

    async def _locked(self, ids: Collection[int]) -> Sequence[Row[int, int, DeliveryState, int]]:
        return (await self._session.execute(_LOCKED, {"ids": list(ids)})).all()

    async def _write_parts(self, parts: Sequence[Part], reasons: Sequence[str]) -> None:
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
            for part, reason in zip(parts, reasons, strict=True)
        ]
        changing = ("state", "posts", "fingerprint", "sent", "unknowns", "reason")
        await self._session.execute(self._upsert(_parts, *changing), rows)

    async def _mark_sent(self, ended: Sequence[PartEnded], chat_of: dict[int, int]) -> None:
        """Record what was delivered as sent, also where a reservation was freed while it left."""
        delivered = [(mark.part.delivery_id, post) for mark in ended for post in mark.delivered]
        if not delivered:
            return
        found = await self._session.execute(_KEYS, {"ids": list({post for _, post in delivered})})
        key_of = {row.id: row.key for row in found}
        rows = [
            {
                "chat_id": chat_of[delivery],
                "post_key": key_of[post],
                "post_id": post,
                "delivery_id": delivery,
                "state": LedgerState.SENT,
                "reason": "",
            }
            for delivery, post in delivered
            if delivery in chat_of and post in key_of
        ]
        if rows:
            await self._session.execute(self._upsert(_ledger, "state", "delivery_id", "reason"), rows)

    async def _postpone(self, waits: Sequence[Postponed]) -> None:
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
        await self._session.execute(_POSTPONE, rows)

    def _upsert(self, table: Table, *renewed: str) -> Insert:
        return _upsert(table, self._session.get_bind().dialect.name, *renewed)


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
