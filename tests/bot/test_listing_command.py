"""A listing page in a chat and on the command line: what was found is shown, and followed after a yes."""

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urldefrag

import pytest
from typer.testing import CliRunner, Result

from bot.access import AccessMode
from bot.cli import common
from bot.cli.main import app
from bot.commands.types import Reply
from content.types import Source
from tests.bot.conftest import OPERATOR, Desk, open_desk, shown
from tests.content.listing_pages import CARDS, POSTS, each
from tests.fakes import FakeFetcher

URL = "https://example.org/news"
COMMAND = f"/subscribe {URL} --listing"
MOVED = CARDS.html.replace('class="card"', 'class="tile"')


@pytest.fixture
async def desk(desk: Desk) -> AsyncIterator[Desk]:
    """A chat, and a page of cards in the web."""
    desk.fetcher.pages[URL] = CARDS.html.encode()
    yield desk


async def sources(desk: Desk) -> list[Source]:
    async with desk.store.read() as work:
        return [source for source in await work.sources.all() if source.kind == "listing"]


def link_of(reply: Reply | None) -> str:
    assert reply is not None
    return next(button.url for button in reply.buttons if button.url)


def button(reply: Reply | None, label: str) -> str:
    assert reply is not None
    return next(button.data for button in reply.buttons if button.label == label)


async def follow(desk: Desk, reply: Reply | None, **who: Any) -> Reply | None:
    return await desk.press(button(reply, "Follow"), link=link_of(reply), **who)


class TestChat:
    async def test_the_preview_shows_five_posts_and_stores_nothing(self, desk: Desk) -> None:
        reply = await desk.say(COMMAND)
        text = shown(reply)
        assert "6 posts found on https://example.org/news" in text
        assert [post.title in text for post in POSTS] == [True] * 5 + [False]
        assert "Jul 14, 2026" in text and POSTS[0].excerpt in text
        assert "--item=li.card --link=h2 > a --date=time --excerpt=p.teaser" in text
        page_url, selectors = urldefrag(link_of(reply))
        assert page_url == URL and dict(parse_qsl(selectors))["link"] == "h2 > a"
        assert await sources(desk) == []

    async def test_the_button_follows_exactly_what_was_shown(self, desk: Desk) -> None:
        reply = await desk.say(COMMAND)
        # Meanwhile the page has got another list, which would be found first.
        more = (
            "<article><h2><a href='/x/{slug}'>{title} {excerpt}</a></h2><time>{iso}</time>"
            "<p>{excerpt}{excerpt}</p></article>"
        )
        desk.fetcher.pages[URL] = CARDS.html.replace("<h1>", each(more) + "<h1>").encode()
        followed = await follow(desk, reply)
        assert "This chat now follows The Yard" in shown(followed)
        (source,) = await sources(desk)
        assert (source.url, source.options.values["item"]) == (URL, "li.card")
        assert await desk.follows() == [source.id]
        newer = CARDS.html.replace("/p/kettle", "/p/teapot").replace(POSTS[0].title, "A teapot that does not")
        desk.fetcher.pages[URL] = newer.replace(POSTS[0].excerpt, "It whistles instead.").encode()
        assert (await desk.services.ingest.poll(source)).new == 1

    async def test_an_address_may_be_typed_without_its_scheme_and_with_a_dash(self, desk: Desk) -> None:
        assert "6 posts found on" in shown(await desk.say("/subscribe Example.org/news \u2014listing"))
        assert "not the URL of a feed" in shown(await desk.say("/subscribe news --listing"))
        assert "No source is called" in shown(await desk.say("/subscribe listing listing"))

    async def test_not_this_stores_nothing_and_tells_how_to_say_it(self, desk: Desk) -> None:
        reply = await desk.say(COMMAND)
        told = shown(await desk.press(button(reply, "Not this"), link=link_of(reply)))
        assert f"Nothing was changed. To say which element is a post: {COMMAND} --item=CSS" in told
        assert await sources(desk) == []

    async def test_selectors_can_be_typed_also_with_spaces(self, desk: Desk) -> None:
        reply = await desk.say(f"{COMMAND} --item=ul.cards > li --excerpt= --full-text")
        text = shown(reply)
        assert "--item=ul.cards > li --link" in text and "excerpt" not in text
        await follow(desk, reply)
        (source,) = await sources(desk)
        values = source.options.values
        assert (values["item"], values["excerpt"], values["full-text"]) == ("ul.cards > li", "", True)
        assert "is not a valid selector" in shown(await desk.say(f"{COMMAND} --item=li["))

    async def test_a_press_is_checked_again(self, desk: Desk) -> None:
        reply = await desk.say(COMMAND)
        data, link = button(reply, "Follow"), link_of(reply)
        assert "Only admins" in shown(await desk.press(data, link=link, admin=False))
        desk.fetcher.pages[URL] = MOVED.encode()
        assert "“li.card” selects nothing on" in shown(await desk.press(data, link=link))
        assert "no option colour" in shown(await desk.press(data, link=f"{URL}#colour=red"))
        assert await desk.press("lp:x", link=link) is None and await desk.press(data, link="") is None
        assert await sources(desk) == []

    async def test_where_only_operators_add_sources_others_see_no_preview(self, sqlite_url: str) -> None:
        async with open_desk(sqlite_url, access=AccessMode.CURATED) as desk:
            desk.fetcher.pages[URL] = CARDS.html.encode()
            reply = await desk.say(COMMAND, actor=OPERATOR)
            told = shown(await follow(desk, reply))
            assert "Only operators of this bot add sources" in told
            assert "Only operators of this bot add sources" in shown(await desk.say(COMMAND))
            assert "Only operators of this bot add sources" in shown(await desk.say(f"{COMMAND} --yes"))
            assert await sources(desk) == [] and len(desk.fetcher.calls) == 1

    async def test_pages_that_people_name_are_fetched_like_their_feeds(self, sqlite_url: str) -> None:
        outside = FakeFetcher(pages={URL: CARDS.html.encode()})
        async with open_desk(sqlite_url, for_people=outside) as desk:
            await follow(desk, await desk.say(COMMAND))
            assert len(await sources(desk)) == 1 and desk.fetcher.calls == []

    async def test_an_address_that_is_no_link_or_holds_a_secret_has_no_buttons(self, desk: Desk) -> None:
        for url in ("http://localhost/news", f"{URL}?key=hunter2", f"{URL}/{'x' * 500}"):
            desk.fetcher.pages[url] = CARDS.html.encode()
            reply = await desk.say(f"/subscribe {url} --listing")
            assert reply is not None and reply.rows == () and "hunter2" not in shown(reply)
            assert "send the command again and add --yes" in shown(reply)
            assert "now follows" in shown(await desk.say(f"/subscribe {url} --listing --yes"))
        assert len(await sources(desk)) == 3

    async def test_a_page_with_a_new_design_is_added_again_by_its_owner_only(self, desk: Desk) -> None:
        await follow(desk, await desk.say(COMMAND))
        (source,) = await sources(desk)
        desk.fetcher.pages[URL] = MOVED.encode()
        failed = await desk.services.ingest.poll(source)
        assert "no post is found on https://example.org/news any more" in failed.error
        await follow(desk, await desk.say(COMMAND, actor="fake:8"), actor="fake:8")
        assert [one.options.values["item"] for one in await sources(desk)] == ["li.card"]
        assert "already follows" in shown(await follow(desk, await desk.say(COMMAND)))
        (source,) = await sources(desk)
        assert source.options.values["item"] == "li.tile"
        mended = await desk.services.ingest.poll(source)
        assert (mended.error, mended.new) == ("", 0)


