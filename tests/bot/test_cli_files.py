"""Files, secrets and outside texts on the command line: what is read, what is written, what is shown."""

import json
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli.main import app

Skywave = Callable[..., Result]

SECRET = "http://me:hunter2@127.0.0.1/private/3f9a8b7c6d5e4f30/feed?token=hunter3"
HIDDEN = ("hunter2", "hunter3", "3f9a8b7c6d5e4f30")
NASTY = "Title \x1b]0;owned\x07\x9b2J\r\u202e[red]end"
OBEYED = ("\x1b]", "\x07", "\x9b", "\r", "\u202e")


@pytest.fixture
def skywave(workplace: Path) -> Skywave:
    """`skywave WORDS` on a database of its own."""
    return lambda *words: CliRunner().invoke(app, words)


@pytest.fixture
def database(workplace: Path) -> Iterator[sqlite3.Connection]:
    """The database, for rows that come from elsewhere."""
    with closing(sqlite3.connect(workplace / "skywave.db", isolation_level=None)) as connection:
        yield connection


def add_source(
    database: sqlite3.Connection, url: str, title: str = "", error: str = "", kind: str = "feed"
) -> None:
    columns = "kind, url, title, visibility, state, etag, last_modified, content_hash, starts_after, failures"
    values = (kind, url, title, "public", "active", "", "", "", 0, 1 if error else 0, error)
    marks = ", ".join("?" for _ in values)
    database.execute(f"INSERT INTO sources ({columns}, last_error) VALUES ({marks})", values)


def opml(*urls: str) -> str:
    outlines = "".join(f'<outline type="rss" xmlUrl="{url}"/>' for url in urls)
    return f'<opml version="2.0"><body>{outlines}</body></opml>'


class TestLists:
    def test_a_list_publishes_no_folder_and_no_source_of_ours(self, skywave: Skywave, tmp_path: Path) -> None:
        diary = tmp_path / "diary"
        diary.mkdir()
        (diary / "today.md").write_text("# Dear diary\n\nI have a secret.")
        names = [
            str(diary),
            diary.as_uri(),
            "diary",
            "./diary",
            "~",
            "updates:",
            "updates:telegram:-1",
            "ftp://x/",
        ]
        (tmp_path / "list.opml").write_text(opml(*names))
        result = skywave("sources", "import", "list.opml")
        assert result.exit_code != 0
        assert json.loads(skywave("sources", "list", "--json").stdout) == []
        refused = [line for line in result.stderr.splitlines() if "may only name http and https" in line]
        assert len(refused) == len(names) and str(diary) in refused[0]

    def test_the_operator_may_still_add_a_folder(self, skywave: Skywave, tmp_path: Path) -> None:
        (tmp_path / "posts").mkdir()
        (tmp_path / "posts" / "one.md").write_text("# One")
        assert skywave("sources", "add", "./posts").exit_code == 0

    def test_nobody_adds_what_admins_write_by_name(self, skywave: Skywave) -> None:
        result = skywave("sources", "add", "updates:", "updates:telegram:-100123")
        assert result.exit_code == 1 and result.stderr.count("is not a source") == 2

    def test_what_admins_write_is_not_polled(self, skywave: Skywave, database: sqlite3.Connection) -> None:
        add_source(database, "updates:", kind="updates")
        result = skywave("poll", "--all")
        assert result.exit_code == 0 and "0 sources polled, 0 new posts, 0 failed" in result.stdout
        assert json.loads(skywave("sources", "list", "--json").stdout)[0]["failures"] == 0

    def test_a_list_has_bounds(self, skywave: Skywave, tmp_path: Path) -> None:
        entities = "".join(f'<!ENTITY {name} "{8 * text}">' for name, text in (("a", "aa"), ("b", "&a;")))
        for content, reason in (
            (f"<!DOCTYPE opml [{entities}]>{opml('https://example.org/&b;')}", "document type declaration"),
            ("<outline>" * 60 + "</outline>" * 60, "nested more than 50"),
            (opml("https://example.org/" + "x" * 2_000), "more than 2000 characters"),
            (opml(*(f"https://example.org/{n}" for n in range(2_001))), "more than 2000 feeds"),
            (opml("https://example.org/") + " " * 4 * 1024 * 1024, "larger than 4 MiB"),
            ("<opml><body>", "cannot be read as OPML"),
            ('<?xml version="1.0" encoding="nowhere"?><opml/>', "cannot be read as OPML"),
            ("<opml/>", "names no feeds"),
        ):
            (tmp_path / "list.opml").write_text(content)
            result = skywave("sources", "import", "list.opml")
            assert (result.exit_code, result.stderr.count("\n")) == (2, 1) and reason in result.stderr

    def test_an_export_is_private_and_has_no_secrets(
        self, skywave: Skywave, database: sqlite3.Connection, tmp_path: Path
    ) -> None:
        add_source(database, SECRET, "Private")
        add_source(database, "https://example.org/feed.xml", "Public")
        file = tmp_path / "out.opml"
        file.touch(0o644)
        result = skywave("sources", "export", "out.opml")
        assert "1 feed written" in result.stdout and "1 feed left out" in result.stdout
        assert "hunter" not in file.read_text() and "feed.xml" in file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert "2 feeds written" in skywave("sources", "export", "out.opml", "--with-secrets").stdout
        assert "hunter2" in file.read_text() and "hunter3" in file.read_text()


