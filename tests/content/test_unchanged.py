"""Posts that have not changed are not parsed, and comparing finds the same as if they had been."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.bounds import MAX_READ
from content.changes import Changes, diff
from content.sources.feed import parse_feed
from content.types import KnownPost, ParsedPost, ParsedSource

URL = "https://example.org/feed.xml"
NOW = datetime(2026, 7, 14, 10, tzinfo=UTC)

Item = tuple[str, str, str, str]  # guid, link, title, body


def rss(items: Sequence[Item]) -> bytes:
    posts = "".join(
        f"<item><guid isPermaLink='false'>{guid}</guid><link>{link}</link><title>{title}</title>"
        f"<description>{escape(body)}</description><pubDate>Tue, 14 Jul 2026 18:00:00 +0800</pubDate></item>"
        for guid, link, title, body in items
    )
    return f"<rss version='2.0'><channel><title>T</title>{posts}</channel></rss>".encode()


def json_feed(items: Sequence[Item]) -> bytes:
    names = ("id", "url", "title", "content_html")
    return json.dumps({"items": [dict(zip(names, item, strict=True)) for item in items]}).encode()


def hashes(known: Sequence[KnownPost]) -> dict[str, str]:
    return {post.guid: post.raw_hash for post in known if post.raw_hash}


def found(known: Sequence[KnownPost], parsed: ParsedSource) -> Changes:
    return diff(known, parsed, source_url=URL, now=NOW)


def stored(known: Sequence[KnownPost], changes: Changes) -> list[KnownPost]:
    """What the store holds after it has taken over the changes."""
    posts = {post.id: post for post in known}
    for post_id, new in changes.changed:
        posts[post_id] = replace(posts[post_id], content_hash=new.content_hash, raw_hash=new.raw_hash)
    for post_id, raw in changes.seen:
        posts[post_id] = replace(posts[post_id], raw_hash=raw)
    for new in changes.new:
        post_id = len(posts) + 1
        posts[post_id] = KnownPost(post_id, new.guid, new.key, new.content_hash, raw_hash=new.raw_hash)
    return list(posts.values())


ITEMS = st.tuples(
    st.sampled_from(("a", "b", "c", "", "g" * 600)),
    st.sampled_from(("https://example.org/1", "https://example.org/2?utm_source=x", "/3", "")),
    st.sampled_from(("", "One", "Two")),
    st.sampled_from(("<p>x</p>", "<p>y <i onclick='z'>z</i></p>", "")),
)
FEEDS = st.lists(st.lists(ITEMS, max_size=4), min_size=2, max_size=5)


@given(FEEDS, st.sampled_from((rss, json_feed)), st.booleans())
def test_comparing_finds_the_same(feeds: Sequence[Sequence[Item]], written: object, forgets: bool) -> None:
    assert callable(written)
    known: list[KnownPost] = []
    for items in feeds:
        body = written(items)
        full = found(known, parse_feed(body, "", URL))
        bare = found([replace(post, raw_hash="") for post in known], parse_feed(body, "", URL))
        quick = found(known, parse_feed(body, "", URL, hashes=hashes(known)))
        quick = full if quick.is_incomplete else quick
        assert (quick, quick.seen) == (full, full.seen)
        assert quick == bare, "hashes change nothing but the work"
        known = stored(known, quick)
        if forgets and known:  # as after an upgrade
            known[0] = replace(known[0], raw_hash="")


@pytest.mark.parametrize("written", [rss, json_feed])
class TestPosts:
    ITEMS: tuple[Item, ...] = (
        ("a", "https://example.org/1", "One", "<p>x</p>"),
        ("b", "https://example.org/2", "Two", "<p>y</p>"),
    )

    def test_that_are_unchanged_are_not_parsed(self, written: object) -> None:
        assert callable(written)
        known = stored([], found([], parse_feed(written(self.ITEMS), "", URL)))
        same, other = parse_feed(
            written([self.ITEMS[0], ("b", *self.ITEMS[1][1:3], "<p>z</p>")]), "", URL, hashes=hashes(known)
        ).posts
        assert (same.guid, same.url, same.title) == self.ITEMS[0][:3]
        assert same.is_unchanged and same.html == "" and same.derived is None
        assert not other.is_unchanged and other.html == "<p>z</p>"

    def test_of_a_long_feed_are_all_parsed(self, written: object) -> None:
        assert callable(written)
        long = [*self.ITEMS, ("c", "", "", "x" * (MAX_READ // 8))]
        known = stored([], found([], parse_feed(written(long), "", URL)))
        parsed = parse_feed(written(long), "", URL, hashes=hashes(known))
        assert not any(post.is_unchanged for post in parsed.posts)

    def test_depend_on_the_address_of_the_feed(self, written: object) -> None:
        assert callable(written)
        known = stored([], found([], parse_feed(written(self.ITEMS), "", URL)))
        moved = parse_feed(written(self.ITEMS), "", "https://other.example/", hashes=hashes(known))
        assert not any(post.is_unchanged for post in moved.posts)


def test_an_unchanged_post_that_is_not_stored_is_asked_for_again() -> None:
    stub = ParsedPost("a", raw_hash="h", is_unchanged=True)
    known = KnownPost(1, "a", "key", "content", raw_hash="h")
    assert not found([known], ParsedSource(posts=(stub,))).is_incomplete
    assert found([], ParsedSource(posts=(stub,))).is_incomplete
    assert found([replace(known, raw_hash="i")], ParsedSource(posts=(stub,))).is_incomplete


def test_an_unchanged_post_counts_as_shown() -> None:
    stub = ParsedPost("a", raw_hash="h", is_unchanged=True)
    known = KnownPost(1, "a", "key", "content", withdrawn=True, raw_hash="h")
    assert found([known], ParsedSource(posts=(stub,))).returned == (1,)
    assert found([known], ParsedSource(posts=(stub,), withdrawn=("a",))).withdrawn == ()
