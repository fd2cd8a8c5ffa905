"""What a page says of its feeds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.sources.pages import MAX_NAME, MOST, MOST_LINKS, Page, page_of
from content.urls import is_web_url
from tests.emulators.sites import alternate, page

URL = "https://blog.example.org/2026/post"
ATOM = "application/atom+xml"


def feeds(*head: str, body: str = "") -> list[str]:
    return [
        feed.url.removeprefix("https://blog.example.org")
        for feed in page_of(page(*head, body=body), URL).feeds
    ]


def test_feeds_are_those_of_the_known_types() -> None:
    others = (
        '<link rel="alternate" hreflang="en" href="/en">',
        '<link rel="alternate" type="application/json" href="/wp-json/posts/1">',
        '<link rel="alternate" type="application/json+oembed" href="/oembed">',
        '<link rel="stylesheet" type="application/rss+xml" href="/style">',
        '<link rel="alternate" type="application/rss+xml">',
        '<link rel="alternate" type="application/rss+xml" href="">',  # Mastodon 4.0
    )
    assert feeds(*others) == []
    head = (
        '<LINK HREF=/a TYPE=Application/RSS+XML REL="home Alternate" />',
        alternate("b", "B", "application/feed+json"),
    )
    assert feeds(*head) == ["/a", "/2026/b"]


def test_addresses_are_resolved_against_the_base_and_only_those_of_the_web_count() -> None:
    assert feeds('<base href="/x/">', alternate("feed#top")) == ["/x/feed"]
    assert feeds('<base target="_blank">', '<base href="javascript:x">', alternate("feed")) == ["/2026/feed"]
    bad = (
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/xml,<rss/>",
        "ftp://a/b",
        "http://",
        "http://[x",
    )
    assert feeds(*map(alternate, bad)) == []
    assert feeds(alternate("/" + "x" * 5000)) == []


def test_a_feed_in_several_formats_is_one_feed() -> None:
    assert feeds(alternate("/feed.xml", "Blog - RSS"), alternate("/atom.xml", "Blog - Atom", ATOM)) == [
        "/feed.xml"
    ]
    assert feeds(alternate("/o/r.rss"), alternate("/o/r.atom", "", ATOM)) == ["/o/r.rss"]
    twice = alternate("/posts?alt=rss", "Blog – RSS"), alternate("/posts", "Blog – Atom", ATOM)
    assert feeds(*twice) == ["/posts?alt=rss"]
    # What has another title, another place or the same format is another feed.
    assert len(feeds(alternate("/feed.xml", "Blog"), alternate("/atom.xml", "Photos", ATOM))) == 2
    assert len(feeds(alternate("/news/rss.xml"), alternate("/blog/atom.xml", "", ATOM))) == 2
    assert len(feeds(alternate("/1.xml", "Blog 1"), alternate("/2.xml", "Blog 2"))) == 2
    assert feeds(alternate("/feed", "A"), alternate("/feed", "B")) == ["/feed"]


@pytest.mark.parametrize("title", ["Comments Feed", "评论 Feed", "комментарии", "Comentarios"])
def test_feeds_of_comments_come_last(title: str) -> None:
    assert feeds(alternate("/c", title), alternate("/a", "A"), alternate("/b", "B")) == ["/a", "/b", "/c"]
    assert feeds(alternate("/comments/feed"), alternate("/x/feed")) == ["/x/feed", "/comments/feed"]


def test_code_and_comments_say_nothing() -> None:
    hidden = alternate("/hidden")
    head = (f"<!-- {hidden} -->", f"<script>var a = '{hidden}';</script>", f"<style>{hidden}</style>")
    assert feeds(*head, alternate("/shown", 'A > B "C"')) == ["/shown"]


def test_titles_are_shown_without_tricks() -> None:
    (feed,) = page_of(page(alternate("/a", "  News\n\u202eof\x1b[31m\u200b  " + "x" * 200)), URL).feeds
    assert feed.title.startswith("News of[31m xxx") and len(feed.title) == MAX_NAME
    (bare,) = page_of(page(alternate("/a?key=1")), URL).feeds
    assert bare.name == "https://blog.example.org/a?…"
    assert len(f"x:a:{bare.key}?".encode()) <= 64, "it fits into a button"


def test_links_that_look_like_feeds() -> None:
    likely = (
        "/rss",
        "/feed/",
        "atom.xml",
        "/x.rss",
        "/?feed=rss2",
        "/index.php?format=feed&type=rss",
        "feed.json",
    )
    unlikely = (
        "/",
        "/feedback",
        "/rss-readers",
        "/about.html",
        "/newsfeed/settings",
        "/sitemap.xml",
        "javascript:feed.xml",
    )
    for href in likely:
        assert page_of(page(body=f'<a class="b" href="{href}">x</a>'), URL).links, href
    assert page_of(page(body="".join(f"<a href='{href}'>x</a>" for href in unlikely)), URL).links == ()
    away = '<a href="https://away.example.org/rss">a</a>'
    own = "".join(f'<a href="/{n}.rss">a</a>' for n in range(9))
    found = page_of(page(body=away + own), URL).links
    assert len(found) == MOST_LINKS and all(link.startswith("https://blog.example.org/") for link in found)


@pytest.mark.timeout(60)
def test_thousands_of_elements_and_hostile_text_are_bounded() -> None:
    many = page_of(page(*(alternate(f"/{n}.rss", f"{n}") for n in range(9_000))), URL)
    assert len(many.feeds) == MOST
    for hostile in (
        "<a ",
        '<a "',
        "<link '",
        "<!--",
        "<script",
        "<i>",
        "<a href=",
        '<link rel="',
        "</script",
        "<svg>",
    ):
        text = hostile * (200_000 // len(hostile))
        assert page_of(text, URL) == Page(URL)
    attributes = " ".join(f"a{n}" for n in range(200))
    assert page_of(f"<link {attributes}>" * 500, URL).feeds == ()


PIECES = st.sampled_from(
    [
        "<link rel=alternate type=application/rss+xml href=",
        "<a href='",
        "/feed",
        ">",
        "'",
        '"',
        "<base href=//",
        "]",
        "[",
    ]
)


@given(st.lists(PIECES | st.text(max_size=8), max_size=30).map("".join))
def test_whatever_a_page_says_is_bounded_and_leads_to_the_web(text: str) -> None:
    found = page_of(text, URL)
    assert len(found.feeds) <= MOST and len(found.links) <= MOST_LINKS
    assert all(map(is_web_url, (*found.links, *(feed.url for feed in found.feeds))))
