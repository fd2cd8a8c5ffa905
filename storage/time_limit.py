"""Limits the time of statements that people can make slow. The database itself stops them."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from content.errors import SearchTooLong
from storage.sql import is_sqlite

# PostgreSQL's code of a cancelled statement (appendix A of its manual).
QUERY_CANCELED = "57014"


@asynccontextmanager
async def time_limit(connection: AsyncConnection, seconds: float) -> AsyncIterator[None]:
    """Stop the statements in the block after so many seconds.

    Raises SearchTooLong. The transaction cannot be used after that.
    """
    try:
        if is_sqlite(connection):
            async with _interrupted(connection, seconds):
                yield
        else:
            milliseconds = str(max(1, round(seconds * 1000)))
            await connection.execute(select(func.set_config("statement_timeout", milliseconds, True)))
            yield
    except DBAPIError as exc:
        if _was_stopped(exc.orig):
            raise SearchTooLong("the search took too long") from exc
        raise


@asynccontextmanager
async def _interrupted(connection: AsyncConnection, seconds: float) -> AsyncIterator[None]:
    """Interrupt SQLite after so many seconds, from outside.

    A progress handler would be too late: SQLite does not call it while FTS5 expands a prefix.
    """
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection

    async def interrupt() -> None:
        # Repeated, because an interrupt before the statement has begun has no effect.
        while True:
            await asyncio.sleep(seconds)
            await driver.interrupt()

    task = asyncio.create_task(interrupt())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


def _was_stopped(error: BaseException | None) -> bool:
    cause = error.__cause__ if error is not None else None
    code = getattr(error, "sqlite_errorcode", None) or getattr(cause, "sqlite_errorcode", None)
    state = getattr(error, "sqlstate", None)
    return code == sqlite3.SQLITE_INTERRUPT or state == QUERY_CANCELED
