"""Addresses that people have, in chats: what is found there, what is asked, and who learns what from it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.access import AccessMode
from bot.commands.types import Button, Reply
from content.errors import AddressRefused
from content.types import Source
from scheduler.quotas import Quotas
from scheduler.types import ChatKind
from tests.bot.conftest import OPERATOR, Desk, open_desk, shown
from tests.content.listing_pages import CARDS
from tests.emulators.sites import alternate, atom, page, telegram_channel, telegram_text
from tests.fakes import FakeFetcher
from tests.scheduler.conftest import json_feed

HOME = "https://blog.example.org/"
POSTS, COMMENTS = f"{HOME}feed", f"{HOME}comments/feed"


def blog(desk: Desk, *feeds: str) -> None:
    """A blog whose home page names these feeds."""
    desk.fetcher.pages[HOME] = page(
        *(alternate(feed, f"Feed {n}") for n, feed in enumerate(feeds, 1))
    ).encode()
    for feed in feeds:
        desk.fetcher.pages.setdefault(feed, json_feed("post-1", site=feed).replace(b"Example", feed.encode()))


def feeds_of(reply: Reply | None) -> Sequence[Button]:
    assert reply is not None
    return [button for button in reply.buttons if not button.url]


async def stored(desk: Desk) -> list[Source]:
    async with desk.store.read() as work:
        return [source for source in await work.sources.all() if source.kind != "updates"]


async def test_the_one_feed_of_a_page_is_taken_and_told(desk: Desk) -> None:
    blog(desk, POSTS)
    said = shown(await desk.say(f"/subscribe {HOME}"))
    assert f"This chat now follows {POSTS}" in said and f"The feed of that page is {POSTS}." in said
    assert [source.url for source in await stored(desk)] == [POSTS]
    assert desk.fetcher.calls == [HOME, POSTS], "read once"
    assert "already follows" in shown(await desk.say(f"/subscribe {HOME}"))


async def test_several_feeds_are_asked_with_buttons(desk: Desk) -> None:
    blog(desk, COMMENTS, POSTS)
    asked = await desk.say(f"/subscribe {HOME}")
    assert shown(asked).splitlines() == [
        f"{HOME} has several feeds. Which one?",
        f"• Feed 2: {POSTS}",
        f"• Feed 1: {COMMENTS}",
    ]
    posts, comments = feeds_of(asked)
    assert (posts.label, comments.label) == ("Feed 2", "Feed 1")
    assert await stored(desk) == [] and desk.fetcher.calls == [HOME]
    done = await desk.press(posts.data, link=HOME)
    assert f"now follows {POSTS}" in shown(done) and "How often should its posts arrive?" in shown(done)
    assert [source.url for source in await stored(desk)] == [POSTS]
    assert len(await desk.follows()) == 1


async def test_a_press_is_checked_again_when_it_comes(desk: Desk) -> None:
    blog(desk, COMMENTS, POSTS)
    posts, _ = feeds_of(await desk.say(f"/subscribe {HOME}"))
    assert "Only admins" in shown(await desk.press(posts.data, link=HOME, admin=False))
    assert "no longer has that button" in shown(await desk.press(posts.data, link=HOME, offered=["a:"]))
    for changed in ((COMMENTS, f"{HOME}new"), (POSTS,)):
        blog(desk, *changed)
        told = shown(await desk.press(posts.data, link=HOME))
        assert "That page no longer names this feed." in told
    assert "That is no address." in shown(await desk.press(posts.data, link=""))
    blog(desk, COMMENTS, POSTS)
    assert "no longer names this feed" in shown(await desk.press("a:0000000000000000", link=HOME))
    assert await stored(desk) == []


async def test_a_page_that_no_button_can_carry_is_answered_with_addresses(desk: Desk) -> None:
    secret = f"{HOME}private/3f9a8b7c6d5e4f30"
    for url in (secret, "http://nas/blog", HOME + "notes/" * 100):
        desk.fetcher.pages[url] = page(alternate("/feed?key=1", "A"), alternate("/b", "B")).encode()
        asked = await desk.say(f"/subscribe {url}")
        assert asked and not asked.buttons
        assert "send /subscribe and its address" in shown(asked)
        assert ("key=1" in shown(asked)) == (url != secret), "what a page with a secret names may be secret"
    assert "3f9a8b7c6d5e4f30" not in shown(await desk.say(f"/subscribe {secret}"))


async def test_a_pasted_page_and_a_typed_one_are_asked_alike(desk: Desk) -> None:
    blog(desk, COMMENTS, POSTS)
    pasted = await desk.paste(HOME)
    (subscribe,) = feeds_of(pasted)
    for asked in (
        await desk.press(subscribe.data, link=HOME, kind=ChatKind.PRIVATE),
        await desk.press("a:?", typed=HOME),
        await desk.press("a:?", typed=HOME.removeprefix("https://")),
    ):
        assert [button.label for button in feeds_of(asked)] == ["Feed 2", "Feed 1"]
    assert "Subscribe to https://social.example.org/@ann?" in shown(
        await desk.paste("@ann@social.example.org")
    )


async def test_addresses_without_a_scheme_and_of_channels(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = "https://t.me/s/radio_notes"
    desk.fetcher.pages[channel] = telegram_channel(
        "radio_notes", "Radio notes", [telegram_text("post-1")]
    ).encode()
    desk.fetcher.pages["https://social.example.org/@ann.rss"] = atom("Ann", "one").encode()
    assert "now follows Radio notes" in shown(await desk.say("/subscribe t.me/Radio_Notes"))
    assert "now follows Ann" in shown(await desk.say("/subscribe @ann@social.example.org"))
    assert [(source.kind, source.url) for source in await stored(desk)] == [
        ("telegram", channel),
        ("feed", "https://social.example.org/@ann.rss"),
    ]
    assert "is a private chat of Telegram" in shown(await desk.say("/subscribe https://t.me/+AbCd"))
    assert "needs an instance of RSSHub" in shown(await desk.say("/subscribe rsshub://a/b"))
    # A name wins over an address, and a path is no address, not even one that looks like it.
    (tmp_path / "notes.net" / "posts").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert "answered 404" in shown(await desk.say("/subscribe notes.net/posts"))
    await desk.source("post-9", title="t.me/news", url="https://news.example.org/f.json")
    assert "now follows t.me/news" in shown(await desk.say("/subscribe t.me/news"))
    for path in ("./a.b/c", "../etc.d/x", "/etc/passwd"):
        assert "No source is called" in shown(await desk.say(f"/subscribe {path}"))


async def test_who_may_add_no_source_reaches_known_ones_without_any_request(sqlite_url: str) -> None:
    async with open_desk(sqlite_url, access=AccessMode.CURATED) as desk:
        repository = "https://github.com/radio/antenna"
        await desk.source("post-1", url=f"{repository}/releases.atom", title="Antenna")
        blog(desk, POSTS)
        desk.fetcher.calls.clear()
        assert "now follows Antenna" in shown(await desk.say(f"/subscribe {repository}"))
        for line in (f"/subscribe {HOME}", "/subscribe blog.example.org/"):
            assert "Only operators of this bot add sources" in shown(await desk.say(line))
        assert "Only operators" in shown(await desk.press("a:0000000000000000", link=HOME))
        assert desk.fetcher.calls == []
        assert "now follows" in shown(await desk.say(f"/subscribe {HOME}", actor=OPERATOR))


async def test_a_found_feed_that_is_known_counts_as_its_visibility_says(sqlite_url: str) -> None:
    """A public one costs no quota. A private one of others is read like a new one, so nobody learns of it."""
    async with open_desk(sqlite_url, quotas=Quotas(chat_sources=1)) as desk:
        blog(desk, POSTS)
        public = await desk.source("post-1", url=POSTS, title="Blog")
        assert "now follows Blog" in shown(await desk.say(f"/subscribe {HOME}"))
        assert [source.id for source in await stored(desk)] == [public.id]
        known, new = "https://known.example.org/", "https://new.example.org/"
        for site in (known, new):
            desk.fetcher.pages[site] = page(alternate("/f.json")).encode()
        await desk.source("post-2", url=f"{known}f.json", title="Known", public=False)
        desk.fetcher.pages[f"{new}f.json"] = json_feed("post-3").replace(b"Example", b"Known")
        answers: list[str] = []
        for place, site in (("2", known), ("3", new)):
            desk.fetcher.calls.clear()
            said = shown(await desk.say(f"/subscribe {site}", place=place))
            answers.append((said + str(desk.fetcher.calls)).replace(site, ""))
        assert answers[0] == answers[1] and "now follows Known" in answers[0]


async def test_a_page_leads_a_person_to_no_private_address(sqlite_url: str) -> None:
    inner = "http://10.0.0.7/feed"
    guarded = FakeFetcher(faults={inner: AddressRefused("10.0.0.7 is not a public address")})
    async with open_desk(sqlite_url, for_people=guarded) as desk:
        desk.fetcher.pages[inner] = json_feed("secret")
        guarded.pages[HOME] = page(alternate(inner)).encode()
        said = shown(await desk.say(f"/subscribe {HOME}"))
        assert said == f"⚠ {HOME} cannot be reached: check the address."
        guarded.pages[HOME] = page(alternate(inner, "A"), alternate("/b", "B")).encode()
        first, _ = feeds_of(await desk.say(f"/subscribe {HOME}"))
        assert "cannot be reached" in shown(await desk.press(first.data, link=HOME))
        assert desk.fetcher.calls == [] and await stored(desk) == []


@pytest.mark.parametrize("words", ["--depth=2", "--listing --x"])
async def test_options_that_a_feed_does_not_have_are_refused_before_any_request(
    desk: Desk, words: str
) -> None:
    blog(desk, POSTS)
    assert "⚠" in shown(await desk.say(f"/subscribe {HOME} {words}"))
    assert desk.fetcher.calls == []


async def test_a_page_without_a_feed_offers_the_posts_that_it_lists(desk: Desk) -> None:
    desk.fetcher.pages[HOME] = CARDS.html.encode()
    told = await desk.say(f"/subscribe {HOME}")
    assert f"⚠ {HOME} is a web page without a feed: add --listing" in shown(told)
    (show,) = feeds_of(told)
    assert "Only admins" in shown(await desk.press(show.data, link=HOME, admin=False))
    preview = await desk.press(show.data, link=HOME)
    assert "6 posts found" in shown(preview) and "Is this what should arrive here?" in shown(preview)
    for line in (f"/subscribe {HOME}?key=1", f"/subscribe {HOME} --full-text"):
        desk.fetcher.pages[f"{HOME}?key=1"] = desk.fetcher.pages[HOME]
        refused = await desk.say(line)
        assert refused and not refused.buttons and "without a feed" in shown(refused)
