"""Which messages show an older version of their posts, and what became of their edits."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Row,
    Select,
    bindparam,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from scheduler.ports import Edit, EditLimits, Stale
from scheduler.types import ChatAccess, ChatState, DeliveryState, LedgerState
from storage.deliveries import load_deliveries
from storage.sql import is_open, upsert
from storage.tables import CHATS, DELIVERIES, EDITS, LEDGER, POSTS

_OTHER = DELIVERIES.alias("other")


class SqlEdits:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def stale(
        self, platform: str, now: datetime, limits: EditLimits, limit: int, without: Collection[int]
    ) -> Sequence[Stale]:
        values = {
            "platform": platform,
            "since": now - limits.age,
            "last_hour": now - limits.hour,
            "quiet_since": now - limits.quiet,
            "of_chat": limits.of_chat,
            "of_delivery": limits.of_delivery,
            "without": list(without),
            "most": limit,
        }
        found = await self._connection.execute(_stale(), values)
        versions = {delivery_id: version for delivery_id, version in found if version}
        if not versions:
            return []
        which = select(DELIVERIES).where(DELIVERIES.c.id.in_(list(versions)))
        deliveries = await load_deliveries(self._connection, which)
        earlier: dict[int, list[Edit]] = {}
        rows = select(EDITS).where(EDITS.c.delivery_id.in_(list(versions))).order_by(EDITS.c.version)
        for row in await self._connection.execute(rows):
            earlier.setdefault(row.delivery_id, []).append(_to_edit(row))
        return [Stale(one, versions[one.id], tuple(earlier.get(one.id, ()))) for one in deliveries]

    async def may_edit(self, chat_id: int, now: datetime, limits: EditLimits) -> bool:
        waiting = select(DELIVERIES.c.id).where(DELIVERIES.c.chat_id == chat_id, is_open(DELIVERIES.c.state))
        if await self._connection.scalar(waiting.limit(1)) is not None:
            return False
        edits = select(func.count()).where(
            EDITS.c.chat_id == chat_id, EDITS.c.at > now - limits.hour, EDITS.c.done
        )
        return (await self._connection.scalar(edits) or 0) < limits.of_chat

    async def record(self, chat_id: int, edit: Edit, now: datetime) -> None:
        delivery = select(DELIVERIES.c.id).where(DELIVERIES.c.id == edit.delivery_id)
        if await self._connection.scalar(delivery.with_for_update(read=True, key_share=True)) is None:
            return  # deleted meanwhile, perhaps with its chat
        values = {
            "delivery_id": edit.delivery_id,
            "version": edit.version,
            "chat_id": chat_id,
            "at": now,
            "shown": list(edit.shown),
            "done": edit.done,
            "reason": edit.reason,
        }
        statement = upsert(self._connection, EDITS).values(values)
        changing = {name: values[name] for name in ("at", "shown", "done", "reason")}
        keys = ["delivery_id", "version"]
        await self._connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changing))
        if edit.reason:  # where people look for what became of a delivery
            mine = update(DELIVERIES).where(DELIVERIES.c.id == edit.delivery_id)
            await self._connection.execute(mine.values(reason=f"not edited: {edit.reason}"))


def _to_edit(row: Row[Any]) -> Edit:
    return Edit(row.delivery_id, row.version, tuple(row.shown), row.done, row.reason)


@cache
def _stale() -> Select[int, datetime | None]:
    """Deliveries with the time at which their posts last changed, those that changed first first.

    Built once, because building it takes longer than what it finds, which is nothing nearly always.
    """
    since: BindParameter[datetime] = bindparam("since")
    version = func.max(POSTS.c.changed_at)
    return (
        select(DELIVERIES.c.id, version)
        .join_from(POSTS, LEDGER, LEDGER.c.post_id == POSTS.c.id)
        .join(DELIVERIES, DELIVERIES.c.id == LEDGER.c.delivery_id)
        .join(CHATS, CHATS.c.id == DELIVERIES.c.chat_id)
        .where(
            POSTS.c.changed_at > since,
            LEDGER.c.state == LedgerState.SENT,
            DELIVERIES.c.platform == bindparam("platform"),
            DELIVERIES.c.state == DeliveryState.SENT,
            DELIVERIES.c.ended_at > since,
            DELIVERIES.c.id.not_in(bindparam("without", expanding=True)),
            CHATS.c.state == ChatState.ACTIVE,
            CHATS.c.access != ChatAccess.BANNED,
            CHATS.c.choices["edits"].as_boolean().is_not(False),
            ~_waits(),
            _edits_of_chat(bindparam("last_hour")) < bindparam("of_chat"),
            _edits_of_delivery() < bindparam("of_delivery"),
            ~_is_done(),
        )
        .group_by(DELIVERIES.c.id)
        .having(version <= bindparam("quiet_since"))
        .order_by(version, DELIVERIES.c.id)
        .limit(bindparam("most", type_=Integer))
    )


def _waits() -> ColumnElement[bool]:
    """Whether a delivery waits for the chat: new posts go before edits."""
    return exists(
        select(_OTHER.c.id).where(_OTHER.c.chat_id == DELIVERIES.c.chat_id, is_open(_OTHER.c.state))
    )


def _edits_of_chat(since: BindParameter[datetime]) -> ColumnElement[int]:
    edits = select(func.count()).where(
        EDITS.c.chat_id == DELIVERIES.c.chat_id, EDITS.c.at > since, EDITS.c.done
    )
    return edits.correlate(DELIVERIES).scalar_subquery()


def _edits_of_delivery() -> ColumnElement[int]:
    edits = select(func.count()).where(EDITS.c.delivery_id == DELIVERIES.c.id, EDITS.c.done)
    return edits.correlate(DELIVERIES).scalar_subquery()


def _is_done() -> ColumnElement[bool]:
    """Whether the messages show this version of the post, or cannot be edited any more."""
    settled = EDITS.c.done & ((EDITS.c.version >= POSTS.c.changed_at) | (EDITS.c.reason != ""))
    return exists().where(EDITS.c.delivery_id == DELIVERIES.c.id, settled)
