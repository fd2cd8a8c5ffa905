"""aiosqlite with one call of its thread for each statement.

SQLAlchemy asks the driver for a cursor, executes, fetches and closes: four calls, each of which wakes the
connection's thread and then the event loop. That takes longer than most statements do.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import Any, cast

import aiosqlite

CHUNK = 64  # rows that aiosqlite's own cursors fetch at once; ours fetch all


class Connection(aiosqlite.Connection):
    """A connection whose cursors do nothing until they execute."""

    def cursor(self) -> Any:
        return Cursor(self)

    async def fetched(self, cursor: "Cursor", method: str, sql: str, parameters: Iterable[Any]) -> None:
        await self._execute(cursor.fill, self._conn, method, sql, parameters)  # type: ignore[no-untyped-call]


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
        await self._connection.fetched(self, "execute", sql, parameters)

    async def executemany(self, sql: str, parameters: Iterable[Any]) -> None:
        await self._connection.fetched(self, "executemany", sql, parameters)

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Nothing is open: the thread has closed SQLite's cursor."""

    def fill(self, connection: sqlite3.Connection, method: str, sql: str, parameters: Iterable[Any]) -> None:
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
