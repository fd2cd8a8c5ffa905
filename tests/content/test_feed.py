import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from content.embedded import picture_url
from content.errors import ParseError
from content.fetch import Fetched
from content.sources import ReadContext
from content.sources.charset import decode
from content.sources.feed import FeedKind, parse_feed
from content.sources.xmlfeed import media_of
from content.text import sanitise
from content.types import NO_OPTIONS, Hints, Media, ParsedPost, ParsedSource, Validators
from tests.fakes import FakeFetcher

URL = "https://example.org/blog/feed.xml"
TEN = datetime(2026, 7, 14, 10, tzinfo=UTC)

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/">
<channel><title>A &amp; B</title><link>https://example.org/</link>
<item><title>First &lt;b&gt;bold&lt;/b&gt;</title><link>https://example.org/1</link>
<guid isPermaLink="false">one</guid><pubDate>Tue, 14 Jul 2026 18:00:00 +0800</pubDate>
<dc:creator>Ann</dc:creator><category>LoRA</category><category>微调</category><category>LoRA</category>
<description>Short &amp;amp; plain</description>
<content:encoded><![CDATA[<p>Hi <a href="b">b</a><script>x</script> <img src="/i.png" alt="i"></p>]]>
</content:encoded>
<enclosure url="https://example.org/a.mp3" type="audio/mpeg" length="9"/>
<media:content url="https://example.org/p.jpg" medium="image"/></item>
<item><description>Only <![CDATA[<i>this</i>]]></description><link>/2</link>
<dc:date>2026-07-14</dc:date></item>
<item><title>中文标题</title><pubDate>2026年7月14日 10:00</pubDate></item>
</channel></rss>"""

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://example.net/x/">
<title type="html">T &amp;lt; &lt;b&gt;b&lt;/b&gt;</title><link href="https://example.net/"/>
<entry><id>urn:1</id><title>a &lt; b</title><link href="p1"/><updated>2026-07-14T11:00:00Z</updated>
<published>2026-07-14T10:00:00Z</published><author><name>N</name></author>
<content type="html">&lt;a href="q"&gt;q&lt;/a&gt;</content></entry>
<entry><id>urn:2</id><title/><link href="https://example.net/2"/><updated>2026-07-14T10:00:00Z</updated>
<summary>plain &amp; simple</summary><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div>
</content></entry></feed>"""

RDF = """<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://example.org/"><title>R</title><link>https://example.org/</link></channel>
<item rdf:about="https://example.org/r"><title>Item</title><link>https://example.org/r</link>
<dc:date>2026-07-14T10:00:00Z</dc:date></item></rdf:RDF>"""

JSON = """{"version": "https://jsonfeed.org/version/1.1", "title": "J", "home_page_url": "https://example.org/",
"items": [{"id": 7, "url": "/7", "title": "Seven", "content_html": "<p onclick='x'>a</p>", "summary": "s",
"date_published": "2026-07-14T18:00:00+08:00", "date_modified": "2026-07-15T10:00:00Z", "tags": ["x", "x", 3],
"authors": [{"name": "Ann"}, {"name": "Bob"}], "image": "/i.png",
"attachments": [{"url": "https://example.org/a.mp3", "mime_type": "audio/mpeg", "title": "sound"}]},
{"id": "8", "content_text": "1 < 2\\nnext\\n\\nlast \\ud800", "author": {"name": "Old"}}, "broken"]}"""


def parse(text: str) -> ParsedSource:
    """The feed in `text`, which both ways to read feeds agree about."""
    parsed = parse_feed(text.encode(), "", URL)
    assert parsed == parse_feed(text.encode(), "", URL, read_fast=lambda _text: None)
    return parsed


