"""Each use case from a chat and from the command line, on equal stores: both leave the same rows."""

import ast
import asyncio
import json
import shlex
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli.main import app
from bot.commands.types import Reply
from content.parsers import ParserPool
from content.types import Visibility
from scheduler.timetable.drafts import Drafts
from scheduler.types import ChatAccess, ChatKind
from storage.unit_of_work import SqlStore
from tests.bot.conftest import OPERATOR, Desk, open_desk, shown
from tests.contracts.world import World
from tests.fakes import FakeClock, ParserHere

CHAT = "telegram:-1001"

# What is the same wherever something was done; ids, and moments that depend on the clock, are left out.
ROWS = {
    "chats": "SELECT address, language, timezone, on_unknown, access, state, choices, quiet FROM chats"
    " WHERE address <> 'me'",
    "sources": "SELECT kind, url, title, visibility, state FROM sources",
    "subscriptions": "SELECT c.address, s.scope, s.digest_id, s.starts_after, s.choices, s.paused_after,"
    " f.text FROM subscriptions s LEFT JOIN filters f ON f.id = s.filter_id JOIN chats c ON c.id = s.chat_id",
    "digests": "SELECT c.address, d.name, d.recurrence, d.timezone, d.title, d.max_posts, d.rest,"
    " d.when_empty, d.paused FROM digests d JOIN chats c ON c.id = d.chat_id",
    "drafts": "SELECT text, everywhere, state, CASE WHEN state = 'scheduled' THEN due_at END FROM drafts",
    "posts": "SELECT guid, title FROM posts",
    "deliveries": "SELECT c.address, d.broadcast_id, d.state, d.reason FROM deliveries d"
    " JOIN chats c ON c.id = d.chat_id",
    "ledger": "SELECT c.address, l.post_id, l.state, l.reason FROM ledger l JOIN chats c ON c.id = l.chat_id",
    "audit": "SELECT action, target FROM audit",
}


def rows(database: Path, *tables: str) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(database)) as connection:
        wanted = tables or tuple(ROWS)
        return {table: sorted(connection.execute(ROWS[table]).fetchall(), key=repr) for table in wanted}


@dataclass
class Both:
    """A chat that may use the bot, in two equal stores; `alpha` and `beta` are public, `gamma` private."""

    desk: Desk
    in_chat: Path
    by_cli: Path

    async def say(self, line: str, *, actor: str = "fake:7") -> Reply | None:
        return await self.desk.say(line, platform="telegram", place="-1001", actor=actor)

    async def press(self, reply: Reply | None, label: str, *, actor: str = "fake:7") -> Reply | None:
        assert reply is not None
        data = next(button.data for button in reply.buttons if button.label == label)
        return await self.desk.press(data, platform="telegram", place="-1001", actor=actor)

    async def skywave(self, words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, shlex.split(words))

    async def done(self, words: str) -> Result:
        result = await self.skywave(words)
        assert result.exit_code == 0, result.output
        return result

    def same(self, *tables: str) -> dict[str, list[tuple[object, ...]]]:
        """The rows of both stores, which are equal."""
        found = rows(self.in_chat, *tables)
        assert rows(self.by_cli, *tables) == found
        return found


async def prepare(url: str, follows: Sequence[str]) -> None:
    """The chat follows some sources, each of which then has one post more."""
    store = await SqlStore.open(url)
    world = World(store)
    sources = {name: await world.source(name) for name in ("alpha", "beta")}
    sources["gamma"] = await world.source("gamma", Visibility.PRIVATE)
    for source in sources.values():
        await world.posts(source, f"old-{source.title}")
    chat = await world.chat("-1001")
    async with store.write() as work:
        await work.chats.set_access(chat.id, ChatAccess.ALLOWED)
        await work.commit()
    for name in follows:
        await world.follow(chat, sources.get(name))
    for source in sources.values():
        await world.publish(source, f"new-{source.title}")
    await store.close()


@pytest.fixture(scope="module")
def prepared() -> dict[Sequence[str], bytes]:
    """Databases by what the chat follows: most tests begin with the same few."""
    return {}