class TestSecrets:
    def test_no_command_shows_a_secret(self, skywave: Skywave, database: sqlite3.Connection) -> None:
        add_source(database, SECRET, error=f"GET {SECRET} failed")  # as an earlier version recorded it
        assert skywave("subscriptions", "add", "telegram:1", "--source", SECRET).exit_code == 0
        for words in (
            "sources list",
            "sources list --json",
            "doctor",
            "doctor --json",
            "subscriptions list",
            "poll --json",
        ):
            output = skywave(*words.split()).output
            assert "127.0.0.1" in output, words
            assert not [hidden for hidden in HIDDEN if hidden in output], words

    def test_what_is_recorded_has_no_secret(self, skywave: Skywave, database: sqlite3.Connection) -> None:
        add_source(database, SECRET)
        for words in ("subscriptions add telegram:1", "subscriptions remove telegram:1"):
            assert skywave(*words.split(), "--source", SECRET).exit_code == 0
        for words in ("pause", "resume", "remove --yes"):
            assert skywave("sources", *words.split(), SECRET).exit_code == 0
        targets = " ".join(row[0] for row in database.execute("SELECT target FROM audit"))
        assert "127.0.0.1" in targets and "hunter" not in targets

    def test_they_are_shown_to_who_asks_for_them(
        self, skywave: Skywave, database: sqlite3.Connection
    ) -> None:
        add_source(database, SECRET)
        (source,) = json.loads(skywave("sources", "list", "--with-secrets", "--json").stdout)
        assert source["url"] == SECRET

    def test_the_databases_password_is_not_told(
        self, skywave: Skywave, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
    ) -> None:
        url = f"postgresql://me:hunter2@127.0.0.1:{unused_tcp_port}/skywave?password=hunter3"
        monkeypatch.setenv("SKYWAVE_DATABASE_URL", url)
        for words in ("doctor", "db upgrade", "db check", "db restore x", "db backup x"):
            result = skywave(*words.split())
            assert result.exit_code != 0 and "hunter" not in result.output


class TestTerminal:
    def test_no_command_prints_what_a_terminal_obeys(
        self, skywave: Skywave, database: sqlite3.Connection
    ) -> None:
        add_source(database, "https://example.org/feed.xml", NASTY, error=NASTY)
        assert skywave("chats", "add", "telegram:1", "--title", NASTY).exit_code == 0
        assert skywave("subscriptions", "add", "telegram:1", "--source", NASTY).exit_code == 0
        for words in (
            "sources list",
            "sources list --json",
            "doctor",
            "subscriptions list",
            "chats list",
            "chats list --json",
        ):
            output = skywave(*words.split()).output
            assert "Title" in output and not [ch for ch in OBEYED if ch in output], words

    def test_nor_does_an_error(self, skywave: Skywave) -> None:
        result = skywave("sources", "pause", NASTY)
        assert "no source is called Title" in result.stderr
        assert not [ch for ch in OBEYED if ch in result.output]

    def test_nor_does_a_search(self, skywave: Skywave, tmp_path: Path) -> None:
        (tmp_path / "posts").mkdir()
        (tmp_path / "posts" / "one.md").write_text("# Antenna \x1b]0;owned\x07\n\nText \x9b2J.")
        assert skywave("sources", "add", "./posts").exit_code == 0
        for words in ("search antenna", "search antenna --json", "sources check ./posts"):
            output = skywave(*words.split()).output
            assert "Antenna" in output and not [ch for ch in OBEYED if ch in output]