class TestRss:
    def test_has_all_that_the_feed_says(self) -> None:
        parsed = parse(RSS)
        assert (parsed.title, parsed.url, parsed.failures) == ("A & B", "https://example.org/", ())
        assert parsed.posts[0] == ParsedPost(
            guid="one",
            url="https://example.org/1",
            title="First bold",
            author="Ann",
            published_at=TEN,
            html='<p>Hi <a href="https://example.org/b">b</a> '
            '<img src="https://example.org/i.png" alt="i"></p>',
            summary="Short & plain",
            tags=("LoRA", "微调"),
            media=(
                Media("https://example.org/a.mp3", "audio/mpeg"),
                Media("https://example.org/p.jpg", "image/*"),
                Media("https://example.org/i.png", "image/*", "i"),
            ),
        )

    def test_does_without_what_is_missing(self) -> None:
        _, second, third = parse(RSS).posts
        assert (second.guid, second.url, second.title) == ("https://example.org/2",) * 2 + ("",)
        assert (second.html, second.published_at) == ("Only <i>this</i>", TEN.replace(hour=0))
        assert (third.url, third.title, third.published_at) == ("", "中文标题", TEN)
        assert len(third.guid) == 32 and third.guid == parse(RSS).posts[2].guid

    def test_an_empty_feed_has_no_posts(self) -> None:
        parsed = parse("<rss version='2.0'><channel><title>Empty</title></channel></rss>")
        assert parsed == ParsedSource(title="Empty")
        assert parse('<feed xmlns="http://www.w3.org/2005/Atom"/>') == ParsedSource()

    @pytest.mark.parametrize("start", ["\ufeff", "\n \n", "<!-- a page <html> -->", "Warning: old\n"])
    def test_what_stands_before_the_feed_is_passed_over(self, start: str) -> None:
        assert len(parse(start + RSS).posts) == 3

    def test_markup_errors_are_tolerated(self) -> None:
        broken = RSS.replace("中文标题", "Fish & Chips &nbsp; \x08").replace(
            "</title><pubDate>2026", "</title>2026"
        )
        assert parse(broken).posts[2].title.startswith("Fish & Chips")

    def test_a_guid_that_is_no_url_makes_no_link(self) -> None:
        item = "<rss version='2.0'><channel><item><guid>42</guid><title>a</title></item></channel></rss>"
        (post,) = parse(item).posts
        assert (post.guid, post.url) == ("42", "")

    def test_a_guid_that_is_a_url_is_the_link(self) -> None:
        item = "<rss version='2.0'><channel><item><guid>https://example.org/g</guid></item></channel></rss>"
        (post,) = parse(item).posts
        assert (post.guid, post.url) == ("https://example.org/g",) * 2

    def test_entities_are_not_expanded_without_end_nor_from_files(self) -> None:
        entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
        text = (
            f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY e0 "0123456789">{entities}'
            '<!ENTITY file SYSTEM "file:///etc/passwd">]>'
            "<rss version='2.0'><channel><item><title>t</title><description>&e11; &file;</description></item>"
            "</channel></rss>"
        )
        (post,) = parse(text).posts
        assert len(post.html) < 1_000 and "root:" not in post.html


class TestAtomAndRdf:
    def test_posts_that_the_publisher_says_are_deleted(self) -> None:
        said = (
            '<at:deleted-entry xmlns:at="http://purl.org/atompub/tombstones/1.0" ref="urn:one&amp;two"'
            " when='2026-07-14T10:00:00Z'><at:comment>spam</at:comment></at:deleted-entry>"
            "<deleted-entry when='2026-07-14T10:00:00Z' ref=' urn:three '/>"
        )
        parsed = parse(ATOM.replace("</feed>", f"{said}</feed>"))
        assert parsed.withdrawn == ("urn:one&two", "urn:three")
        assert len(parsed.posts) == len(parse(ATOM).posts) and parse(ATOM).withdrawn == ()

    def test_atom(self) -> None:
        parsed = parse(ATOM)
        assert (parsed.title, parsed.url) == ("T < b", "https://example.net/")
        first, second = parsed.posts
        assert first == ParsedPost(
            guid="urn:1",
            url="https://example.net/x/p1",
            title="a < b",
            author="N",
            published_at=TEN,
            updated_at=TEN.replace(hour=11),
            html='<a href="https://example.net/x/q">q</a>',
        )
        assert (second.summary, second.html, second.published_at) == ("plain & simple", "<p>x</p>", TEN)

    def test_a_guid_is_not_resolved_against_the_base(self) -> None:
        ids = ("/a/1", " <![CDATA[ a/2 ]]>", "urn:3", "https://example.net/4")
        entries = "".join(f"<entry><id>{one}</id><link href='{n}'/></entry>" for n, one in enumerate(ids))
        text = "<![CDATA[<id>5</id>]]>"
        atom = ATOM[: ATOM.index("<entry>")] + entries + f"<entry><id/><title>{text}</title></entry></feed>"
        *posts, last = parse(atom).posts
        assert [post.guid for post in posts] == ["/a/1", "a/2", "urn:3", "https://example.net/4"]
        assert [post.url for post in posts] == [f"https://example.net/x/{n}" for n in range(4)]
        assert last.title == "<id>5</id>" and len(last.guid) == 32

    def test_a_guid_without_a_link_is_the_link_relative_to_the_base(self) -> None:
        item = "<item><title>t</title><guid>{}</guid></item>"
        items = rss(item.format("a/1") + item.format("https://e.org/2"))
        based = parse(items.replace("<rss", "<rss xml:base='https://example.net/x/'")).posts
        assert [(post.guid, post.url) for post in based] == [
            ("a/1", "https://example.net/x/a/1"),
            ("https://e.org/2", "https://e.org/2"),
        ]
        assert [post.url for post in parse(items).posts] == ["", "https://e.org/2"]

    def test_rdf(self) -> None:
        (post,) = parse(RDF).posts
        assert (post.url, post.title, post.published_at) == ("https://example.org/r", "Item", TEN)


