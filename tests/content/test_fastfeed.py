"""The fast way to read feeds: the same posts as with feedparser, or none at all."""

import random
from html import escape

import pytest
from feedparser.mixin import _FeedParserMixin
from feedparser.sanitizer import _HTMLSanitizer
from hypothesis import given
from hypothesis import strategies as st

from content.sources import fastfeed, feednames
from tests.content.both import by_feedparser, fast, is_same
from tests.content.mutations import mutant
from tests.content.test_feed import RDF, RSS

NAMES = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in {
        "a": feednames.ATOM,
        "content": "http://purl.org/rss/1.0/modules/content/",
        "dc": "http://purl.org/dc/elements/1.1/",
        "dcterms": "http://purl.org/dc/terms/",
        "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
        "media": "http://search.yahoo.com/mrss/",
        "sy": "http://purl.org/rss/1.0/modules/syndication/",
        "wfw": "http://wellformedweb.org/CommentAPI/",
        "odd": "urn:odd",
        "psc": "http://podlove.org/simple-chapters",
    }.items()
)
ATOM = f"""<feed xmlns="{feednames.ATOM}" xmlns:media="http://search.yahoo.com/mrss/" xmlns:yt="urn:yt">
<id>urn:f</id><title>T</title><link rel="self" href="/feed"/><link rel="hub" href="https://hub.example/"/>
<author><name>Ann</name><uri>https://example.org/ann</uri></author><updated>2026-07-14T11:00:00Z</updated>
<entry><id>urn:1</id><title type="html">a &amp;lt; b</title><link rel="alternate" href="/p1"/><yt:id>x</yt:id>
<updated>2026-07-14T11:00:00Z</updated><published>2026-07-14T10:00:00+08:00</published>
<author><name>N</name><email>n@example.org</email></author><category term="t" label="Tag"/>
<content type="html">&lt;a href="q"&gt;q&lt;/a&gt;</content>
<media:group><media:title>mt</media:title><media:thumbnail url="https://example.org/t.jpg" width="1"/>
<media:description>More</media:description><media:community><media:statistics views="1"/></media:community>
</media:group></entry></feed>"""


class TestFeeds:
    @pytest.mark.parametrize("text", [RSS, RDF, ATOM])
    def test_are_read_without_feedparser(self, text: str) -> None:
        parsed = fast(text.encode())
        assert parsed is not None and parsed.posts
        assert parsed == by_feedparser(text.encode())

    def test_with_html_entities_are_read_without_feedparser(self) -> None:
        parsed = fast(RSS.replace("中文标题", "&nbsp;Fish &copy; Chips &").encode())
        assert parsed is not None and parsed.posts[2].title == "Fish © Chips &"

    @pytest.mark.parametrize("number", range(60))
    def test_are_the_same_after_mutations(self, number: int) -> None:
        text = (RSS, RDF, ATOM)[number % 3]
        assert is_same(mutant(text, random.Random(f"fast {number}")))

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("<channel>", '<channel xml:base="https://example.net/">'),
            ("<item><title>First", '<item xml:base="/x"><title>First'),
            ("<category>LoRA<", '<category base="/x">LoRA<'),
            ("</title><pubDate>2026", "</b></title><pubDate>2026"),
            ("2026年7月14日 10:00", "2026. 07. 14. 오전 10:00"),
            ("中文标题", "中<b>文</b>"),
            ("<title>中文标题</title>", '<title type="xhtml">中文标题</title>'),
            ("<title>中文标题</title>", '<title type="image/png">5Lit</title>'),
            ("<title>中文标题</title>", '<title mode="base64">5Lit</title>'),
            ("</channel>", "</channel><channel><title>Another</title></channel>"),
            ("xmlns:dc=", 'xmlns:content2="urn:x" xmlns:dC="urn:x" xmlns:dc='),
            ('xmlns:dc="http://purl.org/dc/elements/1.1/"', 'xmlns:dc="urn:x"'),
            ('"http://search.yahoo.com/mrss/"', '"http://purl.org/dc/terms/"'),
            ("<rss", '<!DOCTYPE a><!DOCTYPE b [<!ENTITY x "y">]><rss'),
        ],
    )
    def test_that_may_mean_something_else_are_left_to_feedparser(self, old: str, new: str) -> None:
        assert old in RSS
        assert fast(RSS.replace(old, new, 1).encode()) is None

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("<dc:creator>Ann", f"<dc:creator>{'A' * 600}"),
            ("Short &amp;amp; plain", "&" * 80),
            ("Short &amp;amp; plain", "<![CDATA[" + "&" * 80 + "]]>"),
            ("Short &amp;amp; plain", "&#00000000038;"),
            ("Short &amp;amp; plain", "\ufffe\x01 &#1; <!-- & -->"),
            ("</channel>", '<at:deleted-entry xmlns:at="urn:at" ref="urn:one"/></channel>'),
        ],
    )
    def test_that_are_prepared_first_are_the_same(self, old: str, new: str) -> None:
        assert old in RSS
        assert fast(RSS.replace(old, new, 1).encode()) == by_feedparser(RSS.replace(old, new, 1).encode())

    def test_of_a_hostile_size_are_left_to_feedparser(self) -> None:
        assert fastfeed.read(f"<rss><channel>{'<a/>' * fastfeed.MOST_TAGS}</channel></rss>") is None
        assert fastfeed.read("<a>" * 100_000) is None
        assert fastfeed.read(f"<rss><channel>{'<x>' * 90_000}{'</x>' * 90_000}</channel></rss>") is not None


