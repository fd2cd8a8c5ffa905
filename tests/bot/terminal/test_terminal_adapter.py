"""The terminal as a platform: lines from a pipe are answered in plain text."""

import asyncio
import io
import re
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from bot.app import build
from bot.commands.router import Router
from bot.commands.types import Services
from bot.loading import load_settings
from bot.platforms.terminal.adapter import TerminalAdapter
from bot.platforms.terminal.keyboard import PROMPT, taken_back
from bot.platforms.terminal.limits import LIMITS
from bot.runner import Runner
from content.types import Visibility
from scheduler.types import ChatKind, Place
from tests.bot.asking import router_with_panel
from tests.e2e.program import FeedServer, item, json_feed
from tests.emulators.sites import alternate, page
from tests.fakes import ParserHere

PATIENCE = 10.0  # seconds


class Terminal:
    """A deployment that is used through a pipe."""

    def __init__(self, url: str, feeds: FeedServer) -> None:
        self.url, self.feeds, self.used = url, feeds, False

    async def say(self, text: str, route: Callable[[Services], Router] | None = None) -> str:
        """What is printed for this input, until it ends. `route` makes another router."""
        output = io.StringIO()
        settings = load_settings(
            database_url=self.url, telegram_token="", allowed_networks="127.0.0.0/8", poll_interval=3600
        )
        async with build(settings, parser=ParserHere()) as app, asyncio.timeout(PATIENCE):
            if not self.used:
                await app.ingest.add(f"{self.feeds.url}/feed", Visibility.PUBLIC)
                await app.indexing.run()  # which the program does every two seconds
            self.used = True
            app.router = route(app.services) if route else app.router
            await Runner(app, [TerminalAdapter(LIMITS, io.StringIO(text), output)]).run()
            async with app.store.read() as work:
                self.chat = await work.chats.find(Place("terminal", "me"))
        return output.getvalue()


@pytest_asyncio.fixture
async def terminal(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Terminal]:
    for name in ("LC_ALL", "LANG"):
        monkeypatch.delenv(name, raising=False)
    async with FeedServer().serving() as feeds:
        feeds.documents["/feed"] = json_feed(item("one"), item("two"))
        yield Terminal(sqlite_url, feeds)


async def test_the_end_of_an_empty_input_shows_the_newest_posts(terminal: Terminal) -> None:
    printed = await terminal.say("")
    assert printed == (
        "INCOMING TRANSMISSION\n\nLATEST UPDATES\nPost one: The text of one.\nPost two: The text of two.\n1\n"
    )
    assert await terminal.say("\n  \n") == printed


async def test_each_line_is_answered_in_order(terminal: Terminal) -> None:
    printed = await terminal.say("/search one\n\n/nonsense\nwhat is new?\n  /sources  \n/latest")
    answers = (
        "1 post for “one”",
        "⚠ There is no command /nonsense. /help lists them all.\n",
        "⚠ Commands begin with a slash: /latest, /search WORDS, /help.\n",
        "Sources\n· Radio notes",
        "LATEST UPDATES",  # to the last line, which has no end
    )
    assert [answer for answer in answers if answer not in printed] == []
    assert sorted(answers, key=printed.index) == list(answers)


async def test_a_page_with_several_feeds_asks_which_and_a_label_answers(terminal: Terminal) -> None:
    terminal.feeds.documents |= {"/page": page(alternate("/none", "None"), alternate("/more", "More"))}
    terminal.feeds.documents["/more"] = json_feed(item("one"), title="More notes")
    printed = await terminal.say(f"/subscribe {terminal.feeds.url}/page\nmore\n")
    assert "[None]\n[More]\n" in printed and "This chat now follows More notes" in printed


async def test_a_pipe_gets_plain_text(terminal: Terminal) -> None:
    terminal.feeds.documents["/feed"] = json_feed(
        item("evil", title="\x1b[31mred\x1b[0m \x07bell", content_html="<p>a\x1b]0;title\x07b</p>")
    )
    printed = await terminal.say("/latest\n")
    assert "red" in printed
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", printed)


async def test_buttons_are_pressed_and_asked_by_words(terminal: Terminal) -> None:
    printed = await terminal.say("/help\nrename\nNew name\nPLAIN\nrename\n/help\n", router_with_panel)
    buttons = "[Rename] [Plain]\n[Describe] [Site: https://example.org/]  (type the label of a button)\n"
    assert printed.split("\n\n") == [
        f"a panel\n{buttons}What is its new name? (Field notes)",
        f"z:1 got “New name”\n{buttons}".rstrip("\n"),
        f"z:2 got “https://example.org/”\n{buttons}What is its new name? (Field notes)",
        f"a panel\n{buttons}",
    ]


async def test_panels_are_used_by_words(terminal: Terminal) -> None:
    pressed = ("/settings", "time zone", "type it", "Berlin", "/subscribe Radio notes", "/subscriptions")
    printed = await terminal.say("\n".join((*pressed, "radio notes", "pictures", "no pictures", "")))
    assert "✓ Time zone: Europe/Berlin" in printed and "✓ Pictures: no pictures" in printed
    assert terminal.chat is not None and terminal.chat.timezone == "Europe/Berlin"


