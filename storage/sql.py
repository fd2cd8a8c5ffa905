"""What the two dialects spell differently."""

from typing import Any

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


def changed_rows(result: Any) -> int:
    """How many rows an UPDATE or DELETE touched."""
    return int(result.rowcount)
