"""The outbox: broadcasts, deliveries, their parts, and the ledger of what each chat has been sent."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from content.types import Source
from scheduler.ports import Closed, DeliveryFilter, Mark, PartEnded, Postponed
from scheduler.types import (
    OPEN,
    Broadcast,
    Delivery,
    DeliveryState,
    LedgerState,
    Message,
    Part,
    PartState,
    Progress,
    Sent,
)
from storage.chats import to_chat
from storage.fanout import FanOut
from storage.models import (
    BroadcastPostRow,
    BroadcastRow,
    ChatRow,
    DeliveryRow,
    LedgerRow,
    PartRow,
    PostRow,
    RenderingRow,
)
from storage.overview import Overview
from storage.sql import CHUNK, changed_rows, reserve_alone, upsert


def to_part(row: PartRow) -> Part:
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


def to_broadcast(row: BroadcastRow) -> Broadcast:
    """A broadcast as its deliveries know it: which posts are theirs says the ledger."""
    return Broadcast(
        row.kind, title=row.title, more=row.more, body=row.body, digest_id=row.digest_id, slot=row.slot
    )


def _sent_json(sent: Sent | None) -> dict[str, Any] | None:
    if sent is None:
        return None
    return {"address": sent.address, "message_ids": list(sent.message_ids), "opened": sent.opened}


# What the end of a delivery makes of the reservations that are left.
LEFT_OVER = {
    DeliveryState.FAILED: LedgerState.FAILED,
    DeliveryState.HELD: LedgerState.FAILED,
    DeliveryState.SENT: LedgerState.FAILED,
}


class SqlOutbox:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._fan_out = FanOut(session)

    # Making deliveries

    async def broadcast(self, broadcast: Broadcast, now: datetime) -> int | None:
        values = {
            "kind": broadcast.kind,
            "title": broadcast.title,
            "more": broadcast.more,
            "body": broadcast.body,
            "digest_id": broadcast.digest_id,
            "slot": broadcast.slot,
            "created_at": now,
        }
        statement = upsert(self._session, BroadcastRow).values(values).on_conflict_do_nothing()
        made = await self._session.scalars(statement.returning(BroadcastRow.id))
        broadcast_id = made.first()
        if broadcast_id is not None and broadcast.posts:
            rows = [
                {"broadcast_id": broadcast_id, "position": position, "post_id": post_id}
                for position, post_id in enumerate(broadcast.posts)
            ]
            await self._session.execute(insert(BroadcastPostRow), rows)
        return broadcast_id

    async def skip(self, chat_id: int, posts: Sequence[int], reason: str) -> None:
        await reserve_alone(self._session)
        for start in range(0, len(posts), CHUNK):
            skipped = select(
                literal(chat_id),
                PostRow.key,
                PostRow.id,
                literal(LedgerState.SKIPPED, LedgerRow.state.type),
                literal(reason),
            ).where(PostRow.id.in_(posts[start : start + CHUNK]))
            columns = ["chat_id", "post_key", "post_id", "state", "reason"]
            statement = upsert(self._session, LedgerRow).from_select(columns, skipped)
            await self._session.execute(statement.on_conflict_do_nothing())

    async def fan_out(self, broadcast_id: int, source: Source, now: datetime) -> int:
        return await self._fan_out.to_followers(broadcast_id, source, now)

    async def deliver(self, broadcast_id: int, chat_id: int, now: datetime) -> bool:
        posts = await self._session.scalars(
            select(BroadcastPostRow.post_id).where(BroadcastPostRow.broadcast_id == broadcast_id)
        )
        return await self._fan_out.to_chat(broadcast_id, chat_id, posts.all(), now)

    # Taking them

    async def claim(self, platform: str, now: datetime, limit: int, epoch: int) -> Sequence[Delivery]:
        older = aliased(DeliveryRow)
        first = ~exists().where(
            older.chat_id == DeliveryRow.chat_id, older.id < DeliveryRow.id, older.state.in_(OPEN)
        )
        due = (
            select(DeliveryRow.id)
            .where(
                DeliveryRow.platform == platform,
                DeliveryRow.state == DeliveryState.PENDING,
                DeliveryRow.due_at <= now,
                first,
            )
            .order_by(DeliveryRow.due_at, DeliveryRow.id)
            .limit(limit)
            .with_for_update(skip_locked=True)  # PostgreSQL: a holder that lost its lease may be claiming too
        )
        ids = list(await self._session.scalars(due))
        await self._set(ids, state=DeliveryState.CLAIMED, epoch=epoch)
        return await self._load(DeliveryRow.id.in_(ids)) if ids else []

    async def recover(self, platform: str, epoch: int) -> Sequence[Delivery]:
        left = (
            (DeliveryRow.platform == platform)
            & (DeliveryRow.state == DeliveryState.CLAIMED)
            & (DeliveryRow.epoch <= epoch)
        )
        ids = list(await self._session.scalars(select(DeliveryRow.id).where(left)))
        uncertain = (PartRow.state == PartState.SENDING) & PartRow.delivery_id.in_(ids)
        with_unknown = set(await self._session.scalars(select(PartRow.delivery_id).where(uncertain)))
        await self._session.execute(
            update(PartRow)
            .where(uncertain)
            .values(state=PartState.UNKNOWN, unknowns=PartRow.unknowns + 1, reason="the process ended")
        )
        await self._set([i for i in ids if i not in with_unknown], state=DeliveryState.PENDING)
        await self._set(sorted(with_unknown), epoch=epoch)
        return await self._load(DeliveryRow.id.in_(with_unknown)) if with_unknown else []

    async def _set(self, ids: Sequence[int], **values: object) -> None:
        for start in range(0, len(ids), CHUNK):
            some = DeliveryRow.id.in_(ids[start : start + CHUNK])
            await self._session.execute(
                update(DeliveryRow).where(some).values(**values).execution_options(synchronize_session=False)
            )

    # Recording what became of them

    async def begin(self, parts: Sequence[Part], epoch: int) -> Sequence[Part]:
        ids = {part.delivery_id for part in parts}
        mine = (
            DeliveryRow.id.in_(ids)
            & (DeliveryRow.state == DeliveryState.CLAIMED)
            & (DeliveryRow.epoch == epoch)
        )
        locked = select(DeliveryRow.id).where(mine).order_by(DeliveryRow.id).with_for_update()
        allowed = set(await self._session.scalars(locked))
        begun = [part for part in parts if part.delivery_id in allowed]
        if begun:
            await self._write_parts(begun)
        return begun

    async def mark(self, marks: Sequence[Mark], now: datetime, epoch: int) -> None:
        marks = await self._valid(marks, epoch)
        ended = [mark for mark in marks if isinstance(mark, PartEnded)]
        if ended:
            await self._write_parts([mark.part for mark in ended], [mark.reason for mark in ended])
            await self._mark_sent(
                [(mark.part.delivery_id, post) for mark in ended for post in mark.delivered]
            )
        for mark in marks:
            if isinstance(mark, Postponed):
                await self._postpone(mark, epoch)
        by_end: dict[tuple[DeliveryState, str], list[int]] = defaultdict(list)
        for mark in marks:
            if isinstance(mark, Closed):
                by_end[mark.state, mark.reason].append(mark.delivery_id)
        for (state, reason), ids in by_end.items():
            await self._close(DeliveryRow.id.in_(ids) & DeliveryRow.state.in_(OPEN), state, reason, now)

    async def _valid(self, marks: Sequence[Mark], epoch: int) -> list[Mark]:
        """The marks on deliveries that nobody took over, and, from anybody, that something arrived."""
        ids = {_delivery_of(mark) for mark in marks}
        mine = select(DeliveryRow.id).where(DeliveryRow.id.in_(ids), DeliveryRow.epoch == epoch)
        held = set(await self._session.scalars(mine.order_by(DeliveryRow.id).with_for_update()))
        return [mark for mark in marks if _delivery_of(mark) in held or _is_arrival(mark)]

    async def _write_parts(self, parts: Sequence[Part], reasons: Sequence[str] | None = None) -> None:
        rows = [
            {
                "delivery_id": part.delivery_id,
                "form": part.form,
                "n": part.n,
                "state": part.state,
                "posts": list(part.posts),
                "fingerprint": part.fingerprint,
                "sent": _sent_json(part.sent),
                "unknowns": part.unknowns,
                "reason": reason,
                "begun_at": part.begun_at,
            }
            for part, reason in zip(parts, reasons or [""] * len(parts), strict=True)
        ]
        statement = upsert(self._session, PartRow)
        changing = ("state", "posts", "fingerprint", "sent", "unknowns", "reason")
        renewed = {name: statement.excluded[name] for name in changing}
        key = [PartRow.delivery_id, PartRow.form, PartRow.n]
        await self._session.execute(statement.on_conflict_do_update(index_elements=key, set_=renewed), rows)

    async def _mark_sent(self, posts: Sequence[tuple[int, int]]) -> None:
        """Record (delivery, post) pairs as sent, also where a reservation was freed while they left."""
        if not posts:
            return
        deliveries, ids = {delivery for delivery, _ in posts}, {post for _, post in posts}
        chats = select(DeliveryRow.id, DeliveryRow.chat_id).where(DeliveryRow.id.in_(deliveries))
        chat_of = {row[0]: row[1] for row in (await self._session.execute(chats))}
        keys = select(PostRow.id, PostRow.key).where(PostRow.id.in_(ids))
        key_of = {row[0]: row[1] for row in (await self._session.execute(keys))}
        rows = [
            {
                "chat_id": chat_of[delivery],
                "post_key": key_of[post],
                "post_id": post,
                "delivery_id": delivery,
                "state": LedgerState.SENT,
                "reason": "",
            }
            for delivery, post in posts
            if delivery in chat_of and post in key_of
        ]
        if not rows:
            return
        statement = upsert(self._session, LedgerRow)
        renewed = {name: statement.excluded[name] for name in ("state", "delivery_id", "reason")}
        key = [LedgerRow.chat_id, LedgerRow.post_key]
        await self._session.execute(statement.on_conflict_do_update(index_elements=key, set_=renewed), rows)

    async def _postpone(self, mark: Postponed, epoch: int) -> None:
        mine = (DeliveryRow.id == mark.delivery_id) & (DeliveryRow.state == DeliveryState.CLAIMED)
        await self._session.execute(
            update(DeliveryRow)
            .where(mine & (DeliveryRow.epoch == epoch))
            .values(
                state=DeliveryState.PENDING,
                due_at=mark.due_at,
                attempts=mark.attempts,
                form=mark.form,
                reason=mark.reason,
            )
        )

    async def _close(
        self, which: ColumnElement[bool], state: DeliveryState, reason: str, now: datetime
    ) -> int:
        """End deliveries; a cancelled one frees its reservations, any other keeps them as failed."""
        # Locked in the same order by everybody: PostgreSQL would let two wait for each other.
        locked = select(DeliveryRow.id).where(which).order_by(DeliveryRow.id).with_for_update()
        ids = list(await self._session.scalars(locked))
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            await self._set(chunk, state=state, reason=reason, ended_at=now)
            left = LedgerRow.delivery_id.in_(chunk) & (LedgerRow.state == LedgerState.RESERVED)
            if state is DeliveryState.CANCELLED:
                await self._session.execute(delete(LedgerRow).where(left))
            else:
                given_up = update(LedgerRow).where(left).values(state=LEFT_OVER[state], reason=reason)
                await self._session.execute(given_up)
        return len(ids)

    async def rendering(self, key: str) -> Sequence[Message] | None:
        row = await self._session.get(RenderingRow, key)
        if row is None:
            return None
        return [Message(item["payload"], tuple(item["posts"])) for item in row.messages]

    async def keep_rendering(self, key: str, broadcast_id: int, messages: Sequence[Message]) -> None:
        stored = [{"payload": message.payload, "posts": list(message.posts)} for message in messages]
        values = {"key": key, "broadcast_id": broadcast_id, "messages": stored}
        await self._session.execute(
            upsert(self._session, RenderingRow).values(values).on_conflict_do_nothing()
        )

    # What people and events do to them

    async def cancel(
        self, reason: str, now: datetime, *, chat_id: int | None = None, source_id: int | None = None
    ) -> int:
        which: ColumnElement[bool] = DeliveryRow.state.in_(OPEN)
        if chat_id is not None:
            which &= DeliveryRow.chat_id == chat_id
        if source_id is None:
            return await self._close(which, DeliveryState.CANCELLED, reason, now)
        await self._withdraw(which, source_id)
        mine = exists().where(LedgerRow.delivery_id == DeliveryRow.id, LedgerRow.post_id == PostRow.id)
        of_source = select(PostRow.id).where(
            PostRow.source_id == source_id, mine.correlate(DeliveryRow, PostRow)
        )
        others = select(PostRow.id).where(
            PostRow.source_id != source_id, mine.correlate(DeliveryRow, PostRow)
        )
        only = of_source.correlate(DeliveryRow).exists() & ~others.correlate(DeliveryRow).exists()
        return await self._close(which & only, DeliveryState.CANCELLED, reason, now)

    async def _withdraw(self, which: ColumnElement[bool], source_id: int) -> None:
        """Take a source's posts out of editions of several sources that have not begun."""
        begun = exists().where(PartRow.delivery_id == DeliveryRow.id)
        of_others = (
            select(LedgerRow.post_id)
            .join(PostRow, PostRow.id == LedgerRow.post_id)
            .where(LedgerRow.delivery_id == DeliveryRow.id, PostRow.source_id != source_id)
        )
        mixed = select(DeliveryRow.id).where(which, ~begun, of_others.correlate(DeliveryRow).exists())
        of_source = select(PostRow.id).where(PostRow.source_id == source_id)
        await self._session.execute(
            delete(LedgerRow).where(
                LedgerRow.state == LedgerState.RESERVED,
                LedgerRow.delivery_id.in_(mixed.scalar_subquery()),
                LedgerRow.post_id.in_(of_source.scalar_subquery()),
            )
        )

    async def postpone_chat(self, chat_id: int, due_at: datetime, reason: str) -> None:
        waiting = (DeliveryRow.chat_id == chat_id) & (DeliveryRow.state == DeliveryState.PENDING)
        await self._session.execute(update(DeliveryRow).where(waiting).values(due_at=due_at, reason=reason))

    async def retry(self, which: DeliveryFilter, now: datetime) -> int:
        ended = DeliveryRow.state.in_((DeliveryState.FAILED, DeliveryState.HELD))
        ids = list(await self._session.scalars(select(DeliveryRow.id).where(_matches(which) & ended)))
        await self._set(ids, state=DeliveryState.PENDING, due_at=now, attempts=0, reason="", ended_at=None)
        for start in range(0, len(ids), CHUNK):
            failed = LedgerRow.delivery_id.in_(ids[start : start + CHUNK])
            again = update(LedgerRow).where(failed, LedgerRow.state == LedgerState.FAILED)
            await self._session.execute(again.values(state=LedgerState.RESERVED, reason=""))
        return len(ids)

    async def prune(self, before: datetime) -> int:
        still_open = exists().where(
            DeliveryRow.broadcast_id == RenderingRow.broadcast_id, DeliveryRow.state.in_(OPEN)
        )
        await self._session.execute(delete(RenderingRow).where(~still_open))
        done = DeliveryRow.state.in_((DeliveryState.SENT, DeliveryState.CANCELLED))
        # What had an unknown outcome is counted for ever.
        uncertain = exists().where(PartRow.delivery_id == DeliveryRow.id, PartRow.unknowns > 0)
        old = done & (DeliveryRow.ended_at < before) & ~uncertain
        return changed_rows(await self._session.execute(delete(DeliveryRow).where(old)))

    # Looking

    async def find(self, which: DeliveryFilter, limit: int) -> Sequence[Delivery]:
        return await self._load(_matches(which), limit)

    async def counts(self) -> Mapping[DeliveryState, int]:
        rows = await self._session.execute(
            select(DeliveryRow.state, func.count()).group_by(DeliveryRow.state)
        )
        return {row[0]: row[1] for row in rows}

    async def progress(self, limit: int) -> Sequence[Progress]:
        return await Overview(self._session).progress(limit)

    async def unknowns(self) -> int:
        return await self._session.scalar(select(func.sum(PartRow.unknowns))) or 0

    async def _load(self, where: ColumnElement[bool], limit: int | None = None) -> Sequence[Delivery]:
        query = (
            select(DeliveryRow, ChatRow, BroadcastRow)
            .join(ChatRow, ChatRow.id == DeliveryRow.chat_id)
            .join(BroadcastRow, BroadcastRow.id == DeliveryRow.broadcast_id)
            .where(where)
            .order_by(DeliveryRow.due_at, DeliveryRow.id)
            .limit(limit)
            .execution_options(populate_existing=True)
        )
        rows = (await self._session.execute(query)).all()
        ids = [row.id for row, *_ in rows]
        posts, parts = await self._posts(ids), await self._parts(ids)
        return [
            Delivery(
                id=row.id,
                broadcast_id=row.broadcast_id,
                broadcast=to_broadcast(broadcast),
                chat=to_chat(chat),
                state=row.state,
                attempts=row.attempts,
                due_at=row.due_at,
                form=row.form,
                reason=row.reason,
                posts=tuple(posts[row.id]),
                parts=tuple(parts[row.id]),
            )
            for row, chat, broadcast in rows
        ]

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
        for delivery_id, post_id in await self._session.execute(query):
            posts[delivery_id or 0].append(post_id)
        return posts

    async def _parts(self, ids: Sequence[int]) -> Mapping[int, list[Part]]:
        query = select(PartRow).where(PartRow.delivery_id.in_(ids)).order_by(PartRow.delivery_id, PartRow.n)
        parts: dict[int, list[Part]] = defaultdict(list)
        for row in await self._session.scalars(query.execution_options(populate_existing=True)):
            parts[row.delivery_id].append(to_part(row))
        return parts


def _delivery_of(mark: Mark) -> int:
    return mark.part.delivery_id if isinstance(mark, PartEnded) else mark.delivery_id


def _is_arrival(mark: Mark) -> bool:
    """A fact, whoever tells it; everything else is a decision of the holder."""
    if isinstance(mark, PartEnded):
        return mark.part.state is PartState.SENT
    return isinstance(mark, Closed) and mark.state is DeliveryState.SENT


def _matches(which: DeliveryFilter) -> ColumnElement[bool]:
    where: ColumnElement[bool] = DeliveryRow.id > 0
    if which.states is not None:
        where &= DeliveryRow.state.in_(which.states)
    if which.chat_id is not None:
        where &= DeliveryRow.chat_id == which.chat_id
    if which.broadcast_id is not None:
        where &= DeliveryRow.broadcast_id == which.broadcast_id
    if which.reason is not None:
        where &= DeliveryRow.reason.icontains(which.reason, autoescape=True)
    return where
