"""Full text: the article behind a post's link, for feeds that only tease."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from content.changes import MAX_TEXT_CHARACTERS, canonical_url
from content.clean import capped
from content.errors import ParseError, SourceError
from content.fetch import ServerBusy
from content.secrets import printable
from content.sources.charset import decode
from content.sources.kinds import ReadContext
from content.sources.xmlfeed import media_of
from content.text import language, plain_text, sanitise, storable
from content.types import Failure, Media, NewPost, Validators

SHORTEST = 50  # characters of an article; less is what is left of a page without one
SECONDS = 60.0  # for all articles of one read
_MARKUP = re.compile(r"<(?:!doctype html|html|head|body|article|main|div|p)\b", re.IGNORECASE)
_START = 64 * 1024  # characters in which a page shows that it is one
_FORMATS = {"#b": "b", "#i": "em", "#u": "u", "#t": "code", "#sub": "sub", "#sup": "sup"}
_TAGS = {"graphic": "img", "quote": "blockquote", "lb": "br", "row": "tr", "item": "li", "ref": "a"}
_INLINE_IN = ("p", "li", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6", "a", "b", "em", "u", "del")


@dataclass(frozen=True, slots=True)
class Article:
    """The article of a web page: sanitised HTML, its plain text and its pictures."""

    html: str
    text: str
    media: tuple[Media, ...] = ()


@dataclass(slots=True)
class Found:
    """What became of the links of some posts: articles by the guid of their post, and what failed."""

    articles: dict[str, Article] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)


class Articles:
    """Fetches articles, one at a time from each host, whichever sources link to it.

    `seconds` limits the time for all articles of one read.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._hosts = WeakValueDictionary[str, asyncio.Lock]()

    async def of(self, posts: Sequence[NewPost], context: ReadContext) -> Found:
        """The articles that `posts` link to. It raises nothing: what fails is listed."""
        found = Found()
        hosts: dict[str, list[NewPost]] = {}
        for post in posts:
            if canonical_url(post.url):  # a home page is no article
                hosts.setdefault(urlsplit(post.url).hostname or "", []).append(post)
        try:
            async with asyncio.timeout(self._seconds), asyncio.TaskGroup() as group:
                for host, some in hosts.items():
                    group.create_task(self._from_host(host, some, context, found))
        except TimeoutError:
            reason = f"the articles of one read took longer than {self._seconds:g} s: it keeps its teaser"
            found.failures.append(Failure("full text", reason))
        return found

    async def _from_host(
        self, host: str, posts: Sequence[NewPost], context: ReadContext, found: Found
    ) -> None:
        lock = self._hosts.setdefault(host, asyncio.Lock())
        for post in posts:
            try:
                async with lock:
                    found.articles[post.guid] = await _article(post.url, context)
            except SourceError as exc:
                name = post.title or printable(post.url)
                found.failures.append(Failure(name, f"its article could not be got: {exc}"))
                if isinstance(exc, ServerBusy):  # the other articles of this host would only add to that
                    return


async def _article(url: str, context: ReadContext) -> Article:
    """The article at `url`. Raises SourceError."""
    fetched = await context.fetcher.fetch(url, Validators())
    if fetched is None or fetched.body is None:
        raise ParseError("{url} is empty: check the address", url=printable(url))
    return await context.parse(url, extract, fetched.body, fetched.content_type, fetched.url)


def extract(body: bytes, content_type: str, url: str) -> Article:
    """The article of the page in `body`, which was fetched from `url`. Raises ParseError if it has none."""
    page = storable(decode(body, content_type))
    if not _MARKUP.search(page[:_START]):
        raise ParseError("{url} is not a web page", url=printable(url))
    html = capped(sanitise(_main_part(page, url), url))
    text = plain_text(html)[:MAX_TEXT_CHARACTERS]
    if len(text) < SHORTEST:
        raise ParseError("{url} is a web page without an article", url=printable(url))
    return Article(html, text, media_of((), html))


def with_article(post: NewPost, article: Article) -> NewPost:
    """`post` with the body of its article, unless the source itself gave a longer one.

    The hash stays that of the source's own content: an edit of the article is not looked for.
    """
    if len(article.text) <= len(post.text):
        return post
    html = _without_title(article.html, post.title)
    media = {medium.url: medium for medium in (*article.media, *post.media)}
    return replace(
        post,
        html=html,
        text=plain_text(html)[:MAX_TEXT_CHARACTERS],
        language=language(f"{post.title}\n{article.text}"),
        media=tuple(media.values()),
    )


def _without_title(html: str, title: str) -> str:
    """`html` without a heading at its start that repeats the title of the post."""
    found = re.match(r"\s*<(h[1-3])>(.{0,2000}?)</\1>", html, re.DOTALL)
    is_title = found and plain_text(found[2]).casefold() == title.casefold()
    return html[found.end() :].lstrip() if found and is_title else html


def _main_part(page: str, url: str) -> str:
    """The part of an HTML page that is its article, as HTML that is not sanitised; empty if there is none."""
    # Loaded only here, in the process that parses: it takes 0.2 s and 20 MB.
    import trafilatura
    from lxml import etree

    found: Any = trafilatura.bare_extraction(
        page,
        url=url,
        include_comments=False,
        include_formatting=True,
        include_images=True,
        include_links=True,
        include_tables=True,
    )
    if found is None or found.body is None:
        return ""
    for element in list(found.body.iter(etree.Element)):
        _rename(element)
    for element in list(found.body.iter("code")):
        _mark_block(element, etree.Element)
    html: str = etree.tostring(found.body, encoding="unicode", method="html")
    return html


def _rename(element: Any) -> None:
    """Turn an element of trafilatura's own vocabulary, which is that of TEI, into one of HTML."""
    rend = element.get("rend", "")
    match element.tag:
        case "head":
            element.tag = rend if re.fullmatch("h[1-6]", rend) else "h3"
        case "hi":
            element.tag = _FORMATS.get(rend, "span")
        case "list":
            element.tag = "ol" if rend == "ol" else "ul"
        case "cell":
            element.tag = "th" if element.get("role") == "head" else "td"
        case "ref":
            element.set("href", element.get("target", ""))
    element.tag = _TAGS.get(element.tag, element.tag)


def _mark_block(code: Any, new: Any) -> None:
    """Put a block of code into `pre`. trafilatura calls all code `code`, a block of it often twice."""
    parent = code.getparent()
    if parent is None or "pre" in (parent.tag, code.tag):
        return
    if len(code) == 1 and code[0].tag == "code" and not (code.text or "").strip():
        code.tag = "pre"
    elif "\n" in "".join(code.itertext()).strip() or not any(one in _INLINE_IN for one in _around(code)):
        block = new("pre")
        parent.replace(code, block)
        block.tail, code.tail = code.tail, None
        block.append(code)


def _around(element: Any) -> Iterator[str]:
    return (one.tag for one in element.iterancestors())