async def test_the_person_at_the_terminal_may_everything(terminal: Terminal) -> None:
    printed = await terminal.say("/subscribe\n/sources\n/unsubscribe\n")
    assert "This chat now follows all public sources" in printed
    assert "✓ Radio notes" in printed
    assert "Unsubscribed from all sources." in printed
    assert terminal.chat is not None
    assert terminal.chat.kind is ChatKind.TERMINAL


async def test_the_language_is_that_of_the_environment(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    monkeypatch.setenv("LC_ALL", "en")
    assert "Commands begin with a slash" in await terminal.say("help\n")
    monkeypatch.delenv("LC_ALL")
    # What the chat has chosen counts more, also for the hints of the terminal itself.
    said = await terminal.say("/help\nhelp\n/language English\nhelp\n")
    own = ("命令", "斜", "(type the label of a button)", "Commands begin with a slash")
    assert sorted(own, key=said.index) == list(own)


async def test_a_new_post_is_printed_while_it_runs(terminal: Terminal) -> None:
    """A subscribed terminal is a chat like any other."""
    await terminal.say("/subscribe\n")
    terminal.feeds.documents["/feed"] = json_feed(item("three"), item("one"), item("two"))
    output, source = io.StringIO(), Waiting()
    settings = load_settings(database_url=terminal.url, telegram_token="", allowed_networks="127.0.0.0/8")
    async with build(settings, parser=ParserHere()) as app, asyncio.timeout(PATIENCE):
        runner = Runner(app, [TerminalAdapter(LIMITS, source, output)])
        running = asyncio.create_task(runner.run())
        async with app.store.read() as work:
            (feed,) = [s for s in await work.sources.all() if s.url.startswith("http")]
        await app.ingest.poll(feed)
        while "Post three" not in output.getvalue():
            await asyncio.sleep(0.01)
        source.end()
        await running
    assert output.getvalue().startswith("Post three\nRadio notes")


async def test_a_new_post_leaves_what_is_typed_as_it_is(terminal: Terminal) -> None:
    await terminal.say("/subscribe\n")
    terminal.feeds.documents["/feed"] = json_feed(item("three"), item("one"), item("two"))
    output, source, typing = Screen(), Screen(), Typing("/search 微调")
    settings = load_settings(database_url=terminal.url, telegram_token="", allowed_networks="127.0.0.0/8")
    async with build(settings, parser=ParserHere()) as app, asyncio.timeout(PATIENCE):
        runner = Runner(app, [TerminalAdapter(LIMITS, source, output, typing)])
        running = asyncio.create_task(runner.run())
        await asyncio.to_thread(typing.begun.wait, PATIENCE)
        async with app.store.read() as work:
            (feed,) = [s for s in await work.sources.all() if s.url.startswith("http")]
        await app.ingest.poll(feed)
        while "Post three" not in output.getvalue():
            await asyncio.sleep(0.01)
        typing.ended.set()
        await running
    arrived = output.getvalue().rpartition("\r\x1b[J")[2]
    assert "Post three" in arrived.splitlines()[0]
    assert arrived.endswith(f"\n\n{PROMPT}/search 微调")
    assert typing.closed


def test_all_rows_that_are_typed_in_are_taken_back() -> None:
    assert taken_back("", 80) == "\r\x1b[J"
    assert taken_back("x" * (80 - len(PROMPT)), 80) == "\r\x1b[J"
    assert taken_back("x" * (81 - len(PROMPT)), 80) == "\x1b[1A\r\x1b[J"
    assert taken_back("微" * 80, 80) == "\x1b[2A\r\x1b[J"


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


class Typing:
    """Somebody who has typed a part of a line, and then leaves."""

    prompts = True

    def __init__(self, typed: str) -> None:
        self._typed, self.closed = typed, False
        self.begun, self.ended = threading.Event(), threading.Event()

    def line(self) -> str:
        self.begun.set()
        self.ended.wait(PATIENCE)
        return ""

    def typed(self) -> str:
        return self._typed

    def close(self) -> None:
        self.closed = True


class Waiting(io.StringIO):
    """An input on which nothing is typed until it ends."""

    def __init__(self) -> None:
        super().__init__()
        self._ended = threading.Event()

    def readline(self, size: int | None = -1) -> str:  # type: ignore[override]
        self._ended.wait(PATIENCE)
        return ""

    def end(self) -> None:
        self._ended.set()


async def test_the_example_posts_are_found_by_the_first_search(tmp_path: Path) -> None:
    async with build(load_settings(database_url=f"sqlite:///{tmp_path}/s.db"), parser=ParserHere()) as app:
        await app.ensure_examples()
        async with app.store.read() as work:
            assert await work.sources.all() and not await work.index.count_waiting()
