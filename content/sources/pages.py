"""What a web page says of its feeds: those that it names in its head, and links that look like feeds."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from urllib.parse import parse_qsl, urlsplit

from selectolax.lexbor import LexborHTMLParser

from content.bounds import MAX_URL
from content.characters import harmless
from content.errors import ParseError
from content.secrets import is_public, printable
from content.sources.sites import told_by
from content.text import absolute, storable

MOST = 8  # feeds of a page
MOST_LINKS = 3  # links that look like feeds
MAX_NAME = 80  # characters
_READ = 500_000  # characters of a page, as nearly all are shorter
_ELEMENTS = 2_000  # tags that are looked at
_CODE = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style|svg)\b.*?(?:</\1|\Z)", re.DOTALL | re.IGNORECASE)
# The limits keep the search short in a page of quotes without an end.
_TAG = re.compile(r"""<(link|a|base)\s((?:"[^"]{0,1000}"|'[^']{0,1000}'|[^"'<>]){1,1000})>""", re.IGNORECASE)
_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml")
_COMMENTS = re.compile(r"comment|评论|評論|留言|комментари|comentari", re.IGNORECASE)
_FORMAT = re.compile(r"\b(?:rss ?\d?|atom|json|rdf|xml|feeds?|index)\b|[\d.]+", re.IGNORECASE)
_LIKE_A_FEED = re.compile(
    r"(?:^|/)(?:feeds?|rss2?|atom)/?$|(?:feed|rss|atom|index)\.xml$|feed\.json$|\.(?:rss|atom|rdf)$"
    r"|[?&](?:feed|format|type|alt)=(?:rss2?|atom|feed)(?:&|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A feed that a page names; `title` may be empty."""

    url: str
    title: str = ""

    @property
    def name(self) -> str:
        return self.title or printable(self.url)

    @property
    def key(self) -> str:
        """Short enough for the data of a button."""
        return blake2b(self.url.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class Page:
    """A web page, with the feeds that it names, those of comments last, and the links that look like feeds.

    `url` is its address after redirects.
    """

    url: str
    feeds: tuple[Offer, ...] = ()
    links: tuple[str, ...] = ()


class NotAFeed(ParseError):
    """The content is no feed. `page` is what it says of its feeds; None if it is no web page either."""

    def __init__(self, message: str, /, page: Page | None = None, **values: str | int) -> None:
        super().__init__(message, **values)
        self.page = page


def not_a_feed(text: str, url: str, *, is_page: bool) -> ParseError:
    """The error for content that is no feed; it names the feeds that a page names."""
    shown = printable(url)
    if not text:
        return ParseError("{url} is empty: check the address", url=shown)
    page = page_of(text, url) if is_page else None
    # If the URL of the page holds a secret, the URLs on it may hold one, too.
    match [one.url if is_public(url) else printable(one.url) for one in page.feeds] if page else []:
        case [feed]:
            return NotAFeed("{url} is a web page: add its feed instead, {feed}", page, url=shown, feed=feed)
        case [feed, other, *_]:
            return NotAFeed(
                "{url} is a web page: add its feed instead, {feed} or {other}",
                page,
                url=shown,
                feed=feed,
                other=other,
            )
    return NotAFeed(
        "{url} is not a feed: look for a link named RSS, Atom or Feed on the site", page, url=shown
    )


def page_of(text: str, url: str) -> Page:
    """What the page in `text`, which was fetched from `url`, says of its feeds."""
    if told := told_by(url, text):
        return Page(url, (Offer(told),))
    tags = list(_tags(text[:_READ]))
    roots = (absolute(url, tag.href) for tag in tags if tag.name == "base")
    base = next(filter(None, roots), url)
    feeds = sorted(_distinct(_named(tags, base)), key=_is_of_comments)
    named = {feed.url for feed in feeds}
    links = [link for link in _like_feeds(tags, base) if link not in named]
    return Page(url, tuple(feeds[:MOST]), tuple(links[:MOST_LINKS]))


def without_code(text: str) -> str:
    """A page without its comments, scripts, styles and drawings, in which nothing is said to readers."""
    return _CODE.sub(" ", text)


@dataclass(frozen=True, slots=True)
class _Tag:
    """A start tag with an address."""

    name: str
    href: str
    rel: str
    type: str
    title: str


def _tags(text: str) -> Iterator[_Tag]:
    """The start tags with addresses. No tree is made, because hostile nesting makes that slow."""
    found = islice(_TAG.finditer(without_code(text)), _ELEMENTS)
    # As elements that hold no others.
    flat = "".join(f"<meta data-tag={tag[1].lower()} {tag[2].rstrip('/')}>" for tag in found)
    for element in LexborHTMLParser(flat).css("meta[href]"):
        given = {name: value or "" for name, value in element.attributes.items()}
        name, href, rel, kind, title = (
            given.get(one, "") for one in ("data-tag", "href", "rel", "type", "title")
        )
        yield _Tag(name, href.strip(), rel.lower(), kind.strip().lower(), title)


def _named(tags: Iterable[_Tag], base: str) -> Iterator[tuple[Offer, str]]:
    """The feeds that the head names, each with its type."""
    for tag in tags:
        if tag.name == "link" and tag.type in _TYPES and "alternate" in tag.rel.split():
            target = absolute(base, tag.href).partition("#")[0]
            if tag.href and 0 < len(target) <= MAX_URL:
                yield Offer(target, " ".join(harmless(storable(tag.title)).split())[:MAX_NAME]), tag.type


def _distinct(named: Iterator[tuple[Offer, str]]) -> list[Offer]:
    """Each feed once, also if the page has it in several formats."""
    found: dict[str, Offer] = {}
    formats: dict[tuple[str, str], set[str]] = {}
    for offer, kind in named:
        known = formats.setdefault((_subject(offer.title), _stem(offer.url)), set())
        if offer.url not in found and (not known or kind in known):
            found[offer.url] = offer
        known.add(kind)
    return list(found.values())


def _subject(title: str) -> str:
    """A title without the words for formats."""
    return " ".join(re.findall(r"\w+", _FORMAT.sub(" ", title).casefold()))


def _stem(url: str) -> str:
    """An address without the words for formats."""
    parts = urlsplit(url)
    query = [value for _, value in parse_qsl(parts.query) if not _FORMAT.fullmatch(value)]
    words = re.findall(r"[^/.]+", _FORMAT.sub("", parts.path))
    return "/".join((parts.netloc, *words, *query))


def _is_of_comments(offer: Offer) -> bool:
    return bool(_COMMENTS.search(f"{offer.title} {urlsplit(offer.url).path}"))


def _like_feeds(tags: Iterable[_Tag], base: str) -> list[str]:
    """The links of a page that look like feeds, those to its own host first."""
    found: list[str] = []
    for tag in tags:
        if tag.name == "a" and len(tag.href) <= MAX_URL and _LIKE_A_FEED.search(tag.href.partition("#")[0]):
            target = absolute(base, tag.href).partition("#")[0]
            if target and target not in found:
                found.append(target)
    host = urlsplit(base).netloc
    return sorted(found, key=lambda target: urlsplit(target).netloc != host)
