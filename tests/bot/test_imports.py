"""Moving in from other bots: chats and subscriptions are taken over once, and nothing is sent again."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from bot.cli.imports import BOTS
from bot.cli.imports.documents import read_documents
from bot.cli.imports.types import INTERVAL, WITHOUT_FEED, Inventory, WrongFile
from bot.cli.main import app
from content.formats import NOTHING, Detail, Format
from content.types import Visibility
from scheduler.actions.audit import COMMAND_LINE
from scheduler.actions.moving_in import MovedIn, OldChat, OldSubscription, move_in
from scheduler.quotas import Quotas
from scheduler.types import ChatKind, Place
from tests.bot.conftest import FEED, Desk
from tests.bot.other_bots import (
    FLOWERSS,
    GONE,
    MONITORSS,
    NODERSS,
    RADIO,
    WAVES,
    bson,
    bson_file,
    json_file,
    mysql_dump,
    pg_dump,
    rsstt,
    sqlite_file,
)

Skywave = Callable[..., Result]

# What the file of each bot holds, by chat: the URL, title, tags and choices of each subscription.
Holds = dict[str, list[tuple[str, str, tuple[str, ...], Format]]]

OF_RSSTT: Holds = {
    "telegram:7": [
        (
            RADIO,
            "My radio",
            ("short", "waves"),
            Format(Detail.FULL, pictures=None, source=False, author=True, hashtags=True, silent=True),
        ),
        (WAVES, "Waves", (), Format(pictures=False)),
    ],
    "telegram:-1005": [(WAVES, "Waves", (), Format(silent=True)), (GONE, "Gone", (), NOTHING)],
}
OF_FLOWERSS: Holds = {
    "telegram:7": [(RADIO, "It's Radio", ("short", "waves"), NOTHING)],
    "telegram:-1005": [(WAVES, "Waves", (), Format(silent=True))],
}
OF_NODERSS: Holds = {
    "telegram:7": [
        ("http://10.0.0.1/%E6%94%B6%E9%9F%B3%E6%9C%BA%20a", "Radio", (), NOTHING),
        (WAVES, "Waves", (), NOTHING),
    ],
    "telegram:-1005": [(WAVES, "Waves", (), NOTHING)],
}
NO_PICTURES = Format(pictures=False)
OF_MONITORSS: Holds = {
    "discord:501": [(RADIO, "Radio", (), NO_PICTURES), (WAVES, "Waves", (), NO_PICTURES)],
    "discord:502": [(RADIO, "Radio", (), NO_PICTURES)],
    "discord:503": [(WAVES, "Waves", (), NOTHING)],
    "discord:504": [(GONE, "Old", (), NOTHING)],
}
FILES: Sequence[tuple[str, Callable[[Path], Path], Holds]] = (
    ("rsstt", lambda file: sqlite_file(file, rsstt()), OF_RSSTT),
    ("rsstt", lambda file: pg_dump(file, rsstt()), OF_RSSTT),
    ("flowerss", lambda file: sqlite_file(file, FLOWERSS), OF_FLOWERSS),
    ("flowerss", lambda file: mysql_dump(file, FLOWERSS), OF_FLOWERSS),
    ("noderss", lambda file: sqlite_file(file, NODERSS), OF_NODERSS),
    ("noderss", lambda file: pg_dump(file, NODERSS), OF_NODERSS),
    ("monitorss", lambda file: json_file(file, MONITORSS), OF_MONITORSS),
    ("monitorss", lambda file: json_file(file, MONITORSS, lines=True), OF_MONITORSS),
    ("monitorss", lambda file: bson_file(file, MONITORSS), OF_MONITORSS),
)


def held(inventory: Inventory) -> Holds:
    return {
        str(chat.place): [(s.url, s.title, s.tags, s.choices) for s in chat.subscriptions]
        for chat in inventory.chats
    }


@pytest.mark.parametrize(("bot", "write", "holds"), FILES)
def test_each_bot_is_read_in_each_form(
    bot: str, write: Callable[[Path], Path], holds: Holds, tmp_path: Path
) -> None:
    file = write(tmp_path / "of-the-other-bot")
    before = file.read_bytes()
    assert held(BOTS[bot](file)) == holds
    assert file.read_bytes() == before and list(tmp_path.iterdir()) == [file]


def test_who_owns_a_chat_and_how_it_is_served(tmp_path: Path) -> None:
    mine, channel = BOTS["rsstt"](sqlite_file(tmp_path / "rsstt", rsstt())).chats
    assert (mine.kind, mine.owner, mine.language) == (ChatKind.PRIVATE, "telegram:7", "zh-Hans")
    assert (channel.kind, channel.owner) == (ChatKind.CHANNEL, "telegram:7")
    group = BOTS["flowerss"](sqlite_file(tmp_path / "flowerss", FLOWERSS)).chats[1]
    assert (group.kind, group.owner) == (ChatKind.GROUP, "")
    first, *_ = BOTS["monitorss"](json_file(tmp_path / "monitorss", MONITORSS)).chats
    assert (first.owner, first.timezone) == ("discord:77", "Asia/Shanghai")


def test_what_was_switched_off_is_paused(tmp_path: Path) -> None:
    for bot, file in (
        ("rsstt", sqlite_file(tmp_path / "rsstt", rsstt())),
        ("monitorss", json_file(tmp_path / "monitorss", MONITORSS)),
    ):
        subscriptions = [s for chat in BOTS[bot](file).chats for s in chat.subscriptions]
        assert [s.paused for s in subscriptions].count(True) == 1


def test_what_has_no_equivalent_is_counted(tmp_path: Path) -> None:
    left = BOTS["rsstt"](sqlite_file(tmp_path / "rsstt", rsstt())).left
    assert left == {
        "a title of their own, but several chats follow the source": 1,
        INTERVAL: 1,
        "sent through Telegraph, or as a link only": 1,
        "their own choice of title, link preview or style": 1,
        "of a chat that is banned there": 1,
        WITHOUT_FEED: 1,
    }
    left = BOTS["flowerss"](sqlite_file(tmp_path / "flowerss", FLOWERSS)).left
    assert left == {INTERVAL: 1, "sent through Telegraph": 1, WITHOUT_FEED: 1}
    left = BOTS["monitorss"](json_file(tmp_path / "monitorss", MONITORSS)).left
    assert left == {
        "filters": 1,
        INTERVAL: 2,
        "without a channel: the file does not name it": 1,
    }


def test_what_the_bot_wrote_last_may_be_in_its_log(tmp_path: Path) -> None:
    file = sqlite_file(tmp_path / "live", rsstt())
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE feed SET title = 'Tower' WHERE id = 1")
        connection.execute("UPDATE sub SET title = NULL")
        connection.commit()
        assert held(BOTS["rsstt"](file))["telegram:7"][0][1] == "Tower"


ENDLESS = """CREATE VIEW sub AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n)
SELECT i AS user_id, i AS feed_id, i AS state FROM n WHERE i > 1"""


def test_a_file_that_computes_for_ever_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.cli.imports.tables.MAX_CALLS", 2)
    tables = rsstt()
    del tables["sub"]
    file = sqlite_file(tmp_path / "hostile", tables)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(ENDLESS)
    with pytest.raises(WrongFile, match="damaged or not a database: interrupted"):
        BOTS["rsstt"](file)


@pytest.mark.parametrize("write", [sqlite_file, pg_dump])
def test_a_table_that_fills_the_memory_is_given_up(
    write: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "large", rsstt())
    monkeypatch.setattr("bot.cli.imports.tables.MAX_ROWS", 5)
    with pytest.raises(WrongFile, match="has more than 5 rows or 64 MiB in its table sub"):
        BOTS["rsstt"](file)
    monkeypatch.setattr("bot.cli.imports.tables.MAX_TEXT", 10)
    with pytest.raises(WrongFile, match="in its table"):
        BOTS["rsstt"](file)


@pytest.mark.parametrize("bot", BOTS)
def test_a_foreign_damaged_or_missing_file_is_one_plain_sentence(bot: str, tmp_path: Path) -> None:
    whole = {"monitorss": bson_file}.get(bot, lambda file, _: sqlite_file(file, rsstt()))
    file = whole(tmp_path / "cut", MONITORSS)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    foreign = sqlite_file(tmp_path / "foreign", {"notes": ("id", ((1,),))})
    empty, text = tmp_path / "empty", tmp_path / "text"
    empty.touch()
    text.write_text("COPY public.notes (id) FROM stdin;\n1\n\\.\n[1, 2]")
    for wrong in (file, foreign, text, tmp_path / "missing", tmp_path):
        with pytest.raises(WrongFile) as caught:
            BOTS[bot](wrong)
        assert str(wrong) in str(caught.value) and "\n" not in str(caught.value)


@given(st.binary(), st.integers(0), st.integers(0))
def test_any_bytes_are_documents_or_an_error(
    tmp_path_factory: Any, noise: bytes, start: int, end: int
) -> None:
    content = bytearray(bson(MONITORSS[0]))
    content[start % len(content) : start % len(content) + end % 9] = noise
    for document in read_bytes(tmp_path_factory, bytes(content)) + read_bytes(tmp_path_factory, noise):
        assert isinstance(document, dict)


def read_bytes(made: Any, content: bytes) -> list[object]:
    file = made.getbasetemp() / "bytes"
    file.write_bytes(content)
    try:
        return list(read_documents(file))
    except WrongFile as exc:
        assert "\n" not in str(exc)
        return []


@pytest.fixture
def skywave(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Skywave:
    """`skywave WORDS` on a database of its own, whose operator allows the addresses of the feeds."""
    monkeypatch.setenv("SKYWAVE_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("SKYWAVE_ALLOWED_NETWORKS", "10.0.0.0/8")
    return lambda *words, **given: CliRunner().invoke(app, words, **given)


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return connection.execute(query).fetchall()


def test_a_bot_moves_in_once(skywave: Skywave, sqlite_url: str, tmp_path: Path) -> None:
    file = str(sqlite_file(tmp_path / "rsstt.db", rsstt()))
    tried = skywave("import", "rsstt", file, "--dry-run")
    assert tried.exit_code == 0, tried.stderr
    assert tried.stdout.startswith("2 new chats, 4 new subscriptions, 3 new sources: nothing was changed")
    assert rows(sqlite_url, "SELECT * FROM subscriptions") == []

    result = skywave("import", "rsstt", file)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("2 new chats, 4 new subscriptions, 3 new sources\nNot taken over:\n")
    # Feeds of people never reach addresses that the operator allows for sources of their own.
    assert "Added, but cannot be read now" in result.stderr and "My radio: 10" in result.stderr
    chats = "SELECT address, language, access FROM chats WHERE platform = 'telegram' ORDER BY id"
    assert rows(sqlite_url, chats) == [("7", "zh", "allowed"), ("-1005", "", "allowed")]
    sources = "SELECT url, title, tags, visibility, added_by, failures, polled_at FROM sources ORDER BY id"
    radio, waves, _ = rows(sqlite_url, sources)
    assert radio == (RADIO, "My radio", '["short", "waves"]', "private", "telegram:7", 1, None)
    assert waves[:5] == (WAVES, "Waves", "[]", "private", "telegram:7")
    (choices,) = rows(sqlite_url, "SELECT choices FROM subscriptions ORDER BY id LIMIT 1")[0]
    assert json.loads(str(choices))["silent"] is True

    paused = (
        "SELECT c.address FROM subscriptions s JOIN chats c ON c.id = chat_id WHERE paused_after IS NOT NULL"
    )
    assert rows(sqlite_url, paused) == [("-1005",)]
    everything = (
        "SELECT * FROM subscriptions",
        "SELECT * FROM sources",
        "SELECT * FROM chats",
        "SELECT * FROM audit",
    )
    before = [rows(sqlite_url, query) for query in everything]
    again = skywave("import", "rsstt", file)
    assert again.stdout.startswith(
        "0 new chats, 0 new subscriptions, 0 new sources\n4 subscriptions had been"
    )
    assert [rows(sqlite_url, query) for query in everything] == before


def test_wrong_words_are_answered_with_the_right_ones(skywave: Skywave) -> None:
    result = skywave("import", "feedly", "file")
    assert result.exit_code == 2 and "use rsstt, flowerss, noderss, monitorss" in result.stderr
    result = skywave("import", "rsstt", "nothing.db")
    assert result.exit_code == 2 and "nothing.db cannot be read: No such file" in result.stderr
    assert "import" in skywave("--help").stdout


OLD = OldChat(Place("fake", "1"), ChatKind.GROUP, (OldSubscription(FEED, "Radio"),), owner="fake:7")


async def moved(desk: Desk, *urls: str) -> MovedIn:
    old = replace(OLD, subscriptions=tuple(OldSubscription(url) for url in urls or (FEED,)))
    async with desk.store.write() as work:
        done = await move_in(work, COMMAND_LINE, old, desk.services.clock.now(), Quotas())
        await work.commit()
        return done


async def test_nothing_is_sent_again(desk: Desk) -> None:
    (source,) = (await moved(desk)).added
    desk.fetcher.faults[FEED] = WrongFile("down")  # type: ignore[assignment]
    assert (await desk.services.ingest.poll(source)).error
    del desk.fetcher.faults[FEED]
    await desk.publish("one", "two")  # was there before, so the other bot has sent it
    await desk.publish("one", "two", "three")
    async with desk.store.read() as work:
        sent = [d.posts for d in await work.outbox.claim("fake", desk.services.clock.now(), 10, 1)]
    assert [len(posts) for posts in sent] == [1]


async def test_what_may_not_be_taken_over_is_named(desk: Desk) -> None:
    await desk.source("inside", title="Intranet", public=False)
    done = await moved(desk, FEED, "/etc", "tg://resolve?domain=x", "https://example.org/" + "a" * 3000)
    assert not done.followed and not done.added
    reasons = [failure.reason for failure in done.refused]
    assert reasons[0].startswith("it is a private source of the operator: to let the chat follow it, run")
    assert reasons[1:3] == ["it is not an http or https address"] * 2 and "more than 2000" in reasons[3]


async def test_what_was_chosen_here_stays(desk: Desk) -> None:
    source = await desk.source("one")
    await desk.say("/subscribe Example")
    done = await moved(desk)
    assert not (done.new or done.followed or done.added or done.refused)
    async with desk.store.read() as work:
        kept = await work.sources.get(source.id)
    assert kept and (kept.title, kept.visibility, kept.added_by) == ("Example", Visibility.PUBLIC, "")
    await desk.say("/unsubscribe Example")
    assert len((await moved(desk)).followed) == 1
