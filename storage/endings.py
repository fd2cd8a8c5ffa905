"""Subscriptions that were ended: kept for a while, so that they can be restored as they were."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.sql import prune, upsert
from storage.tables import ENDINGS, POSTS, SOURCES, SUBSCRIPTIONS, UtcDateTime

# Copied are all other columns, those of later versions too.
OWN = ("id", "chat_id", "began_after")


class SqlEndings:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def keep(self, chat_id: int, ids: Collection[int], now: datetime) -> int:
        wanted = (
            select(SUBSCRIPTIONS)
            .where(SUBSCRIPTIONS.c.chat_id == chat_id, SUBSCRIPTIONS.c.id.in_(ids))
            .order_by(SUBSCRIPTIONS.c.id)
        )
        found = (await self._connection.execute(wanted)).mappings()
        rows = [{name: _plain(value) for name, value in row.items() if name not in OWN} for row in found]
        ended = {"chat_id": chat_id, "ended_at": now, "rows": rows}
        return (await self._connection.scalars(insert(ENDINGS).returning(ENDINGS.c.id), ended)).one()

    async def restore(self, chat_id: int, number: int) -> int | None:
        mine = (ENDINGS.c.id == number) & (ENDINGS.c.chat_id == chat_id)
        rows = await self._connection.scalar(select(ENDINGS.c.rows).where(mine))
        if rows is None:
            return None
        await self._connection.execute(delete(ENDINGS).where(mine))
        return sum([await self._restore(chat_id, row) for row in rows])

    async def prune(self, before: datetime, limit: int) -> int:
        return await prune(self._connection, ENDINGS, ENDINGS.c.id, ENDINGS.c.ended_at < before, limit)

    async def _restore(self, chat_id: int, row: Mapping[str, Any]) -> int:
        """Restore one subscription; 0 if its source is gone, or if the chat follows it again.

        An ending of an earlier version may have columns that no longer exist.
        """
        values = {
            name: await self._value(name, value) for name, value in row.items() if name in SUBSCRIPTIONS.c
        }
        if row["source_id"] is not None and values["source_id"] is None:
            return 0
        # A digest also has the posts that came meanwhile.
        newest = await self._connection.scalar(select(func.max(POSTS.c.id))) or 0
        values["began_after"] = values["starts_after"] if values.get("digest_id") else newest
        statement = upsert(self._connection, SUBSCRIPTIONS).values(chat_id=chat_id, **values)
        added = statement.on_conflict_do_nothing().returning(SUBSCRIPTIONS.c.id)
        if await self._connection.scalar(added) is None:
            return 0
        followed = update(SOURCES).where(SOURCES.c.id == values["source_id"])
        await self._connection.execute(followed.values(unfollowed_since=None))
        return 1

    async def _value(self, name: str, value: Any) -> Any:
        """The value of a column; None for one that refers to a row that is gone."""
        column = SUBSCRIPTIONS.c[name]
        if value is not None and isinstance(column.type, UtcDateTime):
            return datetime.fromisoformat(value)
        for key in column.foreign_keys if value is not None else ():
            if not await self._connection.scalar(select(exists().where(key.column == value))):
                return None
        return value


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
