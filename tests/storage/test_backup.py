"""A backup is put back whole: no row of the database that it replaces comes with it."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from content.errors import StoreBusy, StoreError, UsageError
from scheduler.ports import Batch
from storage import backup
from storage.database import side_files
from storage.unit_of_work import SqlStore
from tests.builders import new_post
from tests.contracts.world import World

NOW = datetime(2026, 7, 14, 10, 0, tzinfo=UTC)


@pytest.fixture
def file(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:///"))


def chats(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as database:
        return [row[0] for row in database.execute("SELECT address FROM chats ORDER BY id")]


async def add_chat(file: Path, address: str) -> None:
    store = await SqlStore.open(f"sqlite:///{file}")
    await World(store).chat(address)
    await store.close()


def leave_a_log(file: Path) -> None:
    """As a kill leaves it: the newest chat is in the write-ahead log alone."""
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("UPDATE chats SET address = 'newer'")
    connection.commit()
    wal, shm = side_files(file)
    left = {path: path.read_bytes() for path in (file, wal, shm)}
    connection.close()
    for path, content in left.items():
        path.write_bytes(content)


READER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT * FROM chats").fetchall()
print("open", flush=True)
sys.stdin.read()
"""


@contextmanager
def reading_elsewhere(file: Path) -> Iterator[None]:
    """Another process that has the file open, and reads nothing just now."""
    command = [sys.executable, "-c", READER, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline() == b"open\n"
        yield
        process.communicate()


def restore(copy: Path, file: Path) -> Path | None:
    return backup.put_in_place(backup.stage(copy, file), file, NOW)


async def test_what_came_after_the_backup_does_not_come_back(file: Path, tmp_path: Path) -> None:
    await add_chat(file, "older")
    copy = tmp_path / "backup.db"
    backup.copy(file, copy)
    leave_a_log(file)
    kept = restore(copy, file)
    assert chats(file) == ["older"]
    assert kept == tmp_path / "skywave.db-20260714T100000Z"
    assert chats(kept) == ["newer"], "nor is it lost"
    assert [one.problems for one in backup.check(file)] == [()] * 4


async def test_a_damaged_database_is_kept_and_replaced(file: Path, tmp_path: Path) -> None:
    await add_chat(file, "older")
    copy = tmp_path / "backup.db"
    backup.copy(file, copy)
    damage = b"\xa5" * file.stat().st_size
    for path in (file, *side_files(file)):
        path.write_bytes(damage)
    assert backup.check(file)[0].problems == ("SQLite cannot read them",)
    kept = restore(copy, file)
    assert kept is not None and kept.read_bytes() == damage
    assert chats(file) == ["older"]


async def test_two_restores_of_a_second_keep_both(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "backup.db"
    backup.copy(file, copy)
    first, second = restore(copy, file), restore(copy, file)
    assert first and second and first != second and first.exists() and second.exists()


async def test_a_database_that_is_lost_is_restored_too(file: Path, tmp_path: Path) -> None:
    await add_chat(file, "older")
    copy = tmp_path / "backup.db"
    backup.copy(file, copy)
    leave_a_log(file)
    file.unlink()
    assert restore(copy, file) is None
    assert chats(file) == ["older"]


async def test_nothing_is_replaced_under_somebody_who_has_it_open(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "backup.db"
    backup.copy(file, copy)
    await add_chat(file, "newer")
    staged = backup.stage(copy, file)
    with reading_elsewhere(file), pytest.raises(StoreBusy, match="open in another program"):
        backup.put_in_place(staged, file, NOW)
    assert chats(file) == ["newer"]
    assert backup.put_in_place(staged, file, NOW), "once it is closed"


async def test_a_restore_that_fails_half_way_loses_nothing(file: Path, tmp_path: Path) -> None:
    await add_chat(file, "older")
    leave_a_log(file)
    with pytest.raises(StoreError, match="cannot be replaced"):
        backup.put_in_place(tmp_path / "nothing-there", file, NOW)
    assert chats(file) == ["newer"]


def not_sqlite(path: Path) -> None:
    path.write_text("notes " * 1000)


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE notes (text)")


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE alembic_version (version_num)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
        database.commit()


def damaged(path: Path) -> None:
    foreign(path)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (not_sqlite, "not a SQLite file"),
        (foreign, "not a database of Skywave"),
        (newer, "revision 9999 of a newer Skywave"),
        (damaged, "cannot be restored"),
        (Path.mkdir, "not a file"),
        (lambda path: None, "not a file"),
    ],
)
def test_only_a_sound_backup_is_taken(file: Path, tmp_path: Path, make: object, reason: str) -> None:
    copy = tmp_path / "backup.db"
    assert callable(make)
    make(copy)
    before = file.read_bytes()
    with pytest.raises(UsageError, match=reason):
        backup.stage(copy, file)
    assert file.read_bytes() == before
    assert not list(tmp_path.glob("*restoring*"))


def test_a_database_is_no_backup_of_itself(file: Path) -> None:
    with pytest.raises(UsageError, match="the database itself"):
        backup.stage(file, file)


def test_a_backup_is_read_where_nothing_can_be_written(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    backup.copy(file, folder / "one.db")
    (folder / "one.db").chmod(0o400)
    folder.chmod(0o500)
    try:
        restore(folder / "one.db", file)
        assert os.listdir(folder) == ["one.db"], "no side files are left beside it"
    finally:
        folder.chmod(0o700)


def test_a_copy_never_replaces_a_file(file: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        backup.copy(file, tmp_path / "taken")
    with pytest.raises(StoreError, match="cannot be written"):
        backup.copy(file, tmp_path / "nowhere" / "backup.db")
    assert (tmp_path / "taken").read_text() == "mine"


async def test_a_post_that_the_index_lacks_is_found(file: Path) -> None:
    store = await SqlStore.open(f"sqlite:///{file}")
    world = World(store)
    await world.posts(await world.source(), "a", "b")
    await store.close()
    with closing(sqlite3.connect(file)) as database:
        database.execute("INSERT INTO post_fts (post_fts) VALUES ('delete-all')")
        database.commit()
    assert backup.check(file)[-1].problems == ("2 posts are missing in it",)


async def test_a_post_that_waits_to_be_indexed_is_no_problem(file: Path) -> None:
    store = await SqlStore.open(f"sqlite:///{file}")
    source = await World(store).source()
    async with store.write() as work:
        await work.posts.insert_all([Batch(source.id, [new_post()])], NOW)
        await work.commit()
    await store.close()
    assert not any(check.problems for check in backup.check(file))
    with closing(sqlite3.connect(file)) as database:
        database.execute("INSERT INTO post_fts (rowid, title) SELECT post_id, 'twice' FROM unindexed")
        database.commit()
    assert backup.check(file)[-1].problems == ("1 deleted posts are still in it",)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("present", [False, True])
async def test_the_files_are_their_owners_alone(tmp_path: Path, present: bool) -> None:
    """Also where everybody may read new files, and where a database has been readable until now."""
    before = os.umask(0o022)
    try:
        file = tmp_path / "own.db"
        if present:
            file.touch(0o644)
        store = await SqlStore.open(f"sqlite:///{file}")
        try:
            await World(store).chat("1")
            assert [mode(path) for path in (file, *side_files(file))] == [0o600] * 3
        finally:
            await store.close()
        backup.copy(file, tmp_path / "backup.db")
        kept = restore(tmp_path / "backup.db", file)
        assert kept
        assert [mode(path) for path in (tmp_path / "backup.db", file, kept)] == [0o600] * 3
    finally:
        os.umask(before)