class TestJson:
    def test_has_all_that_the_feed_says(self) -> None:
        parsed = parse(JSON)
        first, second = parsed.posts
        assert first == ParsedPost(
            guid="7",
            url="https://example.org/7",
            title="Seven",
            author="Ann, Bob",
            published_at=TEN,
            updated_at=TEN.replace(day=15),
            html="<p>a</p>",
            summary="s",
            tags=("x",),
            media=(
                Media("https://example.org/i.png", "image/*"),
                Media("https://example.org/a.mp3", "audio/mpeg", "sound"),
            ),
        )
        assert (second.guid, second.author) == ("8", "Old")
        assert second.html == "<p>1 &lt; 2<br>next</p><p>last ?</p>"
        assert [failure.name for failure in parsed.failures] == ["item 3"]

    @pytest.mark.parametrize("text", [JSON[:-20], '{"items": 1}', '{"a": [' * 50_000])
    def test_what_is_broken_is_an_error(self, text: str) -> None:
        with pytest.raises(ParseError, match=r"example\.org"):
            parse(text)


class TestNotAFeed:
    def test_a_page_names_its_feed(self) -> None:
        page = (
            "<!DOCTYPE html><html><head><link rel=alternate type=application/rss+xml href=/rss>"
            '<link rel="alternate" hreflang="en" href="/en"><LINK REL="alternate" '
            'TYPE="application/atom+xml" TITLE=Jobs HREF="https://example.org/atom"></head>'
            "<body>an <rss> tag</body></html>"
        )
        with pytest.raises(
            ParseError, match=r"is a web page: .* https://example\.org/rss or https://example\.org/atom"
        ):
            parse(page)

    @pytest.mark.parametrize("text", ["<html><body>hello</body></html>", "hello", "%PDF-1.7", "[]", "<svg/>"])
    def test_anything_else_says_so(self, text: str) -> None:
        with pytest.raises(ParseError, match="is not a feed"):
            parse(text)

    def test_an_empty_answer_says_so(self) -> None:
        with pytest.raises(ParseError, match="is empty"):
            parse("")

    def test_a_feed_beyond_repair_says_so(self) -> None:
        with pytest.raises(ParseError, match="broken feed"):
            parse("<rss version='2.0'><channel><title>a</b><item></channel></rss>")


def rss(inside: str, title: str = "t") -> str:
    return f"<rss version='2.0'><channel><title>{title}</title>{inside}</channel></rss>"


ITEM = "<item><title>one</title><guid>1</guid></item>"


