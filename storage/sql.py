"""SQL helpers, among them all that the two dialects spell differently."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    BindParameter,
    ClauseElement,
    ColumnElement,
    Connection,
    Dialect,
    Table,
    any_,
    bindparam,
    delete,
    func,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler

from scheduler.types import OPEN, DeliveryState

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

Rows: TypeAlias = Sequence[Mapping[str, object]]

# SQLite takes at most 32,766 parameters a statement, asyncpg 32,767.
CHUNK = 5_000


def is_sqlite(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "sqlite"


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
        self.text = str(compiled)
        self._names = compiled.positiontup
        types = (compiled.binds[name].type.dialect_impl(dialect) for name in self._names)
        self._processors = [type_.bind_processor(dialect) for type_ in types]

    def parameters(self, rows: Rows) -> Sequence[Sequence[object]]:
        """The parameters of each row, in the order of the statement."""
        columns: list[Iterable[object]] = []
        for name, process in zip(self._names, self._processors, strict=True):
            values = [row[name] for row in rows]
            columns.append(_processed(values, process) if process else values)
        return list(zip(*columns, strict=True))


def _processed(values: Iterable[object], process: Callable[[Any], Any]) -> Iterator[object]:
    """Consecutive values are often equal (states, times, posts), and equal ones are processed once."""
    last: object = None
    done = process(None)
    for value in values:
        if value is not last and value != last:
            last, done = value, process(value)
        yield done


def write(connection: Connection, *batches: tuple[ManyRows, Rows]) -> None:
    """Execute each statement for its rows, in order; on SQLite in one call of the connection's thread."""
    ready = [(one.text, one.parameters(rows)) for one, rows in batches if rows]
    if not ready:
        return
    if connection.dialect.name == "sqlite":
        opened: Any = connection.connection.dbapi_connection
        opened.run_async(lambda driver: driver.write(ready))
        return
    for text, parameters in ready:
        connection.exec_driver_sql(text, parameters)


def among(column: ColumnElement[int], ids: str, dialect: Dialect) -> ColumnElement[bool]:
    """Whether a column is one of the ids that a parameter lists.

    The statement is the same for any number of ids, so it is compiled once. `IN` has a parameter for each.
    """
    if dialect.name == "sqlite":
        listed = func.json_each(bindparam(ids, type_=JSON)).table_valued("value")
        return column.in_(select(listed.c.value))
    return column == any_(bindparam(ids, type_=ARRAY(BigInteger)))


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


def upsert(session: AsyncSession, table: type[DeclarativeBase]) -> "sqlite.Insert | postgresql.Insert":
    """An INSERT of the session's dialect, which has ON CONFLICT."""
    return insert_into(table_of(table), session.get_bind().dialect)


# Keys of PostgreSQL's advisory locks: "skyw" in ASCII, and the next one.
MIGRATION_LOCK = 0x736B7977
RESERVATION_LOCK = MIGRATION_LOCK + 1


async def reserve_alone(session: AsyncSession) -> None:
    """Make reservations one transaction at a time: two at once may deadlock on each other's rows."""
    if not is_sqlite(session):  # SQLite has one writer at a time anyway
        await session.execute(select(func.pg_advisory_xact_lock(RESERVATION_LOCK)))


def changed_rows(result: Any) -> int:
    """How many rows an UPDATE or DELETE changed."""
    return int(result.rowcount)


async def prune(
    session: AsyncSession,
    table: type[DeclarativeBase],
    key: InstrumentedAttribute[int],
    old: ColumnElement[bool],
    limit: int,
) -> int:
    """Delete at most `limit` old rows, in the order of `key`; returns how many."""
    some = select(key).where(old).order_by(key).limit(limit)
    return changed_rows(await session.execute(delete(table).where(key.in_(some.scalar_subquery()))))
