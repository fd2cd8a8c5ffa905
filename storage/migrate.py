"""Migrates the schema. Several processes may start at the same time.

Every command opens the database, and nearly always the schema is current. So Alembic is imported only if
there is something to migrate.
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
    """Run the missing migrations in one transaction.

    Raises StoreTooNew if a newer Skywave has migrated the database.
    """
    async with engine.connect() as connection:
        if await connection.run_sync(is_current):
            return
    async with engine.execution_options(write=True).begin() as connection:
        # The first statement keeps other processes out: on SQLite it takes the write lock, whatever it is.
        lock = f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"
        await connection.execute(text(lock if engine.dialect.name == "postgresql" else "SELECT 1"))
        await connection.run_sync(_upgrade)


def is_current(connection: Connection) -> bool:
    """Whether the schema has the newest revision. Raises StoreTooNew if its revision is unknown here."""
    current = _revision_of(connection)
    if current is not None and current not in known_revisions():
        raise StoreTooNew(
            f"the database is at revision {current} of a newer Skywave: install that one, or restore a backup"
        )
    return current == max(known_revisions())  # revisions are numbered


@cache
def known_revisions() -> frozenset[str]:
    """The revisions that this Skywave can migrate from. The names of the migration files begin with them."""
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
