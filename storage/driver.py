"""aiosqlite with as few calls of its thread as possible: each takes longer than most statements do.

SQLAlchemy asks the driver for a cursor, executes, fetches and closes; it begins before the first statement,
and rolls back after a commit. Here each statement is one call, the first one begins the transaction, and
nothing is rolled back where nothing was done.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import closing
from typing import Any, TypeAlias, TypeVar, cast

import aiosqlite

CHUNK = 64  # rows that aiosqlite's own cursors fetch at once; ours fetch all


T = TypeVar("T")
Parameters: TypeAlias = Sequence[Any]


class Connection(aiosqlite.Connection):
    """A connection whose cursors do nothing until they execute."""

    _begin = ""  # what begins the next transaction
    _used = False  # whether anything was executed since the last transaction ended

    def cursor(self) -> Any:
        return Cursor(self)

    def begin(self, sql: str) -> None:
        """Begin a transaction with the next statement. `sql` is BEGIN or BEGIN IMMEDIATE."""
        self._begin = sql

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function with SQLite's connection and the arguments, in the thread."""
        self._used = True
        call = self._execute(_in_transaction, self._conn, self._begin, function, arguments)  # type: ignore[no-untyped-call]
        return cast(T, await call)

    async def read(self, queries: Iterable[tuple[str, Parameters]]) -> list[list[Any]]:
        """Execute several statements in one call; returns the rows of each."""
        return await self.run(_read, queries)

    async def write(self, batches: Iterable[tuple[str, Sequence[Parameters]]]) -> None:
        """Execute several statements in one call, each for all of its parameters."""
        await self.run(_write, batches)

    async def commit(self) -> None:
        await self._end(super().commit)

    async def rollback(self) -> None:
        await self._end(super().rollback)

    async def _end(self, end: Callable[[], Awaitable[None]]) -> None:
        self._begin = ""
        if self._used:
            await end()
            self._used = False  # not if this was cancelled: then nobody knows what was done


def _in_transaction(
    connection: sqlite3.Connection, begin: str, function: Callable[..., T], arguments: Sequence[Any]
) -> T:
    if begin and not connection.in_transaction:
        connection.execute(begin)
    return function(connection, *arguments)


def _read(connection: sqlite3.Connection, queries: Iterable[tuple[str, Parameters]]) -> list[list[Any]]:
    with closing(connection.cursor()) as cursor:
        return [cursor.execute(sql, parameters).fetchall() for sql, parameters in queries]


def _write(connection: sqlite3.Connection, batches: Iterable[tuple[str, Sequence[Parameters]]]) -> None:
    with closing(connection.cursor()) as cursor:
        for sql, parameters in batches:
            cursor.executemany(sql, parameters)


class Cursor:
    """One statement and all of its rows. It has what SQLAlchemy's adapter of aiosqlite needs."""

    __slots__ = ("_connection", "_rows", "description", "lastrowid", "rowcount")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount, self.lastrowid = -1, cast(int | None, None)

    async def __aenter__(self) -> "Cursor":
        return self

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> None:
        await self._connection.run(self._fill, "execute", sql, parameters)

    async def executemany(self, sql: str, parameters: Iterable[Any]) -> None:
        await self._connection.run(self._fill, "executemany", sql, parameters)

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Nothing is open: the thread has closed SQLite's cursor."""

    def _fill(self, connection: sqlite3.Connection, method: str, sql: str, parameters: Iterable[Any]) -> None:
        """Execute and fetch. Runs in the connection's thread."""
        with closing(connection.cursor()) as cursor:
            getattr(cursor, method)(sql, parameters)
            self._rows = cursor.fetchall() if cursor.description else []
            # SQLite counts the rows of INSERT ... RETURNING while they are fetched.
            self.description, self.rowcount = cursor.description, cursor.rowcount
            self.lastrowid = cursor.lastrowid


def connect(*arguments: Any, **options: Any) -> Connection:
    """A connection that opens when it is awaited; the arguments are those of `sqlite3.connect`."""
    made = Connection(lambda: sqlite3.connect(*arguments, **options), CHUNK)
    made._thread.daemon = True  # a call that hangs must not keep the program from ending
    return made
