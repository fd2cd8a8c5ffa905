"""Back up, check and restore SQLite files. These functions block: call them in a thread."""

import fcntl
import itertools
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import URL

from content.errors import StoreBusy, StoreDamaged, StoreError, StoreReadOnly, UsageError
from storage.database import PRIVATE, keep_private, side_files
from storage.errors import store_errors
from storage.migrate import known_revisions

# The byte range that SQLite locks while a connection has the file open (PENDING_BYTE in its os.h).
LOCKED_FROM, LOCKED_BYTES = 0x40000000, 512
SHOWN = 5  # at most so many problems of one kind
PAGES = "pages and indexes"
MAGIC = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check: the part of the file that was checked, and its problems, if any."""

    what: str
    problems: tuple[str, ...] = ()


def check(file: Path) -> list[Check]:
    """Check a whole file without changing it. Raises StoreError if it cannot be opened."""
    try:
        with store_errors(URL.create("sqlite", database=str(file))), _reading(file) as database:
            return _check(database)
    except StoreDamaged:
        return [Check(PAGES, ("SQLite cannot read them",))]


def _check(database: sqlite3.Connection) -> list[Check]:
    pages = [str(row[0]) for row in database.execute(f"PRAGMA integrity_check({SHOWN})")]
    if pages != ["ok"]:
        # With broken pages the results of the other checks would mean nothing.
        return [Check(PAGES, tuple(pages))]
    broken = database.execute("PRAGMA foreign_key_check").fetchmany(SHOWN)
    lost = tuple(f"a row of {table} refers to a missing row of {parent}" for table, _, parent, _ in broken)
    revision = _revision(database)
    checks = [Check(PAGES), Check("references", lost), Check("schema", _unknown(revision))]
    return checks if checks[-1].problems else [*checks, Check("search index", _index(database))]


def copy(file: Path, target: Path, *, still: bool = False) -> None:
    """Copy a file, which may be in use, to a new file that only the owner can read.

    `still` says that nobody uses the file. It can then be in a read-only folder. Raises UsageError if
    `target` exists, StoreError if the copy fails.
    """
    try:
        # SQLite would create the file with the permissions of the umask.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, PRIVATE))
    except FileExistsError as exc:
        raise UsageError(f"{target} exists already: choose another name") from exc
    except OSError as exc:
        raise StoreError(f"{target} cannot be written ({exc.strerror}): check its folder") from exc
    try:
        with _reading(file, still) as database, closing(sqlite3.connect(target)) as copied:
            database.backup(copied)
    except (OSError, sqlite3.Error) as exc:
        discard(target)
        raise StoreError(
            f"{file} cannot be copied to {target} ({exc}): check both, and the free disk space"
        ) from exc


def stage(backup: Path, file: Path) -> Path:
    """Copy a backup to a file beside `file` and check the copy; `put_in_place` needs it there.

    Raises UsageError if the backup is damaged, not a Skywave database, or of a newer Skywave.
    """
    if not backup.is_file():
        raise UsageError(f"{backup} is not a file: name a backup that skywave db backup has written")
    if file.exists() and backup.samefile(file):
        raise UsageError(f"{backup} is the database itself: name a backup")
    if not _is_sqlite(backup):
        raise UsageError(f"{backup} is not a SQLite file: name a backup that skywave db backup has written")
    # It is in the same folder, so that a rename can replace the database atomically.
    staged = file.with_name(f"{file.name}-restoring")
    discard(staged)
    copy(backup, staged, still=not side_files(backup)[0].exists())
    if bad := [problem for checked in check(staged) for problem in checked.problems]:
        discard(staged)
        raise UsageError(f"{backup} cannot be restored, {bad[0]}: choose another backup")
    return staged


def _is_sqlite(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(len(MAGIC)) == MAGIC
    except OSError as exc:
        raise UsageError(f"{file} cannot be read ({exc.strerror}): check its permissions") from exc


def discard(staged: Path) -> None:
    for path in (staged, *side_files(staged)):
        path.unlink(missing_ok=True)


def put_in_place(staged: Path, file: Path, now: datetime) -> Path | None:
    """Replace the database with `staged`, and keep the old one with its write-ahead log under a dated name.

    Returns the path of the old one, None if there was none. Whenever the machine stops, either the old or the
    new database is complete and in place. Raises StoreBusy if another program has the old one open.
    """
    wal, shm = side_files(file)
    _settle(file)
    _settle(staged)
    with _alone(file):
        kept = _free_name(file, now)
        try:
            # A hard link, because a rename would leave a moment without a database.
            if file.exists():
                os.link(file, kept)
            # SQLite would apply the old log to the new file, and so bring newer rows back.
            if wal.exists():
                wal.rename(side_files(kept)[0])
            shm.unlink(missing_ok=True)
            staged.replace(file)
            discard(staged)
            _sync(file.parent)
        except OSError as exc:
            raise StoreError(f"{file} cannot be replaced ({exc.strerror}): check its folder") from exc
    keep_private(kept)
    return kept if kept.exists() else None


def _settle(file: Path) -> None:
    """Make SQLite write its log into the file, if the file is readable enough for that."""
    if file.exists():
        with suppress(sqlite3.Error), closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Lock the bytes that SQLite locks, so that no program has the file open or can read it in this block.

    Raises StoreBusy if a program has it open, StoreReadOnly if it cannot be written.
    """
    if not file.exists():
        yield
        return
    try:
        opened = file.open("r+b")
    except OSError as exc:
        raise StoreReadOnly(f"{file} cannot be written ({exc.strerror}): check its permissions") from exc
    with opened:
        try:
            fcntl.lockf(opened, fcntl.LOCK_EX | fcntl.LOCK_NB, LOCKED_BYTES, LOCKED_FROM)
        except OSError as exc:
            raise StoreBusy(f"{file} is open in another program: stop it first") from exc
        yield


