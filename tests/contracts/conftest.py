"""The store under test, as its ports alone.

All tests of this folder share a database of each kind, its open stores, and an event loop. To open them for
each test would take longer than most tests do.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from scheduler.ports import Store
from storage.tables import METADATA
from storage.unit_of_work import SqlStore
from tests.conftest import Postgres
from tests.contracts.world import World

TABLES = [table.name for table in reversed(METADATA.sorted_tables) if table.name != "meta"]
# Deleted rows stay until a vacuum, and after thousands of them every query reads them all.
EMPTY = f"""
CREATE FUNCTION empty() RETURNS void LANGUAGE plpgsql AS $$
DECLARE name text;
BEGIN
  {"".join(f"DELETE FROM {name};" for name in TABLES)}
  FOR name IN SELECT oid::regclass FROM pg_class WHERE relkind = 'r'
      AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 1000000 LOOP
    EXECUTE format('TRUNCATE %I CASCADE', name);
  END LOOP;
END $$
"""


@dataclass(frozen=True, slots=True)
class Database:
    """A database with the stores of two processes, and how to delete its rows."""

    url: str
    store: SqlStore
    neighbour: SqlStore
    empty: Callable[[], Awaitable[None]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests in one event loop, which the open connections belong to."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@asynccontextmanager
async def opened(url: str, empty: Callable[[], Awaitable[None]]) -> AsyncIterator[Database]:
    store, neighbour = await SqlStore.open(url), await SqlStore.open(url)
    yield Database(url, store, neighbour, empty)
    await store.close()
    await neighbour.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sqlite_database(
    migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Database]:
    file = tmp_path_factory.mktemp("contracts") / "skywave.db"
    with closing(sqlite3.connect(migrated_file)) as migrated, closing(sqlite3.connect(file)) as emptied:

        async def empty() -> None:
            migrated.backup(emptied)

        await empty()
        async with opened(f"sqlite:///{file}", empty) as database:
            yield database


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_database(postgres: Postgres) -> AsyncIterator[Database]:
    with postgres.database("migrated") as url:
        connection = await asyncpg.connect(url)
        await connection.execute(EMPTY)
        await connection.execute("SET lock_timeout = '20s'")

        async def empty() -> None:
            await connection.execute("SELECT empty()")

        async with opened(url, empty) as database:
            yield database
        await connection.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    name = {"sqlite": "sqlite_database", "postgresql": "postgres_database"}[request.param]
    found: Database = request.getfixturevalue(name)
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def store(database: Database) -> AsyncIterator[Store]:
    await database.empty()
    yield database.store
    # A test that fails may leave tasks with open transactions. The end of an event loop would cancel them.
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


@pytest.fixture
def neighbour(database: Database) -> Store:
    """The store of another process on the same database."""
    return database.neighbour


@pytest.fixture
def database_url(database: Database) -> str:
    return database.url


@pytest.fixture
def world(store: Store) -> World:
    return World(store)
