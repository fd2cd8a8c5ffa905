"""Restore a backup after kill -9: newer rows are in the old file only, and the program continues."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.program import FeedServer, Program, item, json_feed
from tests.emulators.telegram import TelegramEmulator

PATIENCE = 60.0

# The file from which the program starts.
pytestmark = pytest.mark.usefixtures("sqlite_url")


async def test_a_backup_is_restored_after_a_kill(tmp_path: Path) -> None:
    async with TelegramEmulator() as tg, FeedServer().serving() as feeds:
        feeds.documents["/feed"] = json_feed(item("old"))
        program = Program(tmp_path, telegram_token=tg.token, telegram_api_url=tg.url)
        reader = tg.private(tg.user("Reader"))
        assert (await program.call("sources", "add", f"{feeds.url}/feed"))[0] == 0
        assert (await program.call("subscriptions", "add", f"telegram:{reader.id}"))[0] == 0
        backup = str(tmp_path / "backup.db")

        feeds.documents["/feed"] = json_feed(item("new"), item("old"))
        async with program.running() as process:
            await tg.wait_for(lambda: len(tg.sent) == 1, PATIENCE)
            assert (await program.call("db", "backup", backup))[0] == 0
            feeds.documents["/feed"] = json_feed(item("newer"), item("new"), item("old"))
            await tg.wait_for(lambda: len(tg.sent) == 2, PATIENCE)
            status, _, told = await program.call("db", "restore", backup)
            assert status == 1 and "stop it first" in told, "not while it runs"
            process.kill()
            await process.wait()
        assert (tmp_path / "skywave.db-wal").stat().st_size > 0, "the newest rows are in the log alone"

        status, said, told = await program.call("db", "restore", backup)
        assert (status, told) == (0, ""), "a kill leaves nothing that has to be cleaned up"
        assert titles(tmp_path / "skywave.db") == ["Post old", "Post new"]
        (kept,) = (path for path in tmp_path.glob("skywave.db-2*") if path.suffix != ".lock")
        assert str(kept) in said
        assert titles(kept) == ["Post old", "Post new", "Post newer"]
        assert (await program.call("db", "check"))[0] == 0

        # The program continues from the backup, so the later post counts as new again.
        async with program.running():
            await tg.wait_for(lambda: len(tg.sent) == 3, PATIENCE)
        assert ["newer" in message.text for message in tg.sent] == [False, True, True]


def titles(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as database:
        return [row[0] for row in database.execute("SELECT title FROM posts ORDER BY id")]