class TestIllFormed:
    @pytest.mark.parametrize(
        ("text", "title"),
        [
            (rss("", "Café&nbsp;&eacute;&hellip;"), "Café\u00a0é…"),
            ("<feed xmlns='http://www.w3.org/2005/Atom'><title>A&nbsp;b</title></feed>", "A\u00a0b"),
            (rss("", "Fish & Chips &nosuch; &AMP; a&b=c"), "Fish & Chips &nosuch; & a&b=c"),
            ("<rss version='2.0'><channel><title>t</title></b></channel></rss>", "t"),
        ],
        ids=["html", "atom", "unknown", "tags"],
    )
    def test_a_feed_may_have_no_post_yet(self, text: str, title: str) -> None:
        assert parse(text) == ParsedSource(title=" ".join(title.split()))

    def test_html_entities_are_characters_in_titles_of_posts(self) -> None:
        title = "<title>Caf&eacute; &lt;&mdash; R&amp;D</title><guid>/?a&b</guid>"
        (post,) = parse(rss(f"<item>{title}</item>")).posts
        assert (post.title, post.guid) == ("Café <— R&D", "/?a&b")

    def test_an_entity_in_cdata_or_escaped_is_that_of_the_html(self) -> None:
        html = "<description><![CDATA[<p>1 &lt; 2&nbsp;&eacute;</p>]]></description>"
        (post,) = parse(rss(f"<item>{html}<title>a&nbsp;b</title></item>")).posts
        assert post.html == "<p>1 &lt; 2&nbsp;é</p>"

    @pytest.mark.parametrize("half", ["&#xD800;", "&#55357;", "&#x110000;", "&#99999999;"])
    def test_a_character_that_does_not_exist_costs_no_post(self, half: str) -> None:
        parsed = parse(rss(f"{ITEM}<item><title>a{half}b&#8;&#0;</title><guid>2</guid></item>"))
        assert [post.title for post in parsed.posts] == ["one", "a\ufffdb"]

    def test_upper_case_tags(self) -> None:
        text = (
            "<RSS VERSION='2.0'><CHANNEL><TITLE>T</TITLE><ITEM><TITLE>one</TITLE>"
            "<LINK>https://example.org/1</LINK><GUID>1</GUID><PUBDATE>Tue, 14 Jul 2026 10:00:00 GMT</PUBDATE>"
            "<DESCRIPTION>&lt;P&gt;x&lt;/P&gt;</DESCRIPTION></ITEM>"
        )
        for end, count in (("</CHANNEL></RSS>", 0), ("<ITEM><TIT", 1)):
            parsed = parse(text + end)
            assert (parsed.title, len(parsed.failures)) == ("T", count)
            assert [(post.guid, post.title, post.html) for post in parsed.posts] == [("1", "one", "<p>x</p>")]
            assert parsed.posts[0].published_at == TEN


class TestDoctype:
    @pytest.mark.parametrize(
        "doctype",
        [
            "<!DOCTYPE html>",
            "<!DOCTYPE rss [<!ENTITY page '<html>]'> <!-- it's a \" --> <!ENTITY feed \"<feed >\">]>",
            "<!DOCTYPE rss [" + '<!ENTITY nbsp "&#160;"> ' * 500 + "]>",
        ],
        ids=["html", "quotes", "long"],
    )
    def test_does_not_hide_the_root_element(self, doctype: str) -> None:
        assert [post.title for post in parse(f"<?xml version='1.0'?>{doctype}\n{rss(ITEM)}").posts] == ["one"]

    def test_says_what_its_entities_are(self) -> None:
        doctype = '<!DOCTYPE rss [<!ENTITY who "Ann"><!ENTITY dash "&#8212;"><!ENTITY b "<b>">]>'
        assert parse(doctype + rss("", "&who; &dash; &b;")).title == "Ann — &b;"

    def test_inside_a_comment_or_a_post_is_none(self) -> None:
        text = "<!-- <!DOCTYPE rss [ -->" + rss(
            "<item><title><![CDATA[a &lt;<!DOCTYPE html>]]></title></item>"
        )
        assert [post.title for post in parse(text).posts] == ["a <"]

    def test_of_a_page_is_no_feed(self) -> None:
        with pytest.raises(ParseError, match="is not a feed"):
            parse("<!DOCTYPE html><p>an <rss> tag")


class TestCutShort:
    @pytest.mark.parametrize(("text", "count"), [(RSS, 3), (ATOM, 2), (RDF, 1)])
    def test_the_complete_posts_stay(self, text: str, count: int) -> None:
        whole = parse(text).posts
        assert len(whole) == count
        for end in ("</item>", "</entry>"):
            if end in text:
                cut = text[: text.rindex(end) + 3]
                parsed = parse(cut)
                assert parsed.posts == whole[:-1]
                assert "cut short" in parsed.failures[0].reason
                parsed = parse(text[: text.rindex(end) + len(end)])
                assert parsed.posts == whole and len(parsed.failures) == 1

    @given(st.integers(RSS.index("<channel>"), len(RSS) - 7))
    @example(RSS.index("<item>") + 5)
    def test_at_any_place_no_half_post_comes(self, cut: int) -> None:
        whole = parse(RSS).posts
        parsed = parse(RSS[:cut])
        assert parsed.posts == whole[: len(parsed.posts)]
        assert len(parsed.failures) == 1

    def test_inside_a_character(self) -> None:
        body = RSS.encode()
        cut = body.index("标".encode()) + 1
        assert len(parse_feed(body[:cut], "", URL).posts) == 2

    def test_an_end_inside_cdata_is_text(self) -> None:
        text = (
            "<rss version='2.0'><channel><item><title>a</title></item><item><description><![CDATA[x</item>y"
        )
        assert [post.title for post in parse(text).posts] == ["a"]


CHINESE = RSS.replace("Short &amp;amp; plain", "大语言模型的微调笔记，写给第一次做的人")