@pytest.fixture
async def both(
    request: pytest.FixtureRequest,
    prepared: dict[Sequence[str], bytes],
    sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Both]:
    """Its parameter is what the chat follows: names of sources, or all."""
    in_chat, by_cli = Path(sqlite_url.removeprefix("sqlite:///")), tmp_path / "cli.db"
    if request.param not in prepared:
        await prepare(sqlite_url, request.param)
        with closing(sqlite3.connect(in_chat)) as made:
            prepared[request.param] = made.serialize()
    for database in (in_chat, by_cli):
        database.write_bytes(prepared[request.param])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKYWAVE_DATABASE_URL", f"sqlite:///{by_cli}")
    monkeypatch.setenv("SKYWAVE_TIMEZONE", "UTC")
    monkeypatch.setattr(ParserPool, "call", ParserHere.call)
    async with open_desk(sqlite_url) as desk:
        yield Both(desk, in_chat, by_cli)


def following(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("both", [names], indirect=True, ids=["+".join(names) or "nothing"])


def any_of(*groups: Sequence[str]) -> pytest.MarkDecorator:
    ids = ["+".join(names) or "nothing" for names in groups]
    return pytest.mark.parametrize("both", groups, indirect=True, ids=ids)


def states(database: Path) -> list[object]:
    """The states of the deliveries of alpha, beta and gamma, as far as there are any."""
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT state FROM deliveries ORDER BY broadcast_id").fetchall()
    return [state for (state,) in found]


# Following


@following()
@pytest.mark.parametrize("names", [("", "all", "alpha"), ("alpha", "alpha", "")])
async def test_follow(both: Both, names: Sequence[str]) -> None:
    for name in names:
        await both.say(f"/subscribe {name}")
        await both.done(f"subscriptions add {CHAT} {'--source' if name else ''} {name}")
        both.same()


@pytest.mark.parametrize(
    ("both", "name"),
    [
        (("alpha",), ""),
        (("alpha", "beta"), "all"),
        (("all", "alpha", "gamma"), ""),
        (("alpha", "beta", "all"), "all"),
    ],
    indirect=["both"],
)
async def test_to_end_everything(both: Both, name: str) -> None:
    await both.say(f"/unsubscribe {name}")
    await both.done(f"subscriptions remove {CHAT} {'--source' if name else ''} {name}")
    found = both.same()
    assert found["subscriptions"] == []
    assert {row[2] for row in found["deliveries"]} == {"cancelled"}


@any_of(("alpha", "beta"), ("all", "alpha", "gamma"))
async def test_to_end_one(both: Both) -> None:
    await both.say("/unsubscribe alpha")
    await both.done(f"subscriptions remove {CHAT} --source alpha")
    found = both.same()["subscriptions"]
    assert found and all(row[1] != "1" for row in found)
    alone = ["cancelled", "pending"]
    assert states(both.by_cli) == (alone if len(found) == 1 else ["pending"] * 3)


@following("alpha", "all")
async def test_a_post_that_all_still_covers_is_sent(both: Both) -> None:
    result = await both.done(f"subscriptions remove {CHAT} --source alpha")
    assert states(both.by_cli) == ["pending", "pending"]
    assert f"to end those, run skywave subscriptions remove {CHAT} --source all" in result.stderr
    said = shown(await both.say("/unsubscribe alpha"))
    assert said.startswith("Unsubscribed from alpha. Its posts still come through “all sources”")


@any_of((), ("all",), ("beta",))
async def test_nothing_ends_where_nothing_was_followed(both: Both) -> None:
    before = rows(both.by_cli)
    scopes = [row[1] for row in before["subscriptions"]]
    said = shown(await both.say("/unsubscribe alpha"))
    result = await both.skywave(f"subscriptions remove {CHAT} --source alpha")
    assert both.same() == before
    assert result.exit_code == 1
    assert ("only included through “all sources”" in said) == ("all" in scopes)
    assert (f"{CHAT} --source all" in result.stderr) == ("all" in scopes)
    if not scopes:
        assert "No subscriptions yet" in shown(await both.say("/unsubscribe"))
        again = await both.skywave(f"subscriptions remove {CHAT}")
        assert again.exit_code == 1 and f"{CHAT} does not follow anything" in again.stderr


# Formats


@following("alpha", "all")
async def test_to_choose_how_posts_look(both: Both) -> None:
    for line, words in (
        ("/format full, no pictures", f"chats format {CHAT} full no pictures"),
        ("/format source alpha title silent", f"subscriptions format {CHAT} title silent --source alpha"),
        ("/format source all author", f"subscriptions format {CHAT} author"),
        ("/format pictures rich on", f"chats format {CHAT} pictures rich on"),
    ):
        assert not shown(await both.say(line)).startswith("⚠")
        await both.done(words)
    found = both.same()
    assert json.loads(str(found["chats"][0][6])) == {"detail": "full", "pictures": True, "rich": "on"}
    assert [json.loads(str(row[4])) for row in found["subscriptions"]] == [
        {"detail": "title", "silent": True},
        {"author": True},
    ]
    assert ("format", f"{CHAT} alpha: title, silent") in found["audit"]
    listed = shown(await both.say("/format"))
    assert "How much of a post: full (or title, excerpt)" in listed and "alpha: title, silent" in listed
    assert "full, pictures, source name" in (await both.done(f"chats format {CHAT}")).stdout
    assert "alpha: title, silent" in (await both.done(f"subscriptions format {CHAT} --source alpha")).stdout
    for line, words in (
        ("/format default", f"chats format {CHAT} default"),
        ("/format source alpha default", f"subscriptions format {CHAT} default --source alpha"),
        ("/format source all default", f"subscriptions format {CHAT} default"),
    ):
        await both.say(line)
        await both.done(words)
    found = both.same()
    assert [found["chats"][0][6], *(row[4] for row in found["subscriptions"])] == [None, None, None]


@following("alpha")
async def test_choices_that_cannot_be_made(both: Both) -> None:
    before = rows(both.by_cli)
    for line, words, told in (
        ("/format ful", f"chats format {CHAT} ful", "I don't understand “ful”. Did you mean: "),
        (
            "/format source beta full",
            f"subscriptions format {CHAT} full --source beta",
            "no subscription to “beta”",
        ),
        (
            "/format source alpha rich on",
            f"subscriptions format {CHAT} rich on --source alpha",
            "for a whole chat",
        ),
    ):
        assert told in shown(await both.say(line))
        result = await both.skywave(words)
        assert result.exit_code == 2 and told in result.stderr
    assert both.same() == before
    assert "Did you mean: /format full" in shown(await both.say("/format ful"))


# Filters


@following("alpha", "beta", "all")
async def test_to_filter_posts(both: Both) -> None:
    for line, words in (
        ("/filter alpha: python -tag:ads", "'python -tag:ads' --source alpha"),
        ("/filter “大模型” /v\\d+/", "'“大模型” /v\\d+/'"),
        ("/filter beta： -new", "--source beta -- -new"),
        ("/filter beta: OFF", "off --source beta"),
    ):
        reply = await both.say(line)
        if reply is not None and reply.buttons:
            assert not shown(await both.press(reply, "Save")).startswith("⚠")
        await both.done(f"subscriptions filter {CHAT} {words}")
    found = both.same()
    assert [row[6] for row in found["subscriptions"]] == ["python -tag:ads", None, '"大模型" /v\\d+/']
    assert ("filter", f"{CHAT} beta: off") in found["audit"]
    assert "alpha: python -tag:ads" in shown(await both.say("/filter"))
    assert 'all: "大模型" /v' in (await both.done(f"subscriptions filter {CHAT}")).stdout


@following("alpha")
async def test_a_filter_is_tried_first(both: Both) -> None:
    before = rows(both.by_cli)
    reply = await both.say("/filter -title")
    assert shown(reply).splitlines()[1:] == [
        "0 of the newest 2 posts pass.",
        "✗ A title (left out by -title)",
        "✗ A title (left out by -title)",
    ]
    assert (
        "- A title  (-title)"
        in (await both.done(f"subscriptions filter {CHAT} --try --source alpha -- -title")).stdout
    )
    assert shown(await both.press(reply, "Cancel")) == "Nothing was changed."
    both.same()
    reply = await both.say("/filter title cat -cat")
    told = "Nothing can pass: “cat” and “-cat” contradict each other."
    assert f"⚠ {told}" in shown(reply) and "✗ A title (does not match cat)" in shown(reply)
    assert (
        f"warning: {told}"
        in (await both.done(f"subscriptions filter {CHAT} --try --source alpha 'cat -cat'")).stdout
    )
    assert both.same() == before


@following("alpha")
async def test_filters_that_cannot_be_set(both: Both) -> None:
    before = rows(both.by_cli)
    for line, words, told in (
        ("/filter /c++/", "/c++/ --source alpha", "Write it like /c\\+\\+/"),
        ("/filter tag: news", "'tag: news' --source alpha", "Write it like tag:LoRA"),
        ("/filter beta: python", "python --source beta", "no subscription to “beta”"),
        ("/filter /a/ /b/ /c/ /d/ /e/", "'/a/ /b/ /c/ /d/ /e/' --source alpha", "at most 4 regular"),
        (f"/filter {'a b ' * 300}", f"'{'a b ' * 300}' --source alpha", "at most 1000 characters"),
        ('/filter ""', "'\"\"' --source alpha", "at least one word"),
    ):
        assert told in shown(await both.say(line)), line
        result = await both.skywave(f"subscriptions filter {CHAT} {words}")
        assert result.exit_code == 2 and told in result.stderr, result.output
    assert both.same() == before


# Digests


@pytest.mark.parametrize(
    ("both", "schedule"),
    [
        ((), "daily 09:00"),
        (("alpha",), "mon,thu 8:00 berlin"),
        (("all",), "weekdays 18:30 Asia/Shanghai"),
    ],
    indirect=["both"],
)
async def test_to_set_a_digest(both: Both, schedule: str) -> None:
    await both.say(f"/digest {schedule}")
    await both.done(f"digests add {CHAT} {schedule}")
    both.same()


@following("all")
async def test_a_zone_of_a_digest_is_the_chats_from_then_on(both: Both) -> None:
    await both.say("/digest daily 09:00 Europe/Berlin")
    await both.say("/digest weekdays 10:00")
    await both.done(f"digests add {CHAT} daily 09:00 Europe/Berlin")
    await both.done(f"digests add {CHAT} weekdays 10:00")
    found = both.same()
    assert found["chats"][0][2] == found["digests"][0][3] == "Europe/Berlin"


@following("all")
async def test_options_that_are_not_given_stay(both: Both) -> None:
    await both.done(f"digests add {CHAT} daily 09:00 --title 'Radio notes' --max 7 --when-empty say")
    await both.done(f"digests add {CHAT} daily 10:00")
    kept = ("-1001", "1", "daily 10:00", "UTC", "Radio notes", 7, "never", "say", 0)
    assert rows(both.by_cli)["digests"] == [kept]
    await both.done(f"digests add {CHAT} daily 10:00 --title '' --max 9")
    assert rows(both.by_cli)["digests"] == [("-1001", "1", "daily 10:00", "UTC", "", 9, "never", "say", 0)]


@pytest.mark.parametrize(
    ("both", "line", "words"),
    [(("alpha", "gamma"), "/digest now", "send"), (("all",), "/digest off", "remove")],
    indirect=["both"],
)
async def test_to_send_and_to_end_a_digest(both: Both, line: str, words: str) -> None:
    await both.say("/digest daily 09:00")
    await both.done(f"digests add {CHAT} daily 09:00")
    for database in (both.in_chat, both.by_cli):  # what came before the digest is not part of it
        await world_publishes(database)
    preview = await both.done(f"digests preview {CHAT}")
    assert "A title" in preview.stdout
    await both.say(line)
    await both.done(f"digests {words} {CHAT}")
    found = both.same()
    assert (found["digests"] == []) == (words == "remove")


@following("alpha", "gamma")
async def test_rhythm(both: Both) -> None:
    """Several digests, quiet hours and pauses."""
    for line, words in (
        ("/digest daily 09:00 for alpha", f"digests add {CHAT} daily 09:00 --source alpha"),
        (
            "/digest add every 6h as often max 5 rest next time say when empty for gamma",
            f"digests add {CHAT} every 6h --name often --max 5 --rest next --when-empty say --source gamma",
        ),
        ("/digest pause often", f"digests pause {CHAT} --name often"),
        ("/quiet 22-8 berlin", f"chats set {CHAT} --quiet '22-8 berlin'"),
        ("/pause gamma until 2030-01-05", f"subscriptions pause {CHAT} --source gamma --until 2030-01-05"),
    ):
        assert not shown(await both.say(line)).startswith("⚠")
        await both.done(words)
    found = both.same()
    assert found["digests"] == [
        ("-1001", "1", "daily 09:00", "UTC", "", 30, "never", "skip", 0),
        ("-1001", "often", "every 6h", "UTC", "", 5, "next", "say", 1),
    ]
    assert found["chats"][0][-1] == "22:00-08:00 Europe/Berlin"
    assert ("paused", f"{CHAT} gamma until 2030-01-05 00:00 UTC") in found["audit"]
    assert [row[2] is None for row in found["subscriptions"]] == [False, False]
    for line, words in (
        ("/resume", f"subscriptions resume {CHAT}"),
        ("/digest resume often", f"digests resume {CHAT} --name often"),
        ("/quiet off", f"chats set {CHAT} --quiet off"),
    ):
        await both.say(line)
        await both.done(words)
    found = both.same()
    assert [row[5] for row in found["subscriptions"]] == [None, None]
    assert found["chats"][0][-1] == ""
    listed = (await both.done("subscriptions list")).stdout
    assert "digest often" in listed
    wrong = await both.skywave(f"chats set {CHAT} --quiet 22-25")
    assert wrong.exit_code == 2 and "Did you mean: 22:00-23:00" in wrong.stderr


async def world_publishes(database: Path) -> None:
    """Another post of alpha."""
    store = await SqlStore.open(f"sqlite:///{database}")
    async with store.read() as work:
        source = await work.sources.by_url("https://example.org/alpha")
    assert source is not None
    await World(store).publish(source, "newest-alpha")
    await store.close()


# Updates


@following()
@pytest.mark.parametrize("zone", ["", "Asia/Shanghai"])
async def test_to_schedule_an_update(both: Both, zone: str) -> None:
    if zone:
        await both.say(f"/digest daily 09:00 {zone}")
        await both.done(f"digests add {CHAT} daily 09:00 {zone}")
    await both.press(await both.say("/post at 2030-01-05 18:30 Late news\\nThe band."), "Send here")
    added = await both.done(f"posts add 'Late news\\nThe band.' --chat {CHAT} --at '2030-01-05 18:30'")
    (draft,) = both.same()["drafts"]
    assert str(draft[3]).startswith("2030-01-05 10:30" if zone else "2030-01-05 18:30")
    assert f"18:30 ({zone or 'UTC'})" in added.stdout


@following()
async def test_to_discard_an_update(both: Both) -> None:
    confirmed = await both.press(await both.say("/post at 2030-01-05 18:30 Late news"), "Send here")
    await both.press(confirmed, "Discard")
    await both.done(f"posts add 'Late news' --chat {CHAT} --at '2030-01-05 18:30'")
    await both.done("posts cancel 1")
    assert [row[2] for row in both.same()["drafts"]] == ["discarded"]
    assert (await both.skywave("posts cancel 1")).exit_code == 1


@pytest.mark.parametrize(
    ("both", "label", "to"),
    [((), "Send here", f"--chat {CHAT}"), (("all",), "Send to all", "")],
    indirect=["both"],
)
async def test_to_send_an_update_at_once(both: Both, label: str, to: str) -> None:
    await both.press(await both.say("/post Hello", actor=OPERATOR), label, actor=OPERATOR)
    await both.done(f"posts add Hello {to}")
    store = await SqlStore.open(f"sqlite:///{both.by_cli}")
    clock = FakeClock()
    clock.advance(10 * 365 * 86_400)  # it is due, whatever the day is
    assert await Drafts(store, clock, lambda: None).publish_due() == 1
    await store.close()
    found = both.same(*(table for table in ROWS if table != "audit"))
    assert found["posts"][0] == ("1", "Hello")


@following()
async def test_an_update_has_a_text(both: Both) -> None:
    assert "There is no text." in shown(await both.say("/post"))
    result = await both.skywave("posts add ' '")
    assert result.exit_code == 2 and "There is no text." in result.stderr
    assert both.same()["drafts"] == []


# Chats and reading


@following()
async def test_to_set_a_language(both: Both) -> None:
    await both.desk.say("/start", platform="telegram", place="-1001", kind=ChatKind.PRIVATE, locale="zh-hans")
    await both.done(f"chats set {CHAT} --language zh")
    assert both.same()["chats"][0][1] == "zh"


@following("alpha")
async def test_to_ban_and_to_allow_a_chat(both: Both) -> None:
    await both.say("/ban", actor=OPERATOR)
    await both.done(f"chats ban {CHAT}")
    assert both.same("chats", "deliveries", "ledger", "audit")["chats"][0][4] == "banned"
    alone = {"platform": "telegram", "place": "-1002", "actor": OPERATOR, "kind": ChatKind.PRIVATE}
    await both.desk.say(f"/allow {CHAT}", **alone)
    await both.done(f"chats allow {CHAT}")
    assert ("-1001", "allowed") in {(row[0], row[4]) for row in rows(both.in_chat, "chats")["chats"]}
    assert both.same("subscriptions", "deliveries", "audit")


@following("alpha")
async def test_to_ask_why(both: Both) -> None:
    await both.say("/latest")
    said = shown(await both.say("/why 2"))
    found = (await both.done(f"why {CHAT} 4")).stdout
    assert "It is sent next." in said and "(sent next)\n  It is sent next." in found
    (document,) = json.loads((await both.done(f"why {CHAT} 4 --json")).stdout)
    assert (document["post"], document["because"]) == (4, "sent next")
    hidden = (await both.done(f"why {CHAT} 6")).stdout  # the command line sees all posts
    assert "(the source is private)" in hidden
    assert "no post 99 is stored" in (await both.skywave(f"why {CHAT} 99")).output


@following("alpha")
async def test_to_erase_a_chat(both: Both) -> None:
    exported = json.loads((await both.done(f"chats export {CHAT}")).stdout)
    assert [one["place"] for one in exported] == [CHAT]
    await both.press(await both.say("/forget"), "Erase everything")
    await both.done(f"chats remove {CHAT} --yes")
    assert both.same()["chats"] == []


@following()
async def test_to_search(both: Both) -> None:
    said = shown(await both.say("/search title"))
    found = json.loads((await both.done("search title --json")).stdout)
    visible = [post for post in found["posts"] if post["source_title"] != "gamma"]
    assert said.count("A title") == min(len(visible), both.desk.services.settings.page_size)
    how = "Shown for title instead of titel."
    assert how in shown(await both.say("/search titel"))
    assert json.loads((await both.done("search titel --json")).stdout)["how"] == how
    for words, told in (("-", "What should I look for?"), ("after:x radio", "I don't understand “after:x”")):
        assert told in shown(await both.say(f"/search {words}"))
        result = await both.skywave(f"search -- {words}")
        assert result.exit_code == 2 and told in result.stderr


# The audit


@following("all")
async def test_the_audit_tells_who_changed_what_and_from_where(both: Both) -> None:
    await both.desk.say("/digest daily 09:00", platform="telegram", place="-10011", actor="fake:8")
    for words in (
        f"subscriptions add {CHAT} --source alpha",
        f"subscriptions remove {CHAT}",
        f"digests add {CHAT} daily 09:00",
        f"digests remove {CHAT}",
        f"posts add Hello --chat {CHAT} --at '2030-01-05 18:30'",
        "posts cancel 1",
        "sources pause alpha",
        "sources resume alpha",
        "chats ban discord:5",
        "chats allow discord:5",
        f"chats set {CHAT} --timezone Asia/Tokyo",
        "sources remove beta --yes",
    ):
        await both.done(words)
    entries = json.loads((await both.done("audit --json")).stdout)
    assert {entry["actor"] for entry in entries} == {"cli"}
    assert [(entry["action"], entry["target"]) for entry in entries] == [
        ("source removed", "beta"),
        ("chat set", f"{CHAT} timezone Asia/Tokyo"),
        ("chat allowed", "discord:5"),
        ("chat banned", "discord:5"),
        ("source active", "alpha"),
        ("source paused", "alpha"),
        ("post discarded", f"{CHAT} draft 1"),
        ("post scheduled", f"{CHAT} draft 1"),
        ("digest off", CHAT),
        ("digest", f"{CHAT} daily 09:00 UTC"),
        ("unsubscribe", f"{CHAT} all"),
        ("subscribe", f"{CHAT} alpha"),
    ]
    assert len(json.loads((await both.done("audit --json --limit 2")).stdout)) == 2
    of_chat = json.loads((await both.done(f"audit --json --chat {CHAT} --action digest")).stdout)
    assert [entry["target"] for entry in of_chat] == [f"{CHAT} daily 09:00 UTC"]
    assert "command line\tdigest off\ttelegram:-1001" in (await both.done("audit")).stdout
    async with both.desk.store.read() as work:
        (entry,) = await work.audit.newest(10)
    assert (entry.actor, entry.action, entry.target) == (
        "fake:8",
        "digest",
        "telegram:-10011 daily 09:00 UTC",
    )


@following("all")
async def test_what_changes_nothing_is_not_recorded(both: Both) -> None:
    await both.say("/subscribe")
    await both.done(f"subscriptions add {CHAT}")
    await both.skywave("deliveries retry")
    await both.done(f"chats add {CHAT}")
    assert both.same()["audit"] == []


@following()
async def test_a_source_that_people_add_is_recorded(both: Both) -> None:
    url = "https://example.org/feed.json"
    await both.desk.publish("one", url=url)
    await both.say(f"/subscribe {url}")
    assert rows(both.in_chat)["audit"] == [
        ("source added", f"{CHAT} Example"),
        ("subscribe", f"{CHAT} Example"),
    ]
    (both.by_cli.parent / "notes").mkdir()
    await both.done("sources add ./notes")
    assert rows(both.by_cli)["audit"] == [("source added", "notes")]


# Where rules are

WRITERS = {
    "add", "remove", "save", "set_state", "set_access", "assign",
    "pause", "resume", "set_quiet", "restart", "cancel", "retry", "deliver",
    "fan_out", "broadcast", "skip", "insert", "update", "forget", "move", "postpone_chat", "advance",
    "set_choices", "keep", "choose", "reject",
}  # fmt: skip
ROOT = Path(__file__).parents[2]


def writes(file: Path) -> list[str]:
    """Calls of repositories that write, like `work.chats.save`."""
    calls = (node.func for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
    return [
        ast.unparse(call)
        for call in calls
        if isinstance(call, ast.Attribute)
        and call.attr in WRITERS
        and isinstance(call.value, ast.Attribute)
        and isinstance(call.value.value, ast.Name)
        and call.value.value.id == "work"
    ]


def test_neither_commands_nor_the_command_line_write_past_the_actions() -> None:
    assert writes(ROOT / "scheduler/actions/chats.py"), "they are found"
    files = [*(ROOT / "bot/commands").glob("*.py"), *(ROOT / "bot/cli").glob("*.py")]
    assert {file.name: found for file in files if (found := writes(file))} == {}


def test_changes_are_recorded_in_one_place() -> None:
    files = [file for package in ("bot", "scheduler") for file in (ROOT / package).rglob("*.py")]
    naming = [file for file in files if "work.audit" in file.read_text()]  # only these are worth parsing
    recording = [file.name for file in naming if "work.audit.add" in writes(file)]
    assert recording == ["audit.py"]
