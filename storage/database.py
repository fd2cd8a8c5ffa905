"""Creates the engine for SQLite or PostgreSQL from its URL, and sets the permissions of SQLite's files."""

import json
import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from content.errors import SettingsError
from scheduler.log import Logger
from storage import driver

log = Logger(__name__)

# A SQLite writer waits so long for another process, milliseconds.
BUSY_TIMEOUT = 5_000

# Connections to a SQLite file that stay open once they were needed. SQLAlchemy would close all but five at
# once and open others, under load twenty a second: the event loop waits for the thread of each.
CONNECTIONS = 15

# File permissions: only the owner can read and write.
PRIVATE = 0o600

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


def database_url(setting: str) -> URL:
    """Parse the setting and add the driver that Skywave uses.

    Raises SettingsError if the setting is no URL of SQLite or PostgreSQL.
    """
    try:
        url = make_url(setting)
        url = url.set(drivername=DRIVERS[url.drivername.partition("+")[0]])
    except (ArgumentError, KeyError, ValueError) as exc:
        hint = "sqlite:///skywave.db or postgresql://user:password@host/name"
        raise SettingsError(f"SKYWAVE_DATABASE_URL is not a database URL: use {hint}") from exc
    if mode := url.query.get("sslmode"):  # asyncpg calls this option "ssl"
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    return url


def sqlite_file(setting: str) -> Path | None:
    """The path of a SQLite database; None for a database in memory or PostgreSQL. Raises SettingsError."""
    url = database_url(setting)
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database).removeprefix("file:"))


def database_name(url: URL) -> str:
    """The name of the database for messages, without user and password."""
    if url.get_backend_name() == "sqlite":
        return url.database or "in memory"
    host = url.host or url.query.get("host") or "localhost"
    return f"{url.database or ''} on {host}".lstrip()


def create_engine(setting: str) -> AsyncEngine:
    """Create an engine, without connecting. Its errors hide parameters, which contain people's texts."""
    url = database_url(setting)
    if url.get_backend_name() != "sqlite":
        return create_async_engine(
            url, hide_parameters=True, pool_pre_ping=True, connect_args={"timeout": 10}
        )
    pool: dict[str, Any] = {}
    if (file := sqlite_file(setting)) is not None:
        keep_private(file, create="uri" not in url.query)
        pool = {"pool_size": CONNECTIONS, "max_overflow": 0, "pool_use_lifo": True}
    waits = {"timeout": BUSY_TIMEOUT / 1000}
    engine = create_async_engine(
        url, hide_parameters=True, connect_args=waits, json_deserializer=_from_json, **pool
    )
    event.listen(engine.sync_engine, "do_connect", _try_sqlite)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def keep_private(file: Path, *, create: bool = False) -> None:
    """Let only the owner read and write a database. SQLite gives its side files the same permissions.

    Files that other users can read are changed, and the log says so. With `create`, a missing file is created
    with these permissions. If that fails, SQLite will report the reason when it opens the file.
    """
    if create:
        with suppress(OSError):
            os.close(os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, PRIVATE))
    for path in (file, *side_files(file), file.with_name(f"{file.name}.lock")):
        try:
            if not stat.S_IMODE(path.stat().st_mode) & 0o077:
                continue
            path.chmod(PRIVATE)
            _warn("database.narrowed", path, "other users could read it")
        except FileNotFoundError:
            continue
        except OSError as exc:
            _warn("database.not_narrowed", path, str(exc.strerror))


def _warn(event: str, file: Path, reason: str) -> None:
    log.warning(event, file=str(file), reason=reason)


def side_files(file: Path) -> tuple[Path, Path]:
    """The paths of a SQLite file's write-ahead log, which has the newest rows, and of the log's index."""
    return file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")


def _from_json(text: str) -> Any:
    # Most lists of sources and posts are empty.
    return [] if text == "[]" else json.loads(text)


def _try_sqlite(_dialect: object, _record: object, arguments: Any, options: Any) -> None:
    # If aiosqlite cannot open a file, its thread may outlive the event loop. So try without a thread first.
    sqlite3.connect(*arguments, **options).close()
    options["async_creator_fn"] = driver.connect


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver must not begin transactions itself, because it would begin all of them deferred.
    connection.isolation_level = None
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA journal_mode = WAL")  # readers and the writer do not block each other
        cursor.execute("PRAGMA synchronous = FULL")  # a part that is `sending` survives a power cut
        cursor.close()
    except sqlite3.Error:
        connection.close()  # SQLAlchemy does not close it, and its thread would outlive the event loop
        raise


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("write", False)
    # A transaction that reads first cannot wait for another writer later, so writers take the lock at once.
    opened: Any = connection.connection.driver_connection
    opened.begin("BEGIN IMMEDIATE" if write else "BEGIN")
