"""SQL helpers, among them all that the two dialects spell differently."""

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    ColumnElement,
    Dialect,
    Table,
    any_,
    bindparam,
    delete,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from scheduler.types import OPEN, DeliveryState

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

# SQLite takes at most 32,766 parameters a statement, asyncpg 32,767.
CHUNK = 5_000


def is_sqlite(connection: AsyncConnection) -> bool:
    return connection.dialect.name == "sqlite"


def among(
    column: ColumnElement[int] | ColumnElement[int | None], ids: str, dialect: Dialect
) -> ColumnElement[bool]:
    """Whether a column is one of the ids that a parameter lists.

    The statement is the same for any number of ids, so it is compiled once. `IN` has a parameter for each.
    """
    if dialect.name == "sqlite":
        listed = func.json_each(bindparam(ids, type_=JSON)).table_valued("value")
        return column.in_(select(listed.c.value))
    return column == any_(bindparam(ids, type_=ARRAY(BigInteger)))


def literally(word: StrEnum) -> ColumnElement[Any]:
    """A word in the text of a statement. SQLite plans once for it, and a partial index matches it."""
    return literal_column(f"'{word}'")


def is_open(state: ColumnElement[DeliveryState]) -> ColumnElement[bool]:
    """Whether a delivery is open."""
    return state.in_([literally(word) for word in OPEN])


def insert_into(table: Table, dialect: Dialect) -> "sqlite.Insert | postgresql.Insert":
    """An INSERT of the dialect, which has ON CONFLICT."""
    if dialect.name == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # loading it is a tenth of a start

    return postgresql.insert(table)


def upsert(connection: AsyncConnection, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """An INSERT of the connection's dialect, which has ON CONFLICT."""
    return insert_into(table, connection.dialect)


# Keys of PostgreSQL's advisory locks: "skyw" in ASCII, and the next one.
MIGRATION_LOCK = 0x736B7977
RESERVATION_LOCK = MIGRATION_LOCK + 1
_RESERVE = select(func.pg_advisory_xact_lock(RESERVATION_LOCK))


async def reserve_alone(connection: AsyncConnection) -> None:
    """Make reservations one transaction at a time: two at once may deadlock on each other's rows."""
    if not is_sqlite(connection):  # SQLite has one writer at a time anyway
        await connection.execute(_RESERVE)


def changed_rows(result: Any) -> int:
    """How many rows an UPDATE or DELETE changed."""
    return int(result.rowcount)


async def prune(
    connection: AsyncConnection,
    table: Table,
    key: ColumnElement[int],
    old: ColumnElement[bool],
    limit: int,
) -> int:
    """Delete at most `limit` old rows, in the order of `key`; returns how many."""
    some = select(key).where(old).order_by(key).limit(limit)
    return changed_rows(await connection.execute(delete(table).where(key.in_(some.scalar_subquery()))))