class TestCharset:
    @pytest.mark.parametrize("declared", ["UTF-8", "gb2312", "GBK", "ISO-8859-1", "nonsense"])
    @pytest.mark.parametrize(
        "header", ["", "text/xml; charset=utf-8", "text/xml; charset=gb2312", "x;charset=="]
    )
    @pytest.mark.parametrize("real", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
    def test_a_wrong_declaration_does_no_harm(self, declared: str, header: str, real: str) -> None:
        if declared == "ISO-8859-1" and real == "gb18030":
            return  # every byte is ISO-8859-1, so that cannot be known
        body = CHINESE.replace("UTF-8", declared).encode(real)
        parsed = parse_feed(body, header, URL)
        assert parsed.posts[2].title == "中文标题"
        assert parsed.posts[0].summary == "大语言模型的微调笔记，写给第一次做的人"

    def test_what_gb2312_cannot_say_is_read_as_gb18030(self) -> None:
        body = CHINESE.replace("UTF-8", "gb2312").replace("中文标题", "镕镕龘").encode("gb18030")
        assert parse_feed(body, "", URL).posts[2].title == "镕镕龘"

    @pytest.mark.parametrize(
        ("encoding", "text"),
        [("big5", "對齊不是魔法"), ("iso-8859-1", "café déjà"), ("iso-2022-jp", "日本語")],
    )
    def test_a_right_declaration_is_followed(self, encoding: str, text: str) -> None:
        body = f'<?xml version="1.0" encoding="{encoding}"?><a>{text}</a>'.encode(encoding)
        assert text in decode(body)
        assert text in decode(f"<a>{text}</a>".encode(encoding), f"text/xml; charset={encoding}")

    def test_latin_text_without_declaration_does_not_become_chinese(self) -> None:
        assert decode("<a>Müller café élève</a>".encode("windows-1252")) == "<a>Müller café élève</a>"

    def test_one_broken_character_does_not_spoil_the_rest(self) -> None:
        body = "大语言模型的微调笔记，写给第一次做的人".encode()
        assert decode(body[:7] + body[8:]).endswith("模型的微调笔记，写给第一次做的人")

    @given(st.binary(max_size=200), st.text(max_size=30))
    def test_never_fails(self, body: bytes, content_type: str) -> None:
        decode(body, content_type)

    @given(st.text())
    def test_utf8_is_always_read(self, text: str) -> None:
        assert decode(text.encode()) == text.removeprefix("\ufeff")


class TestArbitraryInput:
    @given(st.text(max_size=100), st.integers(0, len(RSS)), st.integers(0, 40))
    def test_gives_posts_or_a_source_error(self, junk: str, at: int, dropped: int) -> None:
        try:
            parse_feed((RSS[:at] + junk + RSS[at + dropped :]).encode(), "", URL)
        except ParseError as exc:
            assert "\n" not in str(exc)


class OnePage(FakeFetcher):
    """A fetcher that has one body, and nothing new for those who know it."""

    async def fetch(self, url: str, validators: Validators, *, large: bool = False) -> Fetched:
        fresh = Validators(etag='"1"', content_hash="h")
        body = None if validators == fresh else RSS.encode()
        return Fetched(f"{url}/moved", body, "text/xml", fresh, hints=Hints(timedelta(minutes=15)))


def test_a_read_gives_the_new_validators() -> None:
    context = ReadContext(OnePage())
    first = asyncio.run(FeedKind().read(URL, NO_OPTIONS, Validators(), context))
    assert first.parsed is not None and len(first.parsed.posts) == 3
    assert first.validators.etag == '"1"'
    second = asyncio.run(FeedKind().read(URL, NO_OPTIONS, first.validators, context))
    assert (second.parsed, second.validators) == (None, first.validators)
    assert first.hints.interval == second.hints.interval == timedelta(minutes=15)


@given(
    st.lists(
        st.sampled_from(("<p>", "a", "<table>", '<img src="/a.png" alt="a&quot;&lt;b">'))
        | st.sampled_from(("<img src=b.png>", '<img alt="<img>" src="c.png">', '<img src="d.png" width=1>')),
        max_size=6,
    ).map("".join)
)
def test_pictures_are_found_as_a_parser_finds_them(html: str) -> None:
    clean = sanitise(html, URL)
    parsed = [picture_url(image) for image in LexborHTMLParser(clean).css("img")]
    assert [media.url for media in media_of((), clean)] == list(dict.fromkeys(filter(None, parsed)))
