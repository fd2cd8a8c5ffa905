"""Addresses that people have, against local servers that behave like the sites: from each to its feed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from content.errors import AddressRefused, FetchError, ParseError
from content.fetch import ServerBusy
from content.sources import Read, ReadContext, kind_of
from content.sources.discovery import REQUESTS, USUAL, Found, SeveralFeeds, discover
from content.sources.kinds import new_options
from content.sources.sites import web_address
from content.types import Validators
from tests.emulators import sites as pages
from tests.emulators.sites import Sites, ThroughServer, alternate, atom, page, rss, serving

CHANNEL = "UC" + "x" * 22
VIDEOS = "https://www.youtube.com/feeds/videos.xml"
HOME = "https://blog.example.org/"


@dataclass
class Web:
    """The web as a person meets it."""

    sites: Sites
    context: ReadContext
    read: list[str] = field(default_factory=list)

    async def find(self, address: str) -> Found:
        url = web_address(address, "https://rsshub.example.org/")
        kind = kind_of(url)
        options = new_options(kind)

        async def read(feed: str) -> Read:
            return await kind.read(kind.normalise(feed), options, Validators(), self.context)

        return await discover(kind.normalise(url), read)

    async def title_at(self, address: str) -> str:
        return (await self.find(address)).parsed.title


@pytest.fixture
async def around() -> AsyncIterator[Web]:
    async with serving() as sites:
        fetcher = ThroughServer(sites)
        yield Web(sites, ReadContext(fetcher))
        await fetcher.close()


# By what a person has: what the site answers where, and the feed that is found.
KNOWN: dict[str, tuple[dict[str, str | int], str]] = {
    f"https://www.youtube.com/channel/{CHANNEL}/videos": ({}, f"{VIDEOS}?channel_id={CHANNEL}"),
    "https://m.youtube.com/playlist?list=PL-1": ({}, f"{VIDEOS}?playlist_id=PL-1"),
    "https://www.youtube.com/user/radio": ({}, f"{VIDEOS}?user=radio"),
    "https://www.youtube.com/@radio": (
        {"https://www.youtube.com/@radio": pages.youtube_channel(CHANNEL, named=True)},
        f"{VIDEOS}?channel_id={CHANNEL}",
    ),
    "https://youtube.com/@radio/videos": (
        {"https://youtube.com/@radio/videos": pages.youtube_channel(CHANNEL, named=False)},
        f"{VIDEOS}?channel_id={CHANNEL}",
    ),
    "https://youtu.be/abc": (
        {
            "https://youtu.be/abc": "-> https://www.youtube.com/watch?v=abc",
            "https://www.youtube.com/watch?v=abc": pages.youtube_video(CHANNEL),
        },
        f"{VIDEOS}?channel_id={CHANNEL}",
    ),
    "https://github.com/radio/antenna/tree/main/docs": ({}, "https://github.com/radio/antenna/releases.atom"),
    "https://github.com/radio/tagged": (
        {"https://github.com/radio/tagged/releases.atom": atom("Releases")},
        "https://github.com/radio/tagged/tags.atom",
    ),
    "https://github.com/radio": ({}, "https://github.com/radio.atom"),
    "https://gitlab.com/club/tools/antenna": ({}, "https://gitlab.com/club/tools/antenna/-/releases.atom"),
    "https://gitlab.com/club": ({}, "https://gitlab.com/club.atom"),
    "https://codeberg.org/radio/antenna": (
        {"https://codeberg.org/radio/antenna/releases.rss": 404},
        "https://codeberg.org/radio/antenna/tags.rss",
    ),
    "https://old.reddit.com/r/amateurradio/": ({}, "https://www.reddit.com/r/amateurradio/.rss"),
    "https://www.reddit.com/u/ann": ({}, "https://www.reddit.com/user/ann/.rss"),
    "https://bsky.app/profile/ann.bsky.social": ({}, "https://bsky.app/profile/ann.bsky.social/rss"),
    "https://social.example.org/@ann": ({}, "https://social.example.org/@ann.rss"),
    "@ann@social.example.org": ({}, "https://social.example.org/@ann.rss"),
    "rsshub://club/news?limit=3": ({}, "https://rsshub.example.org/club/news?limit=3"),
    "https://rsshub.app/club/news": ({}, "https://rsshub.example.org/club/news"),
}


async def test_each_known_site_offers_its_feed(around: Web) -> None:
    for address, (answers, feed) in KNOWN.items():
        around.sites.answers = {feed: atom("It", "one"), **answers}
        around.sites.asked.clear()
        found = await around.find(address)
        assert (found.url, found.parsed.title) == (feed, "It"), address
        assert len(around.sites.asked) <= len(answers) + 1, "nothing is asked in vain"


async def test_what_a_known_site_does_not_have_is_searched_like_any_page(around: Web) -> None:
    """The form of an account at a server that is no Mastodon; a repository without anything."""
    around.sites.answers = {
        "https://medium.example.org/@ann": page(alternate("/feed/@ann")),
        "https://medium.example.org/feed/@ann": rss("Ann", "one"),
        "https://github.com/radio/empty/releases.atom": atom("Nothing yet"),
        "https://github.com/radio/empty/tags.atom": atom("No tags"),
    }
    assert await around.title_at("https://medium.example.org/@ann") == "Ann"
    assert (await around.find("https://github.com/radio/empty")).parsed.title == "Nothing yet"
    with pytest.raises(FetchError, match="answered 404"):
        await around.find("https://github.com/radio/private")


async def test_a_feed_is_read_with_one_request_and_a_page_with_two(around: Web) -> None:
    around.sites.answers = {
        f"{HOME}atom.xml": atom("Notes", "one"),
        f"{HOME}2026/": page('<base href="/">', alternate("atom.xml", "Notes", "application/atom+xml")),
    }
    assert await around.find(f"{HOME}atom.xml") == await around.find(f"{HOME}atom.xml#top")
    assert around.sites.asked == [f"{HOME}atom.xml"] * 2
    found = await around.find(f"{HOME}2026/")
    assert (found.url, found.page) == (f"{HOME}atom.xml", f"{HOME}2026/")
    assert len(around.sites.asked) == 4


async def test_a_page_with_several_feeds_asks_which_without_reading_them(around: Web) -> None:
    around.sites.answers[HOME] = page(
        alternate("/comments/feed/", "Blog » Comments"),
        alternate("/feed/", "Blog"),
        alternate("/jobs.rss", "Jobs"),
    )
    with pytest.raises(SeveralFeeds, match=r"https://blog\.example\.org/ names 3 feeds") as raised:
        await around.find(HOME)
    assert [feed.title for feed in raised.value.feeds] == ["Blog", "Jobs", "Blog » Comments"]
    assert around.sites.asked == [HOME]
    (jobs,) = [feed for feed in raised.value.feeds if feed.title == "Jobs"]
    assert raised.value.with_key(jobs.key) == jobs and raised.value.with_key("other") is None


@pytest.mark.parametrize("path", USUAL)
async def test_the_usual_addresses_are_tried_when_a_page_names_none(around: Web, path: str) -> None:
    feed = f"{HOME}{path}"
    around.sites.answers = {HOME: page(), feed: rss("Notes", "one")}
    assert (await around.find(HOME)).url == feed
    assert around.sites.asked[-1] == feed and len(around.sites.asked) <= REQUESTS


async def test_links_that_look_like_feeds_come_first(around: Web) -> None:
    links = (
        '<a href="/about">About</a> <a href="//other.example.org/rss">A friend</a> <a href="/de/rss">RSS</a>'
    )
    around.sites.answers = {HOME: page(body=links), f"{HOME}de/rss": rss("Notes", "one")}
    assert (await around.find(HOME)).url == f"{HOME}de/rss"
    assert around.sites.asked == [HOME, f"{HOME}de/rss"]


async def test_a_page_without_any_feed_costs_few_requests_and_says_what_to_try(around: Web) -> None:
    around.sites.answers = {f"{HOME}blog/": page(body="<a href=/a.rss>a</a>" * 50)}
    with pytest.raises(ParseError, match="is a web page without a feed: add --listing"):
        await around.find(f"{HOME}blog/")
    asked = around.sites.asked
    assert len(asked) == REQUESTS == len(set(asked))
    assert asked[1:4] == [f"{HOME}a.rss", f"{HOME}blog/feed", f"{HOME}blog/index.xml"]


async def test_a_named_feed_that_is_gone_is_looked_for_at_the_usual_addresses(around: Web) -> None:
    around.sites.answers = {HOME: page(alternate("/old.rss")), f"{HOME}feed": rss("Notes", "one")}
    assert (await around.find(HOME)).url == f"{HOME}feed"
    del around.sites.answers[f"{HOME}feed"]
    with pytest.raises(FetchError, match=r"old\.rss answered 404"):
        await around.find(HOME)


async def test_a_server_that_is_busy_is_asked_no_more(around: Web) -> None:
    around.sites.answers = {HOME: page(alternate("/feed.xml")), f"{HOME}feed.xml": 503}
    found = await around.find(HOME)
    assert found.url == f"{HOME}feed.xml" and isinstance(found.failure, ServerBusy)
    around.sites.answers = {HOME: page(), f"{HOME}feed": 429}
    around.sites.asked.clear()
    with pytest.raises(ParseError, match="without a feed"):
        await around.find(HOME)
    assert around.sites.asked == [HOME, f"{HOME}feed"]
    # A page that alone could tell the feed is not taken for the feed.
    around.sites.answers = {"https://www.youtube.com/@radio": 503}
    with pytest.raises(ServerBusy):
        await around.find("https://www.youtube.com/@radio")


@pytest.mark.parametrize("body", [b"%PDF-1.7", b"hello", b"\x89PNG", b"[]", b"<svg/>"])
async def test_what_is_no_page_is_searched_no_further(around: Web, body: bytes) -> None:
    around.sites.answers = {f"{HOME}it": body}
    with pytest.raises(ParseError, match="is not a feed"):
        await around.find(f"{HOME}it")
    assert around.sites.asked == [f"{HOME}it"]


async def test_a_video_page_that_asks_for_consent_first_says_what_to_give_instead(around: Web) -> None:
    around.sites.answers = {
        "https://www.youtube.com/@radio": "-> https://consent.youtube.com/m",
        "https://consent.youtube.com/m": page(body="<form>Before you continue</form>"),
    }
    with pytest.raises(ParseError, match="give the address with the id of the channel"):
        await around.find("https://www.youtube.com/@radio")
    assert len(around.sites.asked) == 2


# Traps


async def test_nothing_leads_to_a_private_address(around: Web) -> None:
    """Typed, named, linked, redirected to, or behind a usual address: the canary is never asked."""
    async with serving("127.0.0.2") as canary:  # the guard lets only 127.0.0.1 through
        canary.answers = {"https://inner/feed": rss("Secret", "one")}
        inner = canary.local("https://inner/feed")
        around.sites.answers["https://away.example.org/"] = f"-> {inner}"
        away = alternate("https://away.example.org/")
        schemes = map(
            alternate, ("javascript:alert(1)", "file:///etc/passwd", "data:text/xml,<rss/>", "ftp://a/b")
        )
        for home, error in (
            (page(alternate(inner)), AddressRefused),
            (page(away), AddressRefused),
            (page(body=f"<a href='{inner}'>RSS</a><a href='//away.example.org/rss'>RSS</a>"), ParseError),
            (page(*schemes), ParseError),
            (f"-> {inner}", AddressRefused),
        ):
            around.sites.answers |= {HOME: home, f"{HOME}feed": f"-> {inner}"}
            with pytest.raises(error):
                await around.find(HOME)
        with pytest.raises(AddressRefused):
            await around.find(inner)
        assert canary.asked == []


async def test_a_page_without_an_end_and_one_that_drips_are_given_up(
    around: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"<p>and so on</p>" * 10_000)

    around.sites.answers[HOME] = endless
    with pytest.raises(FetchError, match="larger than 10240 KiB"):
        await around.find(HOME)

    async def silent(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    around.sites.answers[HOME] = silent
    monkeypatch.setattr("content.sources.discovery.SECONDS", 0.05)
    with pytest.raises(FetchError, match=r"took longer than 0\.05 s"):
        await around.find(HOME)
