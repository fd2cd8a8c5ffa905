"""SQL helpers, among them all that the two dialects spell differently."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BindParameter,
    ClauseElement,
    ColumnElement,
    Connection,
    Dialect,
    Table,
    bindparam,
    delete,
    func,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler

from scheduler.types import OPEN, DeliveryState

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

# SQLite takes at most 32,766 parameters a statement, asyncpg 32,767.
CHUNK = 5_000


def is_sqlite(connection: AsyncConnection) -> bool:
    return connection.dialect.name == "sqlite"


def table_of(entity: type[DeclarativeBase]) -> Table:
    """The table of an entity, for statements that do not need the ORM."""
    table = entity.__table__
    assert isinstance(table, Table)
    return table


class ManyRows:
    """A statement for many rows: compiled once, its parameters built here.

    SQLAlchemy takes several times as long to build the parameters of a row as SQLite takes to write it.
    """

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler) and compiled.positiontup is not None
        self._text = str(compiled)
        self._names = compiled.positiontup
        types = (compiled.binds[name].type.dialect_impl(dialect) for name in self._names)
        self._processors = [type_.bind_processor(dialect) for type_ in types]

    def run(self, connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
        if not rows:
            return
        columns: list[Iterable[object]] = []
        for name, process in zip(self._names, self._processors, strict=True):
            values = [row[name] for row in rows]
            columns.append(_processed(values, process) if process else values)
        connection.exec_driver_sql(self._text, list(zip(*columns, strict=True)))


def _processed(values: Iterable[object], process: Callable[[Any], Any]) -> Iterator[object]:
    """Consecutive values are often equal (states, times, posts), and equal ones are processed once."""
    last: object = None
    done = process(None)
    for value in values:
        if value != last:
            last, done = value, process(value)
        yield done


def is_open(
    state: ColumnElement[DeliveryState] | InstrumentedAttribute[DeliveryState],
) -> ColumnElement[bool]:
    """Whether a delivery is open. The states are literals: a partial index does not match parameters."""
    states: BindParameter[Any] = bindparam("open", OPEN, expanding=True, literal_execute=True, unique=True)
    return state.in_(states)


def insert_into(table: Table, dialect: Dialect) -> "sqlite.Insert | postgresql.Insert":
    """An INSERT of the dialect, which has ON CONFLICT."""
    if dialect.name == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # loading it is a tenth of a start

    return postgresql.insert(table)


def upsert(connection: AsyncConnection, table: type[DeclarativeBase]) -> "sqlite.Insert | postgresql.Insert":
    """An INSERT of the connection's dialect, which has ON CONFLICT."""
    return insert_into(table_of(table), connection.dialect)


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
    table: type[DeclarativeBase],
    key: InstrumentedAttribute[int],
    old: ColumnElement[bool],
    limit: int,
) -> int:
    """Delete at most `limit` old rows, in the order of `key`; returns how many."""
    some = select(key).where(old).order_by(key).limit(limit)
    return changed_rows(await connection.execute(delete(table).where(key.in_(some.scalar_subquery()))))
