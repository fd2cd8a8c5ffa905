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
from sqlalchemy.orm import aliased

from scheduler.ports import Edit, EditLimits, Stale
from scheduler.types import ChatAccess, ChatState, DeliveryState, LedgerState
from storage.deliveries import load_deliveries
from storage.models import ChatRow, DeliveryRow, EditRow, LedgerRow, PostRow
from storage.sql import is_open, table_of, upsert

_OTHER = aliased(DeliveryRow, name="other")


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
        which = select(DeliveryRow.__table__).where(DeliveryRow.id.in_(list(versions)))
        deliveries = await load_deliveries(self._connection, which)
        earlier: dict[int, list[Edit]] = {}
        rows = (
            select(table_of(EditRow)).where(EditRow.delivery_id.in_(list(versions))).order_by(EditRow.version)
        )
        for row in await self._connection.execute(rows):
            earlier.setdefault(row.delivery_id, []).append(_to_edit(row))
        return [Stale(one, versions[one.id], tuple(earlier.get(one.id, ()))) for one in deliveries]

    async def may_edit(self, chat_id: int, now: datetime, limits: EditLimits) -> bool:
        waiting = select(DeliveryRow.id).where(DeliveryRow.chat_id == chat_id, is_open(DeliveryRow.state))
        if await self._connection.scalar(waiting.limit(1)) is not None:
            return False
        edits = select(func.count()).where(
            EditRow.chat_id == chat_id, EditRow.at > now - limits.hour, EditRow.done
        )
        return (await self._connection.scalar(edits) or 0) < limits.of_chat

    async def record(self, chat_id: int, edit: Edit, now: datetime) -> None:
        delivery = select(DeliveryRow.id).where(DeliveryRow.id == edit.delivery_id)
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
        statement = upsert(self._connection, EditRow).values(values)
        changing = {name: values[name] for name in ("at", "shown", "done", "reason")}
        keys = [EditRow.delivery_id, EditRow.version]
        await self._connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changing))
        if edit.reason:  # where people look for what became of a delivery
            mine = update(DeliveryRow).where(DeliveryRow.id == edit.delivery_id)
            await self._connection.execute(mine.values(reason=f"not edited: {edit.reason}"))


def _to_edit(row: Row[Any]) -> Edit:
    return Edit(row.delivery_id, row.version, tuple(row.shown), row.done, row.reason)


@cache
def _stale() -> Select[int, datetime | None]:
    """Deliveries with the time at which their posts last changed, those that changed first first.

    Built once, because building it takes longer than what it finds, which is nothing nearly always.
    """
    since: BindParameter[datetime] = bindparam("since")
    version = func.max(PostRow.changed_at)
    return (
        select(DeliveryRow.id, version)
        .join_from(PostRow, LedgerRow, LedgerRow.post_id == PostRow.id)
        .join(DeliveryRow, DeliveryRow.id == LedgerRow.delivery_id)
        .join(ChatRow, ChatRow.id == DeliveryRow.chat_id)
        .where(
            PostRow.changed_at > since,
            LedgerRow.state == LedgerState.SENT,
            DeliveryRow.platform == bindparam("platform"),
            DeliveryRow.state == DeliveryState.SENT,
            DeliveryRow.ended_at > since,
            DeliveryRow.id.not_in(bindparam("without", expanding=True)),
            ChatRow.state == ChatState.ACTIVE,
            ChatRow.access != ChatAccess.BANNED,
            ChatRow.choices["edits"].as_boolean().is_not(False),
            ~_waits(),
            _edits_of_chat(bindparam("last_hour")) < bindparam("of_chat"),
            _edits_of_delivery() < bindparam("of_delivery"),
            ~_is_done(),
        )
        .group_by(DeliveryRow.id)
        .having(version <= bindparam("quiet_since"))
        .order_by(version, DeliveryRow.id)
        .limit(bindparam("most", type_=Integer))
    )


def _waits() -> ColumnElement[bool]:
    """Whether a delivery waits for the chat: new posts go before edits."""
    return exists(select(_OTHER.id).where(_OTHER.chat_id == DeliveryRow.chat_id, is_open(_OTHER.state)))


def _edits_of_chat(since: BindParameter[datetime]) -> ColumnElement[int]:
    edits = select(func.count()).where(
        EditRow.chat_id == DeliveryRow.chat_id, EditRow.at > since, EditRow.done
    )
    return edits.correlate(DeliveryRow).scalar_subquery()


def _edits_of_delivery() -> ColumnElement[int]:
    edits = select(func.count()).where(EditRow.delivery_id == DeliveryRow.id, EditRow.done)
    return edits.correlate(DeliveryRow).scalar_subquery()


def _is_done() -> ColumnElement[bool]:
    """Whether the messages show this version of the post, or cannot be edited any more."""
    settled = EditRow.done & ((EditRow.version >= PostRow.changed_at) | (EditRow.reason != ""))
    return exists().where(EditRow.delivery_id == DeliveryRow.id, settled)
