"""The connection to SQLite, which lives in a thread of its own.

SQLAlchemy opens a cursor, executes a statement, fetches the rows and closes the cursor. aiosqlite sends each
of these four to the thread, and the way there and back takes longer than most statements. Here they go
together.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any, Self

import aiosqlite


class OneTripConnection(aiosqlite.Connection):
    """Each of its statements goes to the thread once, and comes back with all rows."""

    def cursor(self) -> "OneTripCursor":  # type: ignore[override]
        return OneTripCursor(self)

    async def run(self, sql: str, parameters: Any, *, many: bool) -> "_Outcome":
        """Execute a statement and fetch its rows. Raises what sqlite3 raises."""
        outcome: _Outcome = await self._execute(  # type: ignore[no-untyped-call]
            self._run, sql, parameters, many
        )
        return outcome

    def _run(self, sql: str, parameters: Any, many: bool) -> "_Outcome":
        with closing(self._conn.cursor()) as cursor:
            (cursor.executemany if many else cursor.execute)(sql, parameters)
            rows = cursor.fetchall() if cursor.description else []
            return cursor.description, cursor.rowcount, cursor.lastrowid, rows


# Description, number of changed rows, last inserted id, rows.
_Outcome = tuple[Any, int, int | None, list[Any]]


class OneTripCursor:
    """What SQLAlchemy needs of a cursor. It holds the rows of the last statement, nothing of the database."""

    def __init__(self, connection: OneTripConnection) -> None:
        self._connection = connection
        self.description: Any = None
        self.rowcount, self.lastrowid = -1, None  # type: int, int | None
        self._rows: list[Any] = []

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        """Execute a statement."""
        return self._done(await self._connection.run(sql, parameters, many=False))

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Self:
        """Execute a statement for each of several rows of parameters."""
        return self._done(await self._connection.run(sql, parameters, many=True))

    def _done(self, outcome: _Outcome) -> Self:
        self.description, self.rowcount, self.lastrowid, self._rows = outcome
        return self

    async def fetchall(self) -> list[Any]:
        """The rows of the last statement."""
        return self._rows

    async def close(self) -> None:
        """Nothing is left to close."""


def connect(*arguments: Any, **options: Any) -> OneTripConnection:
    """A connection that opens when it is awaited."""
    connection = OneTripConnection(lambda: sqlite3.connect(*arguments, **options), iter_chunk_size=64)
    connection._thread.daemon = True  # as SQLAlchemy does: it must not outlive the program
    return connection
