"""URLs of databases, and what a person is told when one does not work."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from content.errors import (
    SettingsError,
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreReadOnly,
    StoreUnreachable,
)
from storage import driver
from storage.database import create_engine, database_name, database_url
from storage.unit_of_work import SqlStore
from tests.builders import new_post, place
from tests.conftest import Postgres
from tests.contracts.world import World


@pytest.mark.parametrize(
    ("setting", "driver", "database"),
    [
        ("sqlite:///skywave.db", "sqlite+aiosqlite", "skywave.db"),
        ("sqlite:////var/lib/skywave.db", "sqlite+aiosqlite", "/var/lib/skywave.db"),
        ("sqlite+pysqlite:///skywave.db", "sqlite+aiosqlite", "skywave.db"),
        ("postgresql://me:secret@host:5433/skywave", "postgresql+asyncpg", "skywave"),
        ("postgres://me@host/skywave", "postgresql+asyncpg", "skywave"),
        ("postgresql+psycopg2://me@host/skywave", "postgresql+asyncpg", "skywave"),
    ],
)
def test_either_database_gets_our_driver(setting: str, driver: str, database: str) -> None:
    url = database_url(setting)
    assert (url.drivername, url.database) == (driver, database)


def test_the_rest_of_the_url_stays() -> None:
    url = database_url("postgresql://me:p%40ss@host:5433/x?a=b")
    assert (url.username, url.password, url.host, url.port, url.query) == (
        "me",
        "p@ss",
        "host",
        5433,
        {"a": "b"},
    )


def test_ssl_is_asked_for_as_everywhere_else() -> None:
    assert database_url("postgresql://host/x?sslmode=require").query == {"ssl": "require"}


@pytest.mark.parametrize(
    "setting",
    [
        "",
        "skywave.db",
        "mysql://me:hunter2@host/skywave",
        "postgresql://me:hunter2@host:port/skywave",
        "postgresql://me:5432hunter2/@host:/x:y",
        "://hunter2",
    ],
)
def test_anything_else_is_a_wrong_setting(setting: str) -> None:
    with pytest.raises(SettingsError) as caught:
        database_url(setting)
    assert "SKYWAVE_DATABASE_URL" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ("sqlite:////var/lib/skywave.db", "/var/lib/skywave.db"),
        ("sqlite://", "in memory"),
        ("postgresql://me:hunter2@host/skywave", "skywave on host"),
        ("postgresql://me:hunter2@/skywave?host=/run/postgresql", "skywave on /run/postgresql"),
        ("postgresql:///skywave", "skywave on localhost"),
        ("postgresql://host", "on host"),
    ],
)
def test_a_database_has_a_name_without_secrets(setting: str, name: str) -> None:
    assert database_name(database_url(setting)) == name


def fails_with(caught: pytest.ExceptionInfo[StoreError], kind: type[StoreError], name: object) -> None:
    """The error is of that class, names the database on one line, keeps its cause and tells no secret."""
    message = str(caught.value)
    assert type(caught.value) is kind
    assert str(name) in message
    assert "\n" not in message
    assert caught.value.__cause__ is not None
    assert "hunter2" not in message + repr(caught.value.__cause__) + repr(caught.value.__cause__.__cause__)


OpenWith = Callable[..., SqlStore]


@pytest.fixture
async def open_with(sqlite_url: str) -> AsyncIterator[OpenWith]:
    """Opens the migrated file with settings of SQLite's own, for every connection."""
    stores: list[SqlStore] = []

    def opened(*pragmas: str, url: str = sqlite_url) -> SqlStore:
        def prepare(connection: Any, _record: object) -> None:
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}")

        engine = create_engine(url)
        event.listen(engine.sync_engine, "connect", prepare)
        stores.append(SqlStore(engine))
        return stores[-1]

    yield opened
    for store in stores:
        await store.close()


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


class Counted(driver.Connection):
    """A connection to a database in memory that counts the calls of its thread."""

    def __init__(self) -> None:
        super().__init__(lambda: sqlite3.connect(":memory:", isolation_level=None), driver.CHUNK)
        self.calls = 0

    async def _execute(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]


