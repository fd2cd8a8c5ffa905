"""Bring the schema up to date, also when several processes start at once.

Alembic is loaded only where something has to be migrated: each command opens the database, and nearly always
it is up to date.
"""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from content.errors import StoreTooNew
from storage.sql import MIGRATION_LOCK

if TYPE_CHECKING:
    from alembic.config import Config


def alembic_config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    config.set_main_option("path_separator", "os")
    return config


async def migrate(engine: AsyncEngine) -> None:
    """Run the migrations that are missing, in one transaction.

    Raises StoreTooNew when the schema is of a newer Skywave.
    """
    async with engine.connect() as connection:
        if await connection.run_sync(is_current):
            return
    async with engine.execution_options(write=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        await connection.run_sync(_upgrade)


def is_current(connection: Connection) -> bool:
    """Whether the schema is at the head. Raises StoreTooNew when no migration here is its revision."""
    current = _revision_of(connection)
    if current is not None and current not in known_revisions():
        raise StoreTooNew(
            f"the database is at revision {current} of a newer Skywave: install that one, or restore a backup"
        )
    return current == max(known_revisions())


@cache
def known_revisions() -> frozenset[str]:
    """The revisions of the schema that this Skywave can bring up to date: the files are called by them."""
    versions = Path(__file__).parent / "migrations" / "versions"
    return frozenset(file.name.partition("_")[0] for file in versions.glob("[0-9]*.py"))


def _revision_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _upgrade(connection: Connection) -> None:
    from alembic import command

    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
