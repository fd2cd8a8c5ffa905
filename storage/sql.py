"""What the two dialects spell differently."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase

# SQLite takes at most 32,766 parameters a statement, asyncpg 32,767.
CHUNK = 5_000


def is_sqlite(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def upsert(session: AsyncSession, table: type[DeclarativeBase]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT of the session's dialect that has ON CONFLICT."""
    return sqlite.insert(table) if is_sqlite(session) else postgresql.insert(table)


# Keys of PostgreSQL's advisory locks: "skyw" in ASCII, and the next one.
MIGRATION_LOCK = 0x736B7977
RESERVATION_LOCK = MIGRATION_LOCK + 1


async def reserve_alone(session: AsyncSession) -> None:
    """Wait until no other transaction makes reservations; two at once may each wait for the other's rows."""
    if not is_sqlite(session):  # SQLite has one writer at a time anyway
        await session.execute(select(func.pg_advisory_xact_lock(RESERVATION_LOCK)))


def changed_rows(result: Any) -> int:
    """How many rows an UPDATE or DELETE touched."""
    return int(result.rowcount)
