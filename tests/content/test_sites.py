"""The table of known sites, without any request. test_discovery.py follows it to the feeds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.errors import UsageError
from content.sources.sites import (
    SITES,
    feeds_at,
    is_address,
    may_be_address,
    needs_page,
    told_by,
    web_address,
)
from content.urls import is_web_url

CHANNEL = "UC" + "x" * 22
FEEDS = {
    "https://github.com/radio/antenna/": "https://github.com/radio/antenna/releases.atom",
    "https://github.com/radio/antenna/releases/tag/v1": "https://github.com/radio/antenna/releases.atom",
    "https://github.com/radio/antenna/tags": "https://github.com/radio/antenna/tags.atom",
    "https://github.com/radio/antenna/commits/main/": "https://github.com/radio/antenna/commits/main.atom",
    "https://github.com/radio/antenna/discussions": "https://github.com/radio/antenna/discussions.atom",
    "https://github.com/radio?tab=repositories": "https://github.com/radio.atom",
    "https://gitlab.com/a/b/c/-/tags": "https://gitlab.com/a/b/c/-/tags?format=atom",
    "https://gitlab.com/a/b/-/commits/main": "https://gitlab.com/a/b/-/commits/main?format=atom",
    "https://codeberg.org/radio": "https://codeberg.org/radio.rss",
    "https://gitea.com/radio/antenna/src/branch/main": "https://gitea.com/radio/antenna/releases.rss",
    "https://www.reddit.com/r/a+b/new/?t=day": "https://www.reddit.com/r/a+b/new/.rss",
    "https://www.reddit.com/r/radio/comments/1ab/title/": "https://www.reddit.com/r/radio/comments/1ab/.rss",
    "https://bsky.app/profile/did:plc:abc/post/3k": "https://bsky.app/profile/did:plc:abc/rss",
    "https://social.example.org/@ann/123": "https://social.example.org/@ann.rss",
    "http://social.example.org:8080/@ann": "http://social.example.org:8080/@ann.rss",
    "https://social.example.org/@bob@other.example.net": "https://other.example.net/@bob.rss",
    "HTTPS://WWW.YouTube.com/channel/" + CHANNEL: "https://www.youtube.com/feeds/videos.xml?channel_id="
    + CHANNEL,
}
# Feeds themselves, and pages for which these sites have no feed.
NONE = (
    "https://www.youtube.com/feeds/videos.xml?user=radio",
    "https://www.youtube.com/results?search_query=radio",
    "https://github.com/radio/antenna/releases.atom",
    "https://github.com/radio/antenna/issues",
    "https://github.com/",
    "https://gitlab.com/a/b/-/tags.atom",
    "https://www.reddit.com/",
    "https://www.reddit.com/r/radio/.rss",
    "https://bsky.app/profile/ann.example/rss",
    "https://bsky.app/profile/ann.example/lists/3k",
    "https://social.example.org/@ann.rss",
    "https://notgithub.com/radio/antenna",
    "https://github.com.example.org/radio/antenna",
    "https://example.org/github.com/radio/antenna",
    "https://example.org/?u=https://github.com/radio/antenna",
    "http://[x",
)


@pytest.mark.parametrize("address", FEEDS)
def test_the_feed_of_an_address(address: str) -> None:
    assert feeds_at(address)[0] == FEEDS[address]
    assert all(feeds_at(feed) in ((), (feed,)) for feed in feeds_at(address)), "a feed is read as it is"


@pytest.mark.parametrize("address", NONE)
def test_what_is_no_such_address(address: str) -> None:
    assert feeds_at(address) == ()


def test_only_the_page_itself_tells_its_channel() -> None:
    video = "https://www.youtube.com/watch?v=abc"
    assert needs_page(video) and not needs_page("https://github.com/radio/antenna")
    for hostile in ('"channelId":"UCshort"', f'"channelId":"{CHANNEL}&x=1"', "", "x" * 100_000):
        assert told_by(video, hostile) == ""
    data = f'"channelId":"{CHANNEL}"'
    assert told_by(video, data).endswith(f"videos.xml?channel_id={CHANNEL}")
    assert told_by("https://example.org/watch?v=abc", data) == "", "no other site speaks for YouTube"


def test_texts_that_are_addresses() -> None:
    for typed in ("https://example.org", "@ann@social.example.org", "rsshub://a/b", "HTTP://example.org/x?y"):
        assert is_address(typed)
    for typed in (
        "git+https://example.org/blog",
        "ssh://git@example.org/blog",
        "git@example.org:me/blog.git",
    ):
        assert is_address(typed)
    for typed in (
        "ann@example.org",
        "@ann",
        "Radio notes",
        "example.org",
        "ftp://a/b",
        "rsshub://",
        "@a@b",
        "",
    ):
        assert not is_address(typed)
    for typed in ("t.me/radio", "github.com/radio/antenna", "example.org/", "localhost.x:80/feed"):
        assert may_be_address(typed)
    for typed in (
        "example.org",
        "./posts",
        "../a.b/c",
        "/etc/passwd",
        "file:///a.b/c",
        "a b.c/d",
        "news/sport",
    ):
        assert not may_be_address(typed)


def test_addresses_become_web_addresses() -> None:
    assert web_address("@Ann@Social.Example.org") == "https://social.example.org/@Ann"
    assert web_address("rsshub://a/b?c=1", "https://hub.example.org") == "https://hub.example.org/a/b?c=1"
    # The instance stays the host, whatever the path is.
    assert (
        web_address("rsshub:////evil.example/x", "https://hub.example.org/")
        == "https://hub.example.org/evil.example/x"
    )
    assert (
        web_address("rsshub://@evil.example/", "https://hub.example.org")
        == "https://hub.example.org/@evil.example/"
    )
    assert web_address("https://rsshub.app/a") == "https://rsshub.app/a", (
        "without an instance it is a URL like others"
    )
    assert web_address("./posts") == "./posts"
    with pytest.raises(
        UsageError, match=r"rsshub://a/b needs an instance of RSSHub, .* with SKYWAVE_RSSHUB_URL"
    ):
        web_address("rsshub://a/b")


@pytest.mark.timeout(60)
def test_no_address_takes_long() -> None:
    for host in ("github.com", "gitlab.com", "www.reddit.com", "youtube.com", "bsky.app", "t.me"):
        for piece in ("a/", "a.", "-/", "@a", "/", "a-", "%", "?a&list="):
            feeds_at(f"https://{host}/" + piece * (4000 // len(piece)) + "!")
    assert SITES


HOSTS = (
    "github.com",
    "gitlab.com",
    "www.youtube.com",
    "youtu.be",
    "reddit.com",
    "bsky.app",
    "a.example.org",
    "[",
    "x:y",
)
PARTS = st.sampled_from(
    ["/", "@", "?", "#", "..", "-", "user", "list=", "{base}", "{0}", "%7B", "channel", "r"]
)


@given(st.sampled_from(HOSTS), st.lists(PARTS | st.text(max_size=5), max_size=8).map("".join))
def test_whatever_is_typed_leads_to_the_web_or_nowhere(host: str, rest: str) -> None:
    typed = f"https://{host}/{rest}"
    assert web_address(typed) == typed
    for feed in feeds_at(typed):
        assert is_web_url(feed) or not is_web_url(typed)
    assert not is_address(typed) or is_web_url(typed)
