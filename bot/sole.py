"""One process for a SQLite file."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from bot.settings import Settings
from content.errors import StoreReadOnly
from storage.database import PRIVATE, sqlite_file


@contextmanager
def sole_process(settings: Settings) -> Iterator[bool]:
    """Lock the SQLite file; yields False if another process holds the lock. PostgreSQL uses leases instead.

    Raises StoreReadOnly.
    """
    path = sqlite_file(settings.database_url)
    if path is None:
        yield True
        return
    lock = FileLock(f"{path}.lock", mode=PRIVATE)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        yield False
        return
    except OSError as exc:
        raise StoreReadOnly(f"{path}.lock cannot be written: check the permissions of its folder") from exc
    try:
        yield True
    finally:
        lock.release()