async def test_a_statement_of_sqlite_is_one_call_of_its_thread() -> None:
    async with Counted() as opened:
        connection = cast(Counted, opened)
        cursor = connection.cursor()
        await cursor.execute("CREATE TABLE t (x)")
        await cursor.executemany("INSERT INTO t VALUES (?)", [(1,), (2,)])
        assert cursor.rowcount == 2
        await cursor.execute("DELETE FROM t WHERE x = ? RETURNING x, 7", (2,))
        assert (await cursor.fetchall(), cursor.rowcount) == ([(2, 7)], 1)
        assert connection.calls == 3
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            await cursor.execute("SELECT * FROM other")
    engine = create_engine("sqlite://")
    async with engine.connect() as used:
        assert isinstance((await used.get_raw_connection()).driver_connection, driver.Connection)
    await engine.dispose()


async def test_a_transaction_begins_with_its_first_statement_and_ends_once() -> None:
    async with Counted() as opened:
        connection = cast(Counted, opened)
        await connection.run(lambda sqlite: sqlite.execute("CREATE TABLE t (x)"))
        await connection.commit()
        before = connection.calls
        connection.begin("BEGIN")
        await connection.write(
            [("INSERT INTO t VALUES (?)", [(1,), (2,)]), ("DELETE FROM t WHERE x = ?", [(2,)])]
        )
        assert connection.in_transaction
        queries = [("SELECT x FROM t", ()), ("SELECT x + ? FROM t", (6,))]
        assert await connection.read(queries) == [[(1,)], [(7,)]]
        await connection.commit()
        await connection.rollback()
        assert connection.calls - before == 3, "one to write, one to read, one to commit"
        connection.begin("BEGIN")
        await connection.rollback()
        assert await connection.read([("SELECT x FROM t", ())]) == [[(1,)]]
        assert not connection.in_transaction, "what was begun and not used is forgotten"