class TestFeedparser:
    """A newer feedparser that understands more elements must not go unnoticed."""

    def test_handles_the_elements_that_we_know_of(self) -> None:
        names = (name.partition("_")[2].partition("_") for name in dir(_FeedParserMixin))
        handled = {name.lower() for kind, _, name in names if kind in ("start", "end")}
        assert handled == feednames.HANDLED

    def test_knows_the_namespaces_that_we_know(self) -> None:
        found = {uri.lower(): name.lower() for uri, name in _FeedParserMixin.namespaces.items()}
        ours = feednames._NAMESPACES
        assert {uri: name for uri, name in found.items() if uri in ours} == ours
        assert {name for uri, name in found.items() if uri not in ours} <= feednames._PREFIXES

    def test_takes_the_same_elements_for_html(self) -> None:
        assert _HTMLSanitizer.acceptable_elements == feednames.HTML


# ---------------------------------------------------------------- any feed

DATES = ("Tue, 14 Jul 2026 18:00:00 +0800", "2026-07-14T10:00:00Z", "2026-07-14", "")
TEXTS = st.sampled_from(
    (
        "",
        " a \n b ",
        "x < y & z",
        "<p>Hi <a href='b'>b</a></p>",
        "It&#8217;s &hellip;",
        "&unknown; <b>x</b>",
        "</rss>",
        "https:////example.org/a?b=1&amp;c=2",
        "/relative",
        "urn:x",
        "Ann <ann@example.org>",
        "ann@example.org (Ann)",
        "中文",
        "caf\u00c3\u00a9",
        "a\u0092b",
        "\u00e9",
        "one, two,,",
        "1961-04-12",
    )
)
NAMES_OF_LEAVES = (
    "title link guid description author category comments content source enclosure ttl summary id rights "
    "language post-id managingEditor webMaster a:link a:title a:id a:summary a:content content:encoded "
    "dc:creator dc:subject dc:title dc:description dc:publisher dc:identifier media:title media:content "
    "media:thumbnail media:description media:keywords media:category media:credit itunes:author "
    "itunes:summary itunes:subtitle itunes:image itunes:keywords itunes:duration itunes:explicit "
    "wfw:commentRss odd:thing sy:updatePeriod sy:updateFrequency"
)
NAMES_OF_DATES = (
    "pubDate published issued updated modified created a:updated a:published dc:date dcterms:modified "
    "dcterms:issued dcterms:created lastBuildDate"
)
NAMES_OF_ODD_ONES = "name url date image tags items media_content dc:language itunes:category psc:chapters"
NAMES_OF_ATTRIBUTES = (
    "href url uri rel type term scheme label domain isPermaLink medium length text src xml:lang HREF"
)
VALUES = (
    "https://example.org/x /y alternate enclosure self hub html text text/html Text/Plain image true false "
    "image/png tag"
)
NAMES_OF_GROUPS = "author contributor media:group media:content image a:author itunes:owner"
NAMES_OF_FEED = (
    "title link description language ttl a:link a:id sy:updatePeriod sy:updateFrequency itunes:summary "
    "managingEditor dc:date lastBuildDate generator copyright category a:subtitle odd:thing post-id"
)
LEAVES = st.sampled_from(NAMES_OF_LEAVES.split())
ATTRIBUTES = st.dictionaries(
    st.sampled_from(NAMES_OF_ATTRIBUTES.split()), st.sampled_from(VALUES.split()), max_size=2
)