class TestDatabase:
    def damage(self, file: Path) -> None:
        content = file.read_bytes()
        file.write_bytes(content[:4096] + b"\xa5" * (len(content) - 4096))

    def test_damage_is_found_and_a_backup_brings_all_back(self, skywave: Skywave, tmp_path: Path) -> None:
        assert skywave("chats", "add", "telegram:1").exit_code == 0
        assert skywave("db", "backup", "backup.db").exit_code == 0
        assert skywave("db", "check").stdout.splitlines() == [
            "ok   pages and indexes",
            "ok   references",
            "ok   schema",
            "ok   search index",
        ]
        self.damage(tmp_path / "skywave.db")
        found = skywave("db", "check")
        assert found.exit_code == 1 and found.stdout.startswith("BAD  pages and indexes")
        refused = skywave("chats", "list")
        assert refused.exit_code == 1 and "skywave db restore FILE" in refused.stderr
        assert refused.stderr.count("\n") == 1
        restored = skywave("db", "restore", "backup.db")
        assert restored.exit_code == 0 and "the one before is kept as" in restored.stdout
        assert [
            chat["place"]["address"] for chat in json.loads(skywave("chats", "list", "--json").stdout)
        ] == ["1"]

    @pytest.mark.parametrize("content", [b"notes " * 1000, b"SQLite format 3\0" + b"\xa5" * 9000])
    def test_doctor_tells_of_a_database_that_it_cannot_open(
        self, skywave: Skywave, tmp_path: Path, content: bytes
    ) -> None:
        (tmp_path / "skywave.db").write_bytes(content)
        findings = json.loads(skywave("doctor", "--json").stdout)
        assert findings[0]["what"] == "database" and not findings[0]["well"]
        assert "skywave db restore FILE" in findings[0]["hint"]
        assert {finding["what"] for finding in findings} >= {"time zone data", "telegram", "discord"}
        result = skywave("doctor")
        assert result.exit_code == 1 and result.stdout.startswith("BAD  database: ")

    def test_doctor_tells_of_damage_that_it_meets_on_its_way(self, skywave: Skywave, tmp_path: Path) -> None:
        self.damage(tmp_path / "skywave.db")
        result = skywave("doctor")
        assert result.exit_code == 1 and "BAD  database: " in result.stdout
        assert result.stderr == ""

    def test_postgresql_has_tools_of_its_own(self, skywave: Skywave, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SKYWAVE_DATABASE_URL", "postgresql://host/skywave")
        for words, tool in (("check", "pg_amcheck"), ("restore x", "pg_restore"), ("backup x", "pg_dump")):
            result = skywave("db", *words.split())
            assert result.exit_code == 2 and tool in result.stderr

    def test_a_link_to_a_database_stays_a_link(
        self, skywave: Skywave, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "disk").mkdir()
        (tmp_path / "link.db").symlink_to(tmp_path / "disk" / "real.db")
        monkeypatch.setenv("SKYWAVE_DATABASE_URL", f"sqlite:///{tmp_path / 'link.db'}")
        assert skywave("chats", "add", "telegram:1").exit_code == 0
        assert skywave("db", "backup", "backup.db").exit_code == 0
        assert skywave("chats", "add", "telegram:2").exit_code == 0
        assert skywave("db", "restore", "backup.db").exit_code == 0
        assert (tmp_path / "link.db").is_symlink()
        assert len(json.loads(skywave("chats", "list", "--json").stdout)) == 1

    def test_all_that_is_written_is_private(self, skywave: Skywave, tmp_path: Path) -> None:
        before = os.umask(0o022)
        try:
            (tmp_path / "skywave.db").chmod(0o644)
            assert skywave("db", "backup", "backup.db").exit_code == 0
            assert skywave("db", "restore", "backup.db").exit_code == 0
        finally:
            os.umask(before)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        assert {"skywave.db", "skywave.db.lock", "backup.db"} < set(modes)
        assert set(modes.values()) == {0o600}