async def test_a_cancelled_write_is_rolled_back() -> None:
    started, go_on = threading.Event(), threading.Event()

    def write(connection: sqlite3.Connection) -> None:
        started.set()
        go_on.wait()
        connection.execute("INSERT INTO t VALUES (1)")

    async with Counted() as opened:
        connection = cast(Counted, opened)
        await connection.run(lambda sqlite: sqlite.execute("CREATE TABLE t (x)"))
        await connection.commit()
        connection.begin("BEGIN IMMEDIATE")
        task = asyncio.create_task(connection.run(write))
        await asyncio.to_thread(started.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        await connection.rollback()
        assert not connection.in_transaction
        assert await connection.read([("SELECT * FROM t", ())]) == [[]]


async def test_a_commit_that_fails_is_rolled_back() -> None:
    def write(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE t (x PRIMARY KEY, y REFERENCES t (x) DEFERRABLE INITIALLY DEFERRED)")
        connection.execute("INSERT INTO t VALUES (1, 2)")

    async with Counted() as opened:
        connection = cast(Counted, opened)
        await connection.run(lambda sqlite: sqlite.execute("PRAGMA foreign_keys = ON"))
        connection.begin("BEGIN")
        await connection.run(write)
        with pytest.raises(sqlite3.IntegrityError):
            await connection.commit()
        await connection.rollback()
        assert not connection.in_transaction


async def test_a_locked_file_is_busy(sqlite_url: str, open_with: OpenWith) -> None:
    store = open_with("busy_timeout = 20")
    other = sqlite3.connect(file_of(sqlite_url), isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError) as caught:
            async with store.write() as work:
                await work.chats.ensure(place())
        fails_with(caught, StoreBusy, file_of(sqlite_url))
        async with store.read() as work:
            assert await work.chats.all() == [], "reading goes on"
    finally:
        other.close()
    async with store.write() as work:
        await work.chats.ensure(place())
        await work.commit()


async def test_a_writer_waits_for_another_program_to_finish(sqlite_url: str, open_with: OpenWith) -> None:
    store = open_with()
    other = sqlite3.connect(file_of(sqlite_url), isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        async with store.read() as work:
            await work.posts.newest_id()
        other.execute("COMMIT")
        async with store.write() as work:
            await work.chats.ensure(place())
            await work.commit()
    finally:
        other.close()


async def test_a_read_only_file_can_be_read_and_not_written(sqlite_url: str) -> None:
    store = await SqlStore.open(f"sqlite:///file:{file_of(sqlite_url)}?mode=ro&uri=true")
    try:
        async with store.read() as work:
            assert await work.sources.all() == []
        with pytest.raises(StoreError) as caught:
            async with store.write() as work:
                await work.chats.ensure(place())
        fails_with(caught, StoreReadOnly, file_of(sqlite_url))
    finally:
        await store.close()


async def test_a_read_only_file_without_a_schema_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    with pytest.raises(StoreError) as caught:
        await SqlStore.open(f"sqlite:///file:{path}?mode=ro&uri=true")
    fails_with(caught, StoreReadOnly, path)


async def test_a_store_that_becomes_read_only_says_so(open_with: OpenWith, sqlite_url: str) -> None:
    store = open_with("query_only = 1")
    with pytest.raises(StoreError) as caught:
        async with store.write() as work:
            await work.chats.ensure(place())
    fails_with(caught, StoreReadOnly, file_of(sqlite_url))


async def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "skywave.db"
    with pytest.raises(StoreError) as caught:
        await SqlStore.open(f"sqlite:///{path}")
    fails_with(caught, StoreUnreachable, path)
    assert not path.parent.exists()


async def test_a_file_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("These are notes, and no database at all. " * 100)
    with pytest.raises(StoreError) as caught:
        await SqlStore.open(f"sqlite:///{path}")
    fails_with(caught, StoreDamaged, path)
    assert path.read_text().startswith("These are notes"), "it is left as it was"


async def test_a_full_disk_loses_nothing(open_with: OpenWith, sqlite_url: str) -> None:
    # No page more than there are now.
    store = open_with("max_page_count = 1")
    world = World(store)
    source = await world.source()
    with pytest.raises(StoreError) as caught:
        await world.posts(source, new_post(text="天波" * 100_000))
    fails_with(caught, StoreError, file_of(sqlite_url))
    async with store.read() as work:
        assert await work.sources.all() == [source]
        assert await work.posts.newest_id() == 0


async def test_our_own_faults_are_no_store_errors(open_with: OpenWith) -> None:
    store = open_with()
    with pytest.raises(DBAPIError, match="no such table"):
        async with store.read() as work:
            await work._connection.execute(text("SELECT 1 FROM nowhere"))


async def test_a_server_that_does_not_run(unused_tcp_port: int) -> None:
    with pytest.raises(StoreError) as caught:
        await SqlStore.open(f"postgresql://me:hunter2@127.0.0.1:{unused_tcp_port}/skywave")
    fails_with(caught, StoreUnreachable, "skywave on 127.0.0.1")


async def test_a_socket_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        await SqlStore.open(f"postgresql://me:hunter2@/skywave?host={tmp_path}")
    fails_with(caught, StoreUnreachable, f"skywave on {tmp_path}")


async def test_a_database_that_was_not_made(postgres_url: str) -> None:
    url = database_url(postgres_url).set(drivername="postgresql", database="nowhere", password="hunter2")
    with pytest.raises(StoreError) as caught:
        await SqlStore.open(url.render_as_string(hide_password=False))
    fails_with(caught, StoreUnreachable, "nowhere on ")


async def test_a_role_that_does_not_exist(postgres_url: str) -> None:
    url = database_url(postgres_url).set(drivername="postgresql", username="nobody", password="hunter2")
    with pytest.raises(StoreError) as caught:
        await SqlStore.open(url.render_as_string(hide_password=False))
    fails_with(caught, StoreUnreachable, url.database)


async def test_a_wrong_password(postgres: Postgres, postgres_url: str) -> None:
    postgres.require_password("secretive", "right")
    url = database_url(postgres_url).set(drivername="postgresql", username="secretive", password="hunter2")
    with pytest.raises(StoreError) as caught:
        await SqlStore.open(url.render_as_string(hide_password=False))
    fails_with(caught, StoreUnreachable, url.database)
    assert "password" in str(caught.value)


async def test_a_standby_cannot_be_written(postgres: Postgres, postgres_url: str) -> None:
    name = database_url(postgres_url).database
    postgres.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(StoreError) as caught:
        await SqlStore.open(postgres_url)
    fails_with(caught, StoreReadOnly, name)


async def test_a_connection_that_breaks_is_made_anew(postgres: Postgres, postgres_url: str) -> None:
    name = database_url(postgres_url).database
    store = await SqlStore.open(postgres_url)
    try:
        with pytest.raises(StoreError) as caught:
            async with store.read() as work:
                await work.posts.newest_id()
                postgres.run(
                    f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
                )
                await work.posts.newest_id()
        fails_with(caught, StoreUnreachable, name)
        async with store.read() as work:
            assert await work.posts.newest_id() == 0
    finally:
        await store.close()