def _element(name: str, attributes: dict[str, str], inner: str) -> str:
    said = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<{name}{said}>{inner}</{name}>"


ESCAPED = TEXTS.map(escape) | TEXTS.map(lambda text: f"<![CDATA[{text}]]>")
PLAIN = st.builds(_element, LEAVES, st.just({}) | st.just({}) | ATTRIBUTES, ESCAPED)
DATED = st.builds(
    _element, st.sampled_from(NAMES_OF_DATES.split()), st.just({}), st.sampled_from(DATES * 3) | ESCAPED
)
ODD = st.builds(_element, st.sampled_from(NAMES_OF_ODD_ONES.split()), st.just({}), ESCAPED)
LEAF = st.integers(0, 19).flatmap(lambda n: ODD if n == 0 else DATED if n < 6 else PLAIN)
PERSON = st.lists(
    st.builds(_element, st.sampled_from(("name", "email", "uri", "odd:x")), st.just({}), ESCAPED), max_size=3
)
NESTED = st.builds(
    _element,
    st.sampled_from(NAMES_OF_GROUPS.split()),
    st.just({}),
    (st.lists(LEAF, max_size=3) | PERSON).map("".join),
)
PARTS = st.lists(LEAF | LEAF | LEAF | NESTED, max_size=6).map("".join)
HEAD_LEAF = st.builds(_element, st.sampled_from(NAMES_OF_FEED.split()), st.just({}), ESCAPED)
HEAD = st.lists(st.one_of(HEAD_LEAF, HEAD_LEAF, HEAD_LEAF, LEAF, NESTED), max_size=3).map("".join)
POST = PARTS.map(lambda parts: f"<item>{parts}</item>")


@st.composite
def feeds(draw: st.DrawFn) -> str:
    posts = "".join(draw(st.lists(POST, min_size=1, max_size=2)))
    head, tail = draw(HEAD), draw(st.just("") | HEAD_LEAF)
    match draw(st.integers(0, 3)):
        case 0:
            return f'<feed xmlns="{feednames.ATOM}" {NAMES}>{head}{posts}{tail}</feed>'
        case 1:
            names = NAMES.replace(feednames.ATOM, "urn:a")
            start = f'<r:RDF xmlns:r="{feednames.RDF}" xmlns="{feednames.RSS_1}" {names}>'
            return f"{start}<channel>{head}</channel>{posts}{tail}</r:RDF>"
        case _:
            return f'<rss version="2.0" {NAMES}><channel>{head}{posts}{tail}</channel></rss>'


@given(feeds())
def test_any_feed_is_read_as_feedparser_reads_it(text: str) -> None:
    assert is_same(text.encode())
