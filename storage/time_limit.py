"""Statements that people can make slow get so much time, and are stopped in the database after that."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from content.errors import SearchTooLong
from storage.sql import is_sqlite

# What PostgreSQL calls a statement that was cancelled (documentation: "PostgreSQL Error Codes").
QUERY_CANCELED = "57014"


@asynccontextmanager
async def time_limit(session: AsyncSession, seconds: float) -> AsyncIterator[None]:
    """Stop what runs in the block after so many seconds, with SearchTooLong; the transaction is over then."""
    try:
        if is_sqlite(session):
            async with _interrupted(session, seconds):
                yield
        else:
            milliseconds = str(max(1, round(seconds * 1000)))
            await session.execute(select(func.set_config("statement_timeout", milliseconds, True)))
            yield
    except DBAPIError as exc:
        if _was_stopped(exc.orig):
            raise SearchTooLong("the search took too long") from exc
        raise


@asynccontextmanager
async def _interrupted(session: AsyncSession, seconds: float) -> AsyncIterator[None]:
    """SQLite is interrupted from outside: a progress handler is not called within one step of FTS5."""
    raw = await (await session.connection()).get_raw_connection()
    driver: Any = raw.driver_connection

    async def interrupt() -> None:
        while True:  # one that comes before the statement has begun does nothing
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
