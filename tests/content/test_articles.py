"""Full text: what is taken from a page, and how politely articles are fetched."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest
from aiohttp import web

from content.articles import Article, Articles, extract, with_article
from content.edge import guarded
from content.errors import ParseError, SourceError, UsageError
from content.fetch import Fetched, ServerBusy
from content.http import HttpFetcher
from content.sources import ReadContext
from content.sources.feed import FeedKind
from content.types import Media, NewPost, Validators
from tests.content.test_fetch import serving
from tests.fakes import FakeFetcher

URL = "https://example.org/blog/one"
LONG = "A paragraph of an article has enough words that an extractor takes it for one, and some more. "
PAGE = f"""<!doctype html><html><head><title>One - Site</title><script>alert(1)</script></head><body>
<nav><a href="/">Home</a> <a href="/about">About us</a></nav>
<article><h1>One</h1><p>{LONG}With <strong>bold</strong>,
<code>code()</code> and a <a href="../other">link</a>.</p>
<img src="/p.png" alt="A picture" onerror="alert(1)">
<pre><code class="language-python">def f(x):
    return x
</code></pre>
<table><tr><th>Name</th></tr><tr><td>alpha</td></tr></table>
<ol><li>first</li><li>second</li></ol><p>{LONG}</p><p><a href="javascript:alert(1)">{LONG}</a></p></article>
<footer>Copyright, all rights reserved, <a href="/privacy">privacy</a></footer></body></html>"""


def new_post(guid: str = "1", url: str = URL, text: str = "A teaser.", title: str = "One") -> NewPost:
    return NewPost(
        guid=guid,
        key=guid,
        url=url,
        title=title,
        author="",
        published_at=datetime(2026, 7, 14, tzinfo=UTC),
        updated_at=None,
        html=f"<p>{text}</p>",
        text=text,
        language="en",
        tags=(),
        media=(Media("https://example.org/sound.mp3", "audio/mpeg"),),
        content_hash="hash of the teaser",
    )


class TestExtraction:
    def test_links_pictures_code_tables_and_lists_stay(self) -> None:
        article = extract(PAGE.encode(), "text/html; charset=utf-8", URL)
        for kept in (
            '<code>code()</code> and a <a href="https://example.org/other">link</a>',
            '<img src="https://example.org/p.png" alt="A picture">',
            '<pre><code class="language-python">def f(x):\n    return x\n</code></pre>',
            "<tr><th>Name</th></tr><tr><td>alpha</td></tr>",
            "<ol><li>first</li><li>second</li></ol>",
        ):
            assert kept in article.html
        assert article.media == (Media("https://example.org/p.png", "image/*", "A picture"),)
        for left in ("alert", "About us", "Copyright", "javascript"):
            assert left not in article.html
        assert article.text.startswith("One\nA paragraph") and "first\nsecond" in article.text

    def test_the_character_set_is_found_as_in_feeds(self) -> None:
        body = f"<html><body><article><p>{'天波的文章，足够长才像一篇文章。' * 9}</p></article></body></html>"
        assert "天波的文章" in extract(body.encode("gb18030"), "text/html; charset=gb2312", URL).text

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            (b"%PDF-1.7 \x00\x01", "is not a web page"),
            (b"", "is not a web page"),
            (b"<html><body></body></html>", "without an article"),
            (b"<html><body><nav><a href=/>Home</a></nav></body></html>", "without an article"),
        ],
    )
    def test_a_page_without_an_article_is_an_error(self, body: bytes, told: str) -> None:
        with pytest.raises(ParseError, match=rf"https://example\.org/blog/one .*{told}"):
            extract(body, "", URL)

    @pytest.mark.parametrize(
        "body",
        [
            b"<html><p>" + b"\0" * 50_000 + b"</p>",
            b"<html><body>" + b"<div>" * 20_000 + b"text " * 99,
            b"<html><p " + b"a " * 20_000 + b">text</p>",
            b"<html><article><p>\xff\xfe\xed\xa0\x80" + b"text &#0; &#xd800; " * 99,
        ],
        ids=["NUL", "deep", "attributes", "not Unicode"],
    )
    def test_a_hostile_page_becomes_harmless_or_an_error(self, body: bytes) -> None:
        try:
            article = guarded(URL, extract, body, "text/html", URL)
        except SourceError:
            return
        assert "\0" not in article.html and article.html.encode()


class TestPosts:
    ARTICLE = Article(
        "<h1>One</h1><p>The whole article.</p>", "One\nThe whole article.", (Media("https://x/p"),)
    )

    def test_an_article_replaces_the_teaser_and_not_the_hash(self) -> None:
        post = with_article(new_post(), self.ARTICLE)
        assert (post.html, post.text) == ("<p>The whole article.</p>", "The whole article.")
        assert [medium.url for medium in post.media] == ["https://x/p", "https://example.org/sound.mp3"]
        assert post.content_hash == "hash of the teaser"

    def test_a_longer_text_of_the_feed_stays(self) -> None:
        post = new_post(text="The feed has it all. " * 9)
        assert with_article(post, self.ARTICLE) == post


@dataclass
class Site(FakeFetcher):
    """Any page is PAGE. It counts how many requests a host has at once; `hold` keeps them all waiting."""

    open: dict[str, int] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)
    hold: asyncio.Event | None = None

    async def fetch(self, url: str, validators: Validators, *, large: bool = False) -> Fetched:
        host = url.split("/")[2]
        self.calls.append(url)
        self.open[host] = self.open.get(host, 0) + 1
        self.most[host] = max(self.most.get(host, 0), self.open[host])
        await (self.hold.wait() if self.hold else asyncio.sleep(0))
        self.open[host] -= 1
        if url in self.faults:
            raise self.faults[url]
        return Fetched(url, PAGE.encode(), "text/html", Validators())


def posts_at(*urls: str) -> list[NewPost]:
    return [new_post(url, url, title="") for url in urls]


class TestManners:
    async def test_one_article_at_a_time_from_each_host_for_all_sources(self) -> None:
        site, articles = Site(), Articles()
        context = ReadContext(site)
        ours = posts_at("https://a.example/1", "https://a.example/2", "https://b.example/1")
        found = await asyncio.gather(articles.of(ours, context), articles.of(ours, context))
        assert site.most == {"a.example": 1, "b.example": 1}
        assert [len(one.articles) for one in found] == [3, 3]

    async def test_a_busy_host_is_left_alone_and_the_others_are_not(self) -> None:
        site = Site(faults={"https://a.example/1": ServerBusy("busy")})
        posts = posts_at("https://a.example/1", "https://a.example/2", "https://b.example/1")
        found = await Articles().of(posts, ReadContext(site))
        assert list(found.articles) == ["https://b.example/1"]
        assert "https://a.example/2" not in site.calls
        (failure,) = found.failures
        assert (failure.name, failure.reason) == ("https://a.example/1", "its article could not be got: busy")

    async def test_all_articles_of_a_read_share_one_time_limit(self) -> None:
        site = Site(hold=asyncio.Event())
        found = await Articles(seconds=0.01).of(posts_at("https://a.example/1"), ReadContext(site))
        assert not found.articles
        assert (
            found.failures[0].reason
            == "the articles of one read took longer than 0.01 s: it keeps its teaser"
        )

    async def test_a_home_page_and_no_address_are_not_fetched(self) -> None:
        site = Site()
        await Articles().of(posts_at("https://a.example/", "", "mailto:a@b.example"), ReadContext(site))
        assert site.calls == []

    async def test_a_link_that_leads_inside_is_refused(self) -> None:
        async def handler(request: web.Request) -> web.StreamResponse:
            return web.Response(text=PAGE, content_type="text/html")

        fetcher = HttpFetcher()
        async with serving(handler) as canary:
            found = await Articles().of(posts_at(canary.url()), ReadContext(fetcher))
            assert canary.requests == [] and "is not a public address" in found.failures[0].reason
        await fetcher.close()

    async def test_neither_is_a_redirect_that_leads_inside(self) -> None:
        async def away(request: web.Request) -> web.StreamResponse:
            return web.Response(status=302, headers={"Location": "http://127.0.0.2:9/"})

        fetcher = HttpFetcher((ip_network("127.0.0.1/32"),))
        async with serving(away) as server:
            found = await Articles().of(posts_at(server.url("/one")), ReadContext(fetcher))
            assert "127.0.0.2 is not a public address" in found.failures[0].reason
        await fetcher.close()


class TestOption:
    @pytest.mark.parametrize(("typed", "full"), [("", True), ("yes", True), ("on", True), ("no", False)])
    def test_a_feed_has_it(self, typed: str, full: bool) -> None:
        assert FeedKind().chosen({"full-text": typed}) == ({"full-text": True} if full else {})

    def test_a_value_that_is_neither_is_told(self) -> None:
        with pytest.raises(UsageError, match="“perhaps” is not a value of full-text: choose one of yes, no"):
            FeedKind().chosen({"full-text": "perhaps"})
