"""The engine of either database, and the errors that a person can act on."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from content.errors import SettingsError, StoreBusy, StoreError, StoreReadOnly, StoreUnreachable

# How long a SQLite writer waits for another process, in milliseconds.
BUSY_TIMEOUT = 5_000

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


def create_engine(setting: str) -> AsyncEngine:
    url = database_url(setting)
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url, pool_pre_ping=True, connect_args={"timeout": 10})
    engine = create_async_engine(url, connect_args={"timeout": BUSY_TIMEOUT / 1000})
    event.listen(engine.sync_engine, "do_connect", _try_sqlite)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


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


# Patterns in the drivers' messages, and what they mean to a person.
REASONS: tuple[tuple[str, type[StoreError], str], ...] = (
    ("database is locked", StoreBusy, "is locked by another program: close it, or try again later"),
    ("deadlock detected", StoreBusy, "has another transaction in the way: try again"),
    (
        "readonly database",
        StoreReadOnly,
        "cannot be written: check the permissions of the file and its folder",
    ),
    (
        "read-only transaction",
        StoreReadOnly,
        "cannot be written: set SKYWAVE_DATABASE_URL to the primary one",
    ),
    ("unable to open", StoreUnreachable, "cannot be opened: check that its folder exists and is writable"),
    ("not a database", StoreUnreachable, "is not a SQLite file: set SKYWAVE_DATABASE_URL to another one"),
    ("disk is full|No space left", StoreError, "has no room left: free some space, nothing was lost"),
    ("password authentication", StoreUnreachable, "refuses the password: check SKYWAVE_DATABASE_URL"),
    ('(database|role) "[^"]*" does not exist', StoreUnreachable, "lacks that database or role: create it"),
    ("database system is", StoreUnreachable, "is starting or stopping: try again in a moment"),
)


def database_name(url: URL) -> str:
    """What a person calls the database, without user and password."""
    if url.get_backend_name() == "sqlite":
        return url.database or "in memory"
    host = url.host or url.query.get("host") or "localhost"
    return f"{url.database or ''} on {host}".lstrip()


@contextmanager
def store_errors(url: URL) -> Iterator[None]:
    """Turn what the drivers raise for outer reasons into StoreError; faults of our own pass unchanged."""
    name = f"the database {database_name(url)}"
    try:
        yield
    except (DBAPIError, sqlite3.Error) as exc:
        for pattern, error, hint in REASONS:
            if re.search(pattern, str(exc)):
                raise error(f"{name} {hint}") from exc
        if isinstance(exc, DBAPIError) and exc.connection_invalidated:
            raise StoreUnreachable(f"{name} closed the connection: it is tried again") from exc
        raise
    except (OSError, PoolTimeout) as exc:
        raise StoreUnreachable(f"{name} cannot be reached: check that it runs ({exc})") from exc
