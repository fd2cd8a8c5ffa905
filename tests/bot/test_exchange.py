"""/import and /export: lists of feeds come and go as files."""

from dataclasses import replace
from typing import Any

import pytest

from bot.access import AccessMode
from bot.commands.types import Reply, Upload
from content.document import Document, block_text
from content.fetch import ServerBusy
from content.opml import parse_opml
from content.types import Visibility
from scheduler.quotas import Quotas
from scheduler.types import ChatKind
from tests.bot.conftest import FEED, OPERATOR, Desk, open_desk, shown
from tests.fakes import FakeFetcher
from tests.scheduler.conftest import json_feed

OTHER, DOWN = "https://example.net/other.json", "https://example.com/down.json"


def opml(*urls: str, folder: str = "Radio") -> bytes:
    outlines = "".join(f'<outline type="rss" xmlUrl="{url}"/>' for url in urls)
    return f'<opml version="2.0"><body><outline text="{folder}">{outlines}</outline></body></opml>'.encode()


async def sent(
    desk: Desk, content: bytes, *, size: int | None = None, **who: Any
) -> tuple[Reply | None, list[str]]:
    """The reply to a file that a person sends, and what was shown meanwhile."""
    progress = list[str]()

    async def read() -> bytes:
        return content

    async def show(document: Document) -> None:
        progress.append("\n".join(map(block_text, document.blocks)))

    upload = Upload("feeds.opml", len(content) if size is None else size, read)
    call = replace(desk.call("/import", **who), upload=upload, show=show)
    return await desk.router.command(call), progress


async def test_the_feeds_of_a_file_are_followed_and_what_failed_is_named(desk: Desk) -> None:
    desk.fetcher.pages |= {FEED: json_feed("one"), OTHER: json_feed("two")}
    desk.fetcher.faults[DOWN] = ServerBusy("example.com answered 503")

    async def slow(url: str) -> None:
        desk.services.clock.advance(4)  # type: ignore[attr-defined]

    desk.fetcher.on_fetch = slow
    wrong = ("/etc/passwd", "https://example.org/none.json", "http://[::1")
    reply, progress = await sent(desk, opml(FEED, OTHER, DOWN, *wrong))
    first, *lines = shown(reply).splitlines()
    assert first == "Subscribed to 3 feeds."
    assert sorted(lines) == sorted(
        [
            "These cannot be reached now, and are tried again:",
            f"• {DOWN}",
            "Not imported:",
            "• /etc/passwd: it is not an http or https address",
            "• the URL: it is not an http or https address",
            "• https://example.org/none.json answered 404: check the address",
        ]
    )
    assert progress and progress[0].endswith(" of 6")
    async with desk.store.read() as work:
        known = await work.sources.by_url(FEED)
    assert known and (known.visibility, known.tags, known.added_by) == (
        Visibility.PRIVATE,
        ("Radio",),
        "fake:7",
    )
    assert len(await desk.follows()) == 3

    reply, _ = await sent(desk, opml(FEED))
    assert shown(reply) == "No new subscriptions. 1 was followed before."
    await desk.publish("one", "three")
    async with desk.store.read() as work:
        (delivery,) = await work.outbox.claim("fake", desk.services.clock.now(), 10, 1)
    assert len(delivery.posts) == 1


async def test_the_rules_of_subscribe_apply_to_a_list(sqlite_url: str) -> None:
    people, quotas = FakeFetcher(), Quotas(chat_sources=1)
    people.pages |= {FEED: json_feed("one"), OTHER: json_feed("two")}
    async with open_desk(sqlite_url, quotas=quotas, for_people=people) as desk:
        desk.fetcher.pages[DOWN] = json_feed("inside")  # only the operator's fetcher reaches it
        reply, _ = await sent(desk, opml(FEED, OTHER, DOWN), admin=False)
        assert shown(reply) == "⚠ Only admins of this chat can use /import."
        assert not people.calls and not await desk.follows()
        reply, _ = await sent(desk, opml(DOWN))
        assert f"• {DOWN} answered 404" in shown(reply)
        reply, _ = await sent(desk, opml(FEED, OTHER))
        assert "Subscribed to 1 feed.\nNot imported:" in shown(reply)
        assert "already follows 1 private feeds, the most for one chat" in shown(reply)


async def test_where_only_operators_add_feeds_a_list_follows_the_known_ones(sqlite_url: str) -> None:
    async with open_desk(sqlite_url, access=AccessMode.CURATED) as desk:
        await desk.source("one")
        desk.fetcher.pages[OTHER] = json_feed("two")
        reply, _ = await sent(desk, opml(FEED, OTHER))
        assert "Subscribed to 1 feed." in shown(reply) and "Only operators of this bot add sources" in shown(
            reply
        )
        reply, _ = await sent(desk, opml(OTHER), actor=OPERATOR)
        assert shown(reply) == "Subscribed to 1 feed."


@pytest.mark.parametrize(
    ("content", "size", "said"),
    [
        (opml(), None, "This file names no feeds."),
        (b"<html>", None, "cannot be read as a list of feeds: it is damaged or not OPML"),
        (b"<!DOCTYPE x><opml/>", None, "remove the <!DOCTYPE"),
        (opml(*(f"{FEED}?{n}" for n in range(301))), None, "it names more than 300 feeds: split it"),
        (b"", 2**21, "The file is larger than 1 MiB."),
    ],
)
async def test_a_file_that_cannot_be_used_is_answered(
    desk: Desk, content: bytes, size: int | None, said: str
) -> None:
    reply, _ = await sent(desk, content, size=size)
    assert said in shown(reply)


async def test_without_a_file_the_way_is_shown(desk: Desk) -> None:
    assert "/import as its caption" in shown(await desk.say("/import"))
    assert "/import feeds.opml" in shown(await desk.say("/import", kind=ChatKind.TERMINAL))
    reply = await desk.say("/import", locale="zh")
    assert "请发送 OPML 文件" in shown(reply)


async def test_what_is_exported_is_imported_elsewhere(desk: Desk) -> None:
    key = "https://example.org/feed.json?key=hunter2"
    desk.fetcher.pages |= {FEED: json_feed("one"), key: json_feed("secret")}
    assert "follows no feed that could be exported" in shown(await desk.say("/export"))
    await sent(desk, opml(FEED, key))
    exported = await desk.say("/export")
    assert exported and exported.file and exported.file.name == "skywave.opml"
    assert parse_opml(exported.file.content) == {FEED: ("Radio",)}
    assert shown(exported) == "The feed of this chat. 1 is left out, because its address may hold a key."
    assert await desk.say("/export", admin=False) != exported
    # Alone with the bot, a person gets the keys that they have brought, but nobody else's.
    await sent(desk, opml(key), place="7", kind=ChatKind.PRIVATE)
    mine = await desk.say("/export", place="7", kind=ChatKind.PRIVATE)
    assert mine and mine.file and key in parse_opml(mine.file.content)
    await sent(desk, opml(key), place="8", kind=ChatKind.PRIVATE, actor="fake:8")
    other = await desk.say("/export", place="8", kind=ChatKind.PRIVATE, actor="fake:8")
    assert other and not (other.file and key in parse_opml(other.file.content))
