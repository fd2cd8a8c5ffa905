"""Maps the drivers' error codes to our errors. It ignores error texts: they contain values of rows."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from content.errors import (
    SkywaveError,
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreReadOnly,
    StoreRejected,
    StoreUnreachable,
)
from storage.database import database_name

# The class of our error, and its message, which follows the name of the database.
Reason = tuple[type[SkywaveError], str]

RESTORE = "restore a backup with skywave db restore FILE"
LOCKED: Reason = (StoreBusy, "is locked by another program: close it, or try again later")
IN_THE_WAY: Reason = (StoreBusy, "was busy with a conflicting transaction: try again")
NO_ROOM: Reason = (StoreError, "has no room left: free some disk space; nothing was lost")
REFUSED: Reason = (StoreUnreachable, "refuses the user or the password: check SKYWAVE_DATABASE_URL")
STARTING: Reason = (StoreUnreachable, "is starting or stopping: try again in a moment")
CLOSED: Reason = (StoreUnreachable, "closed the connection: Skywave tries again")
REJECTED: Reason = (
    StoreRejected,
    "rejected a value: it is too long, is not text, or breaks a rule of the schema",
)

# The drivers refuse some values before the database sees them. These errors have no code.
UNCODED = (DataError, IntegrityError, UnicodeEncodeError, OverflowError)

# The first byte of SQLite's result codes (sqlite.org/rescode.html).
SQLITE: dict[int, Reason] = {
    3: (StoreReadOnly, "cannot be written: check the permissions of the file and its folder"),  # PERM
    5: LOCKED,  # BUSY
    6: LOCKED,  # LOCKED
    8: (  # READONLY
        StoreReadOnly,
        "cannot be written: check the permissions of the file and its folder, "
        "and whether its disk is mounted read-only",
    ),
    10: (  # IOERR
        StoreDamaged,
        "could not be read or written, because the disk failed: check the disk, run skywave db check, "
        f"or {RESTORE}",
    ),
    11: (StoreDamaged, f"is damaged: run skywave db check, and {RESTORE}"),  # CORRUPT
    13: NO_ROOM,  # FULL
    14: (  # CANTOPEN
        StoreUnreachable,
        "cannot be opened: check that its folder exists and that the file and its folder are writable",
    ),
    15: LOCKED,  # PROTOCOL
    18: REJECTED,  # TOOBIG
    19: REJECTED,  # CONSTRAINT
    20: REJECTED,  # MISMATCH
    26: (  # NOTADB
        StoreDamaged,
        f"is not a SQLite file, or its beginning is damaged: check SKYWAVE_DATABASE_URL, or {RESTORE}",
    ),
}

# PostgreSQL's codes, or the first two characters, which are the code's class (appendix A of its manual).
POSTGRES: dict[str, Reason] = {
    "08": CLOSED,
    "22": REJECTED,  # data exception
    "23": REJECTED,  # integrity constraint violation
    "54": REJECTED,  # program limit exceeded
    "28": REFUSED,
    "25006": (StoreReadOnly, "is read-only: set SKYWAVE_DATABASE_URL to the primary server"),
    "3D000": (StoreUnreachable, "does not exist on its server: create it"),
    "40001": IN_THE_WAY,
    "40P01": IN_THE_WAY,
    "42501": (
        StoreReadOnly,
        "denies its user permission: grant the user rights on the tables and the schema",
    ),
    "53100": NO_ROOM,
    "53200": (StoreUnreachable, "has no memory left: Skywave tries again"),
    "53300": (StoreUnreachable, "accepts no more connections: Skywave tries again"),
    "55P03": IN_THE_WAY,
    "57P01": STARTING,
    "57P02": STARTING,
    "57P03": STARTING,
    "58030": (StoreDamaged, "could not be read or written: check the disk of its server"),
    "XX001": (StoreDamaged, "is damaged: check it with pg_amcheck, and restore it from a dump with psql"),
    "XX002": (StoreDamaged, "has a damaged index: check it with pg_amcheck, and run REINDEX DATABASE"),
}


@contextmanager
def store_errors(url: URL) -> Iterator[None]:
    """Turn the drivers' errors into our store errors. An error without a known code is a bug and passes."""
    name = f"the database {database_name(url)}"
    try:
        yield
    except (DBAPIError, sqlite3.Error, UnicodeEncodeError, OverflowError) as exc:
        if (reason := _reason(exc)) is None:
            raise
        kind, hint = reason
        raise kind(f"{name} {hint}") from exc
    except (OSError, PoolTimeout) as exc:
        raise StoreUnreachable(f"{name} cannot be reached: check that it runs ({exc})") from exc


def _reason(exc: Exception) -> Reason | None:
    for error in _chain(exc):
        code = getattr(error, "sqlite_errorcode", None)
        if isinstance(code, int) and (known := SQLITE.get(code & 0xFF)):
            return known
        state = getattr(error, "sqlstate", None)
        if isinstance(state, str) and (known := POSTGRES.get(state) or POSTGRES.get(state[:2])):
            return known
    if isinstance(exc, DBAPIError) and exc.connection_invalidated:
        return CLOSED
    return REJECTED if isinstance(exc, UNCODED) else None


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """The error, the driver's error that it wraps, and the causes of that."""
    error: BaseException | None = exc
    while error is not None:
        yield error
        error = (error.orig if isinstance(error, DBAPIError) else None) or error.__cause__
