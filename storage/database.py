"""The engine of either database: its URL, its settings, and who may read its files."""

import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from content.errors import SettingsError

log = structlog.get_logger(__name__)

# How long a SQLite writer waits for another process, in milliseconds.
BUSY_TIMEOUT = 5_000

# Read and written by its owner alone.
PRIVATE = 0o600

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


def database_url(setting: str) -> URL:
    """The URL of the setting with the driver that Skywave uses.

    Raises SettingsError for anything but SQLite and PostgreSQL.
    """
    try:
        url = make_url(setting)
        url = url.set(drivername=DRIVERS[url.drivername.partition("+")[0]])
    except (ArgumentError, KeyError, ValueError) as exc:
        hint = "sqlite:///skywave.db or postgresql://user:password@host/name"
        raise SettingsError(f"SKYWAVE_DATABASE_URL is not a database URL: use {hint}") from exc
    if mode := url.query.get("sslmode"):  # asyncpg's name for what every other client calls so
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    return url


def sqlite_file(setting: str) -> Path | None:
    """The file of a SQLite database; None for one in memory and for PostgreSQL. Raises SettingsError."""
    url = database_url(setting)
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    return Path(str(url.database).removeprefix("file:"))


def database_name(url: URL) -> str:
    """What a person calls the database, without user and password."""
    if url.get_backend_name() == "sqlite":
        return url.database or "in memory"
    host = url.host or url.query.get("host") or "localhost"
    return f"{url.database or ''} on {host}".lstrip()


def create_engine(setting: str) -> AsyncEngine:
    """Connects to nothing yet. Parameters are kept out of errors, because they are people's texts."""
    url = database_url(setting)
    if url.get_backend_name() != "sqlite":
        return create_async_engine(
            url, hide_parameters=True, pool_pre_ping=True, connect_args={"timeout": 10}
        )
    if (file := sqlite_file(setting)) is not None:
        keep_private(file, create="uri" not in url.query)
    engine = create_async_engine(url, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT / 1000})
    event.listen(engine.sync_engine, "do_connect", _try_sqlite)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def keep_private(file: Path, *, create: bool = False) -> None:
    """Let only the owner read and write a database; SQLite gives its side files the same permissions.

    What others may read is narrowed, and the log says so. A file that cannot be made is left to SQLite,
    which says why.
    """
    if create:
        with suppress(OSError):
            os.close(os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, PRIVATE))
    for path in (file, *side_files(file), file.with_name(f"{file.name}.lock")):
        try:
            if not stat.S_IMODE(path.stat().st_mode) & 0o077:
                continue
            path.chmod(PRIVATE)
            log.warning("database.narrowed", file=str(path), reason="others could read it")
        except FileNotFoundError:
            continue
        except OSError as exc:
            log.warning("database.not_narrowed", file=str(path), reason=str(exc.strerror))


def side_files(file: Path) -> tuple[Path, Path]:
    """The write-ahead log of a SQLite file, which holds its newest rows, and the index into it."""
    return file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")


def _try_sqlite(_dialect: object, _record: object, arguments: Any, options: Any) -> None:
    # When the asynchronous driver cannot open a file, its thread may outlive the event loop and complain.
    sqlite3.connect(*arguments, **options).close()


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver must not begin transactions by itself: it would make every one of them deferred.
    connection.isolation_level = None
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA journal_mode = WAL")  # readers and the writer do not block each other
        cursor.execute("PRAGMA synchronous = FULL")  # a part that is `sending` survives a power cut
        cursor.close()
    except sqlite3.Error:
        connection.close()  # nobody else would, and its thread would outlive the event loop
        raise


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("write", False)
    # A transaction that reads first and writes later cannot wait for another writer: take the lock at once.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
