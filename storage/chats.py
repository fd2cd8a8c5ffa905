"""Chats: where posts go, and what happens when such a place moves."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from scheduler.types import (
    OPEN,
    Chat,
    ChatKind,
    ChatState,
    DeliveryState,
    LedgerState,
    OnUnknown,
    Place,
)
from storage.models import ChatRow, DeliveryRow, LedgerRow, SubscriptionRow
from storage.sql import upsert


def to_chat(row: ChatRow) -> Chat:
    return Chat(
        id=row.id,
        place=Place(row.platform, row.address, row.topic),
        title=row.title,
        kind=row.kind,
        language=row.language,
        timezone=row.timezone,
        on_unknown=row.on_unknown,
        state=row.state,
        reason=row.reason,
    )


def at_place(place: Place) -> ColumnElement[bool]:
    return (
        (ChatRow.platform == place.platform)
        & (ChatRow.address == place.address)
        & (ChatRow.topic == place.topic)
    )


class SqlChats:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, chat_id: int) -> Chat | None:
        row = await self._session.get(ChatRow, chat_id, populate_existing=True)
        return None if row is None else to_chat(row)

    async def find(self, place: Place) -> Chat | None:
        found = await self._many(at_place(place))
        return found[0] if found else None

    async def ensure(self, place: Place, *, title: str = "", kind: ChatKind | None = None) -> Chat:
        given: dict[str, object] = {"title": title} if title else {}
        if kind:
            given["kind"] = kind
        fresh = {
            "platform": place.platform,
            "address": place.address,
            "topic": place.topic,
            "title": title,
            "kind": kind or ChatKind.PRIVATE,
            "on_unknown": OnUnknown.RESEND,
            "state": ChatState.ACTIVE,
        }
        insert = upsert(self._session, ChatRow).values(fresh)
        await self._session.execute(insert.on_conflict_do_nothing())
        if given:
            await self._session.execute(update(ChatRow).where(at_place(place)).values(given))
        return (await self._many(at_place(place)))[0]

    async def all(self) -> Sequence[Chat]:
        return await self._many(ChatRow.id > 0)

    async def at(self, platform: str, address: str) -> Sequence[Chat]:
        return await self._many((ChatRow.platform == platform) & (ChatRow.address == address))

    async def set_state(self, chat_id: int, state: ChatState, reason: str) -> None:
        changed = update(ChatRow).where(ChatRow.id == chat_id)
        await self._session.execute(changed.values(state=state, reason=reason))

    async def set_language(self, chat_id: int, language: str) -> None:
        await self._session.execute(update(ChatRow).where(ChatRow.id == chat_id).values(language=language))

    async def move(self, platform: str, old: str, new: str) -> None:
        there = {chat.place.topic: chat for chat in await self.at(platform, new)}
        for chat in await self.at(platform, old):
            double = there.get(chat.place.topic)
            if double is not None:
                await self._unite(chat.id, double.id)
            moved = update(ChatRow).where(ChatRow.id == chat.id)
            await self._session.execute(moved.values(address=new, state=ChatState.ACTIVE, reason=""))

    async def _unite(self, keep: int, drop: int) -> None:
        """Let one chat take over what another was sent, promised and follows; its own settings win."""
        await self._unite_ledgers(keep, drop)
        kept = select(DeliveryRow.broadcast_id).where(DeliveryRow.chat_id == keep)
        movable = (DeliveryRow.chat_id == drop) & DeliveryRow.broadcast_id.not_in(kept.scalar_subquery())
        await self._session.execute(update(DeliveryRow).where(movable).values(chat_id=keep))
        followed = select(SubscriptionRow.scope).where(SubscriptionRow.chat_id == keep)
        missing = (SubscriptionRow.chat_id == drop) & SubscriptionRow.scope.not_in(followed.scalar_subquery())
        await self._session.execute(update(SubscriptionRow).where(missing).values(chat_id=keep))
        await self._session.execute(delete(ChatRow).where(ChatRow.id == drop))

    async def _unite_ledgers(self, keep: int, drop: int) -> None:
        sent = select(LedgerRow.post_key).where(
            LedgerRow.chat_id == drop, LedgerRow.state == LedgerState.SENT
        )
        promised = (LedgerRow.chat_id == keep) & (LedgerRow.state != LedgerState.SENT)
        already = promised & LedgerRow.post_key.in_(sent.scalar_subquery())
        await self._session.execute(
            update(LedgerRow).where(already).values(state=LedgerState.SENT, delivery_id=None)
        )
        kept = select(LedgerRow.post_key).where(LedgerRow.chat_id == keep)
        movable = (LedgerRow.chat_id == drop) & LedgerRow.post_key.not_in(kept.scalar_subquery())
        await self._session.execute(update(LedgerRow).where(movable).values(chat_id=keep))
        await self._session.execute(delete(LedgerRow).where(LedgerRow.chat_id == drop))
        await self._cancel_emptied(keep, drop)

    async def _cancel_emptied(self, *chat_ids: int) -> None:
        """Close deliveries that had posts of which the ledger now promises none."""
        promised = select(LedgerRow.delivery_id).where(
            LedgerRow.delivery_id == DeliveryRow.id, LedgerRow.state == LedgerState.RESERVED
        )
        emptied = DeliveryRow.chat_id.in_(chat_ids) & DeliveryRow.state.in_(OPEN) & ~promised.exists()
        await self._session.execute(
            update(DeliveryRow)
            .where(emptied)
            .values(state=DeliveryState.CANCELLED, reason="united with a moved chat")
        )

    async def _many(self, where: ColumnElement[bool]) -> Sequence[Chat]:
        query = select(ChatRow).where(where).order_by(ChatRow.id).execution_options(populate_existing=True)
        return [to_chat(row) for row in await self._session.scalars(query)]