# ---------------------------------------------------------------- the command line

Skywave = Callable[..., Result]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = CARDS.html.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def skywave(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> Skywave:
    """`skywave WORDS` on a database of its own."""
    monkeypatch.setenv("SKYWAVE_ALLOWED_NETWORKS", "127.0.0.0/8")
    return lambda *words, **given: CliRunner().invoke(app, words, **given)


def listed(skywave: Skywave) -> list[dict[str, object]]:
    return list(json.loads(skywave("sources", "list", "--json").stdout))


def test_on_the_command_line_a_page_is_shown_asked_about_and_added(skywave: Skywave, site: str) -> None:
    refused = skywave("sources", "add", site, "--listing")
    assert refused.exit_code == 2 and "add --yes to go on" in refused.stderr and listed(skywave) == []
    added = skywave("sources", "add", site, "--listing", "--option", "excerpt=", "--yes")
    assert added.exit_code == 0 and "Added “The Yard” (6 existing posts" in added.stdout
    assert "The Yard: 6 posts" in added.stderr and "item    li.card" in added.stderr
    assert "excerpt (none)" in added.stderr
    for post in POSTS:
        assert f"2026-07-{post.day:02}\t{post.title}\tnone" in added.stdout
    assert skywave("sources", "set", "1", "item=ul.cards > li").exit_code == 0
    (source,) = listed(skywave)
    options = source["options"]
    assert isinstance(options, dict) and options["values"]["item"] == "ul.cards > li"
    assert source["kind"] == "listing"
    several = skywave("sources", "add", site, f"{site}/more", "--listing", "--yes", "--json")
    assert {one["source"]["id"] for one in json.loads(several.stdout)} == {1, 2}


def test_a_no_at_a_terminal_adds_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return "n\n"

    monkeypatch.setattr("sys.stdin", Terminal())
    with pytest.raises(SystemExit) as left:
        common.confirm("Follow these posts?", False, "Nothing was added.")
    assert left.value.code == 1 and "[y/N] Nothing was added." in capsys.readouterr().err
