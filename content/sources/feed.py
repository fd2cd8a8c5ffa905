"""Feeds at a URL: RSS, RDF and Atom (`xmlfeed`) and JSON Feed (`jsonfeed`). The content decides which."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from content.bounds import MAX_POSTS, MAX_READ, MAX_URL
from content.changes import prepared
from content.errors import UsageError
from content.hints import merged
from content.secrets import printable
from content.sources import fastfeed
from content.sources.charset import decode
from content.sources.entities import split_doctype
from content.sources.jsonfeed import parse_json
from content.sources.kinds import FULL_TEXT, NO_HASHES, Hashes, Read, ReadContext, Values, is_yes, no_options
from content.sources.xmlfeed import ReadFast, parse_xml
from content.types import Options, ParsedSource, Validators
from content.urls import is_web_url

KIND = "feed"
_FEED_SCHEME = re.compile(r"feed:(//)?(?=https?://)|feed(?=://)", re.IGNORECASE)
_HOST = re.compile(r"(localhost|[\w-]+(\.[\w-]+)*\.[^\W\d_][\w-]*|\d+(\.\d+){3})(:\d+)?([/?#]|$)")
_ROOT = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?(rss|feed|RDF)(?=[\s>/])", re.IGNORECASE)
_PAGE = re.compile(r"<(html|head|body)\b", re.IGNORECASE)
_ELEMENT = re.compile(r"<\w")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


class FeedKind:
    """A feed at an http(s) URL, which may be typed as a `feed:` URL or without a scheme."""

    name = KIND
    upgrades = ()

    def accepts(self, url: str) -> bool:
        return is_web_url(_with_scheme(url))

    def chosen(self, given: Mapping[str, str]) -> Values:
        no_options(self.name, {name: text for name, text in given.items() if name != FULL_TEXT})
        is_full = FULL_TEXT in given and is_yes(FULL_TEXT, given[FULL_TEXT])
        return {FULL_TEXT: True} if is_full else {}

    def normalise(self, url: str) -> str:
        """`url` with a scheme and a lower-case host, without a fragment."""
        full = _with_scheme(url)
        if not is_web_url(full):
            raise UsageError(
                "{url} is not the URL of a feed: give one like https://example.org/feed.xml",
                url=printable(url)[:200],
            )
        parts = urlsplit(full)
        userinfo, at, host = parts.netloc.rpartition("@")
        return urlunsplit((parts.scheme.lower(), userinfo + at + host.lower(), parts.path, parts.query, ""))

    async def read(self, url: str, options: Options, validators: Validators, context: ReadContext) -> Read:
        return await context.one_large_at_a_time(lambda large: self._read(url, validators, context, large))

    async def take(self, url: str, body: bytes, content_type: str, context: ReadContext) -> ParsedSource:
        return await context.parse(url, parse_feed, body, content_type, url, context.max_posts)

    async def _read(self, url: str, validators: Validators, context: ReadContext, large: bool) -> Read:
        fetched = await context.fetcher.fetch(url, validators, large=large)
        moved = self.normalise(fetched.moved) if 0 < len(fetched.moved) <= MAX_URL else ""
        if fetched.body is None:
            return Read(None, fetched.validators, moved, fetched.hints)
        hashes, most = await context.hashes(), context.max_posts
        parsed = await context.parse(
            url, parse_feed, fetched.body, fetched.content_type, fetched.url, most, hashes
        )
        return Read(parsed, fetched.validators, moved, merged(fetched.hints, parsed.hints))


def _with_scheme(url: str) -> str:
    url = _FEED_SCHEME.sub(lambda match: "" if match[0].endswith((":", "/")) else "https", url, count=1)
    return f"https://{url}" if _HOST.match(url) else url


def parse_feed(
    body: bytes,
    content_type: str,
    url: str,
    max_posts: int = MAX_POSTS,
    hashes: Hashes = NO_HASHES,
    read_fast: ReadFast = fastfeed.read,
) -> ParsedSource:
    """Parse the feed in `body`, which was fetched from `url`: its newest posts. Raises ParseError.

    `hashes` are the raw hashes of stored posts by guid.
    """
    # What the posts of a long feed may hold together is limited, also by those that have not changed.
    hashes = hashes if len(body) <= MAX_READ // 8 else NO_HASHES
    return prepared(_parsed(body, content_type, url, max_posts, hashes, read_fast))


def _parsed(
    body: bytes, content_type: str, url: str, max_posts: int, hashes: Hashes, read_fast: ReadFast
) -> ParsedSource:
    # White space before the XML declaration is not valid, but common.
    text = decode(body, content_type).lstrip("\ufeff \t\r\n\0")
    if text.startswith("{"):
        return parse_json(text, url, max_posts, hashes)
    kind, declared, document = split_doctype(text)
    # A page may contain the tags of a feed, in an example for instance: the root element must come first.
    start = _COMMENT.sub("", document[:8192])
    root = _ROOT.search(start)
    page = (_ELEMENT if kind == "html" else _PAGE).search(start)
    if root is None or (page and page.start() < root.start()):
        from content.sources.pages import not_a_feed

        raise not_a_feed(text, url, is_page=page is not None)
    return parse_xml(document, root[1], declared, url, max_posts, hashes, read_fast)
