"""Bring the schema up to date, also when several processes start at once."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from content.errors import StoreTooNew
from storage.sql import MIGRATION_LOCK


def alembic_config() -> Config:
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
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known_revisions():
        raise StoreTooNew(
            f"the database is at revision {current} of a newer Skywave: install that one, or restore a backup"
        )
    return current == _scripts().get_current_head()


def known_revisions() -> frozenset[str]:
    """The revisions of the schema that this Skywave can bring up to date."""
    return frozenset(script.revision for script in _scripts().walk_revisions())


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config())


def _upgrade(connection: Connection) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
