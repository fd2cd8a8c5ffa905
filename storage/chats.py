"""The repository of chats, including the merge of two chats after a group has moved."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.formats import Format, from_json
from scheduler.types import (
    OPEN,
    Chat,
    ChatAccess,
    ChatKind,
    ChatState,
    DeliveryState,
    LedgerState,
    OnUnknown,
    Place,
)
from storage.past import note_absence
from storage.sql import CHUNK, is_open, reserve_alone, upsert
from storage.tables import (
    BROADCAST_POSTS,
    BROADCASTS,
    CHATS,
    DELIVERIES,
    DIGESTS,
    DRAFTS,
    EDITS,
    LEDGER,
    PAST,
    SEARCHES,
    SUBSCRIPTIONS,
)

# Built once: every command and every press reads a chat.
_ONE = select(CHATS).where(CHATS.c.id == bindparam("chat"))
_AT_PLACE = select(CHATS).where(
    *(column == bindparam(column.name) for column in (CHATS.c.platform, CHATS.c.address, CHATS.c.topic))
)

# The reason of deliveries and posts that ended because two chats were merged.
UNITED = "united with a moved chat"


def to_chat(row: Row[*tuple[Any, ...]]) -> Chat:
    return Chat(
        id=row.id,
        place=Place(row.platform, row.address, row.topic),
        title=row.title,
        kind=row.kind,
        language=row.language,
        timezone=row.timezone,
        on_unknown=row.on_unknown,
        crosspost=row.crosspost,
        state=row.state,
        reason=row.reason,
        access=row.access,
        choices=from_json(row.choices),
        quiet=row.quiet,
        quiet_from=row.quiet_from,
        quiet_until=row.quiet_until,
    )


def _stricter(one: ChatAccess, other: ChatAccess) -> ChatAccess:
    """The access of a merged chat: a ban wins over an allowance, and that over the default."""
    for access in (ChatAccess.BANNED, ChatAccess.ALLOWED):
        if access in (one, other):
            return access
    return ChatAccess.DEFAULT


class SqlChats:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, chat_id: int) -> Chat | None:
        row = (await self._connection.execute(_ONE, {"chat": chat_id})).first()
        return None if row is None else to_chat(row)

    async def find(self, place: Place) -> Chat | None:
        row = (await self._connection.execute(_AT_PLACE, asdict(place))).first()
        return None if row is None else to_chat(row)

    async def ensure(self, place: Place, *, title: str = "", kind: ChatKind | None = None) -> Chat:
        chat = await self.find(place) or await self._add(place, title, kind or ChatKind.PRIVATE)
        given = replace(chat, title=title or chat.title, kind=kind or chat.kind)
        if given != chat:
            values = {"title": given.title, "kind": given.kind}
            await self._connection.execute(update(CHATS).where(CHATS.c.id == chat.id).values(values))
        return given

    async def _add(self, place: Place, title: str, kind: ChatKind) -> Chat:
        values = asdict(place) | {
            "title": title,
            "kind": kind,
            "on_unknown": OnUnknown.RESEND,
            "state": ChatState.ACTIVE,
        }
        # A new topic has what its group has.
        if place.topic and (around := await self.find(replace(place, topic=""))):
            values |= {"access": around.access, "language": around.language, "timezone": around.timezone}
        added = upsert(self._connection, CHATS).on_conflict_do_nothing().returning(CHATS)
        if row := (await self._connection.execute(added, values)).first():
            return to_chat(row)
        chat = await self.find(place)  # another process has added it meanwhile
        assert chat is not None
        return chat

    async def all(self) -> Sequence[Chat]:
        return await self._many(CHATS.c.id > 0)

    async def page(self, offset: int, limit: int) -> tuple[Sequence[Chat], int]:
        newest = select(CHATS).order_by(CHATS.c.id.desc()).offset(offset).limit(limit)
        rows = await self._connection.execute(newest)
        total = await self._connection.scalar(select(func.count()).select_from(CHATS))
        return [to_chat(row) for row in rows], total or 0

    async def accesses(self) -> Mapping[ChatAccess, int]:
        counted = select(CHATS.c.access, func.count()).group_by(CHATS.c.access)
        return {access: count for access, count in await self._connection.execute(counted)}

    async def at(self, platform: str, address: str) -> Sequence[Chat]:
        return await self._many((CHATS.c.platform == platform) & (CHATS.c.address == address))

    async def set_state(self, chat_id: int, state: ChatState, reason: str) -> None:
        changed = update(CHATS).where(CHATS.c.id == chat_id)
        await self._connection.execute(changed.values(state=state, reason=reason))
        await note_absence(self._connection, chat_id)

    async def set_access(self, chat_id: int, access: ChatAccess) -> None:
        await self._connection.execute(update(CHATS).where(CHATS.c.id == chat_id).values(access=access))
        await note_absence(self._connection, chat_id)

    async def save(self, chat: Chat) -> None:
        values = {
            "language": chat.language,
            "timezone": chat.timezone,
            "on_unknown": chat.on_unknown,
            "crosspost": chat.crosspost,
        }
        await self._connection.execute(update(CHATS).where(CHATS.c.id == chat.id).values(values))

    async def set_choices(self, chat_id: int, choices: Format) -> None:
        chosen = dict(choices.chosen) or None
        await self._connection.execute(update(CHATS).where(CHATS.c.id == chat_id).values(choices=chosen))

    async def set_quiet(
        self, chat_id: int, quiet: str, quiet_from: datetime | None, quiet_until: datetime | None
    ) -> None:
        values = {"quiet": quiet, "quiet_from": quiet_from, "quiet_until": quiet_until}
        await self._connection.execute(update(CHATS).where(CHATS.c.id == chat_id).values(values))

    async def quiet_until(self, now: datetime) -> Sequence[Chat]:
        return await self._many(CHATS.c.quiet_until <= now)

    async def remove(self, chat_ids: Sequence[int]) -> None:
        # Otherwise a concurrent fan-out could create a delivery for a deleted chat.
        await reserve_alone(self._connection)
        other = DELIVERIES.alias()
        for_others = exists().where(
            other.c.broadcast_id == DELIVERIES.c.broadcast_id, other.c.chat_id.not_in(chat_ids)
        )
        only_theirs = select(DELIVERIES.c.broadcast_id).where(DELIVERIES.c.chat_id.in_(chat_ids), ~for_others)
        # Read them before the deliveries are deleted together with the chats.
        broadcasts = list(await self._connection.scalars(only_theirs))
        await self._connection.execute(delete(CHATS).where(CHATS.c.id.in_(chat_ids)))
        for start in range(0, len(broadcasts), CHUNK):
            some = BROADCASTS.c.id.in_(broadcasts[start : start + CHUNK])
            await self._connection.execute(delete(BROADCASTS).where(some))
        # Do not delete the rows: SQLite would reuse the highest id. Upkeep deletes them later.
        searches = update(SEARCHES).where(SEARCHES.c.chat_id.in_(chat_ids))
        await self._connection.execute(
            searches.values(query="", ids=[], total=0, corrections=[], chat_id=None)
        )

    async def move(self, platform: str, old: str, new: str) -> None:
        if old == new:
            return
        # The new address has chats already if people used the bot there before the move was reported.
        there = {chat.place.topic: chat for chat in await self.at(platform, new)}
        for chat in await self.at(platform, old):
            double = there.get(chat.place.topic)
            if double is not None:
                await self._unite(chat.id, double.id)
                chat = replace(chat, access=_stricter(chat.access, double.access))
            moved = update(CHATS).where(CHATS.c.id == chat.id)
            values = {"address": new, "state": ChatState.ACTIVE, "reason": "", "access": chat.access}
            await self._connection.execute(moved.values(values))
            await note_absence(self._connection, chat.id)

    async def _unite(self, keep: int, drop: int) -> None:
        """Merge chat `drop` into chat `keep`: ledger, deliveries, subscriptions, digest. Settings stay."""
        await self._unite_deliveries(keep, drop)
        await self._unite_ledgers(keep, drop)
        followed = select(SUBSCRIPTIONS.c.scope).where(SUBSCRIPTIONS.c.chat_id == keep)
        lives = update(PAST).where(PAST.c.chat_id == drop, PAST.c.scope.not_in(followed.scalar_subquery()))
        await self._connection.execute(lives.values(chat_id=keep))
        missing = (SUBSCRIPTIONS.c.chat_id == drop) & SUBSCRIPTIONS.c.scope.not_in(followed.scalar_subquery())
        await self._connection.execute(update(SUBSCRIPTIONS).where(missing).values(chat_id=keep))
        await self._unite_digests(keep, drop)
        await self._connection.execute(update(EDITS).where(EDITS.c.chat_id == drop).values(chat_id=keep))
        await self._connection.execute(delete(CHATS).where(CHATS.c.id == drop))

    async def _unite_digests(self, keep: int, drop: int) -> None:
        """Move drafts, and the digests if chat `keep` has none; else what they contained joins its first."""
        first = await self._connection.scalar(select(func.min(DIGESTS.c.id)).where(DIGESTS.c.chat_id == keep))
        of_dropped = DIGESTS.c.chat_id == drop
        if first is None:
            await self._connection.execute(update(DIGESTS).where(of_dropped).values(chat_id=keep))
        else:
            dropped = select(DIGESTS.c.id).where(of_dropped).scalar_subquery()
            moved = update(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.digest_id.in_(dropped))
            await self._connection.execute(moved.values(digest_id=first))
        await self._connection.execute(update(DRAFTS).where(DRAFTS.c.chat_id == drop).values(chat_id=keep))

    async def _unite_deliveries(self, keep: int, drop: int) -> None:
        """Move deliveries to chat `keep`, which must have at most one delivery of a broadcast.

        If both chats have one, the ledger rows of the other delivery are moved to the kept one. A cancelled
        delivery of `keep` gives way to one of `drop` that was not cancelled.
        """
        of_kept, of_dropped = DELIVERIES.c.chat_id == keep, DELIVERIES.c.chat_id == drop
        alive = select(DELIVERIES.c.broadcast_id).where(
            of_dropped, DELIVERIES.c.state != DeliveryState.CANCELLED
        )
        cancelled = of_kept & (DELIVERIES.c.state == DeliveryState.CANCELLED)
        replaced = cancelled & DELIVERIES.c.broadcast_id.in_(alive.scalar_subquery())
        await self._connection.execute(delete(DELIVERIES).where(replaced))
        kept = select(DELIVERIES.c.broadcast_id).where(of_kept).scalar_subquery()
        movable = of_dropped & DELIVERIES.c.broadcast_id.not_in(kept)
        await self._connection.execute(update(DELIVERIES).where(movable).values(chat_id=keep))
        # The remaining deliveries of `drop` have a twin in `keep`. Their ledger rows go to the twin.
        twin = DELIVERIES.alias()
        twin_id = (
            select(twin.c.id)
            .join(DELIVERIES, DELIVERIES.c.broadcast_id == twin.c.broadcast_id)
            .where(twin.c.chat_id == keep, DELIVERIES.c.id == LEDGER.c.delivery_id)
            .correlate(LEDGER)
            .scalar_subquery()
        )
        doubles = select(DELIVERIES.c.id).where(of_dropped).scalar_subquery()
        promised = update(LEDGER).where(LEDGER.c.delivery_id.in_(doubles))
        await self._connection.execute(promised.values(delivery_id=twin_id))

    async def _unite_ledgers(self, keep: int, drop: int) -> None:
        # A post that was sent to one of the two counts as sent for the merged chat.
        sent = select(LEDGER.c.post_key).where(LEDGER.c.chat_id == drop, LEDGER.c.state == LedgerState.SENT)
        promised = (LEDGER.c.chat_id == keep) & (LEDGER.c.state != LedgerState.SENT)
        already = promised & LEDGER.c.post_key.in_(sent.scalar_subquery())
        await self._connection.execute(
            update(LEDGER).where(already).values(state=LedgerState.SENT, delivery_id=None)
        )
        kept = select(LEDGER.c.post_key).where(LEDGER.c.chat_id == keep)
        movable = (LEDGER.c.chat_id == drop) & LEDGER.c.post_key.not_in(kept.scalar_subquery())
        await self._connection.execute(update(LEDGER).where(movable).values(chat_id=keep))
        await self._connection.execute(delete(LEDGER).where(LEDGER.c.chat_id == drop))
        # A reservation whose delivery has ended would never be sent.
        ended = select(DELIVERIES.c.id).where(DELIVERIES.c.chat_id == keep, DELIVERIES.c.state.not_in(OPEN))
        orphaned = (LEDGER.c.state == LedgerState.RESERVED) & LEDGER.c.delivery_id.in_(
            ended.scalar_subquery()
        )
        await self._connection.execute(
            update(LEDGER).where(orphaned).values(state=LedgerState.FAILED, reason=UNITED)
        )
        await self._cancel_emptied(keep)

    async def _cancel_emptied(self, chat_id: int) -> None:
        """Cancel open deliveries whose posts are no longer reserved in the ledger."""
        had_posts = exists().where(BROADCAST_POSTS.c.broadcast_id == DELIVERIES.c.broadcast_id)
        promised = select(LEDGER.c.delivery_id).where(
            LEDGER.c.delivery_id == DELIVERIES.c.id, LEDGER.c.state == LedgerState.RESERVED
        )
        waiting = (DELIVERIES.c.chat_id == chat_id) & is_open(DELIVERIES.c.state)
        emptied = waiting & had_posts & ~promised.exists()
        await self._connection.execute(
            update(DELIVERIES)
            .where(emptied)
            .values(state=DeliveryState.CANCELLED, reason=UNITED, ended_at=DELIVERIES.c.due_at)
        )

    async def _many(self, where: ColumnElement[bool]) -> Sequence[Chat]:
        query = select(CHATS).where(where).order_by(CHATS.c.id)
        return [to_chat(row) for row in await self._connection.execute(query)]