def _free_name(file: Path, now: datetime) -> Path:
    dated = f"{file.name}-{now:%Y%m%dT%H%M%SZ}"
    names = (dated if n == 1 else f"{dated}-{n}" for n in itertools.count(1))
    return next(path for name in names if not (path := file.with_name(name)).exists())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _reading(file: Path, still: bool = False) -> Iterator[sqlite3.Connection]:
    """Open a read-only connection. If the file is `still`, SQLite creates no side files either."""
    mode = "ro&immutable=1" if still else "ro"
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode={mode}", uri=True)) as database:
        yield database


def _revision(database: sqlite3.Connection) -> str | None:
    """The revision of the schema; None if this is not a database of Skywave."""
    has_revision = "SELECT 1 FROM sqlite_schema WHERE name = 'alembic_version'"
    if database.execute(has_revision).fetchone() is None:
        return None
    row = database.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _unknown(revision: str | None) -> tuple[str, ...]:
    if revision is None:
        return ("it is not a database of Skywave",)
    return () if revision in known_revisions() else (f"it is at revision {revision} of a newer Skywave",)


def _index(database: sqlite3.Connection) -> tuple[str, ...]:
    """Problems of the search index, which must contain every post once, unless it waits, and nothing else."""
    # Backups of earlier versions have no table of posts that wait.
    has_waiting = database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'unindexed'").fetchone()
    waiting = "SELECT post_id FROM unindexed" if has_waiting else "SELECT 0"
    missing, left = (
        database.execute(f"SELECT count(*) FROM {a} WHERE id NOT IN ({b})").fetchone()[0]
        for a, b in (
            ("posts", f"SELECT id FROM post_fts_docsize UNION ALL {waiting}"),
            ("post_fts_docsize", f"SELECT id FROM posts WHERE id NOT IN ({waiting})"),
        )
    )
    problems = {f"{missing} posts are missing in it": missing, f"{left} deleted posts are still in it": left}
    return tuple(words for words, count in problems.items() if count)
