"""Find the feed at an address that people have: the feed itself, a page that names it, or a known site.

Requests go out one after another, few in all, and the first feed ends the search.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from urllib.parse import urljoin, urlsplit

from content.errors import ParseError, SourceError, Unreachable, UsageError
from content.fetch import is_passing
from content.i18n import Msgid
from content.secrets import is_public, printable
from content.sources.kinds import LISTING, NO_CHOICE, Choice, Read
from content.sources.pages import NotAFeed, Offer, Page
from content.sources.sites import feeds_at, needs_page
from content.types import NO_OPTIONS, Options, ParsedSource

REQUESTS = 8  # of one search, redirects not counted
SECONDS = 60.0  # of one search
# Where sites have a feed that their pages do not name, the most common first.
USUAL = ("feed", "rss.xml", "atom.xml", "feed.xml", "index.xml", "feed.json", "rss")
_BELOW = ("feed", "index.xml")  # below the page itself, if that is not the home page

NOTHING = ParsedSource()
NO_FEED = Msgid("{url} is a web page without a feed: add {option} to read the posts that it lists")

ReadFeed = Callable[[str], Awaitable[Read]]


class SeveralFeeds(UsageError):
    """The page at `url` names several feeds, and a person has to choose one; those of comments come last."""

    def __init__(self, url: str, feeds: tuple[Offer, ...]) -> None:
        super().__init__("{url} names {count} feeds: add one of them", url=printable(url), count=len(feeds))
        self.url, self.feeds = url, feeds

    def shown(self, feed: Offer) -> str:
        """The address of a feed as it may be shown: it may hold a secret if that of the page does."""
        return feed.url if is_public(self.url) else printable(feed.url)

    def with_key(self, key: str) -> Offer | None:
        return next((feed for feed in self.feeds if feed.key == key), None)


class NoFeed(ParseError):
    """The page at `url` neither names a feed nor has one at a usual address; it may list posts."""

    def __init__(self, url: str) -> None:
        super().__init__(NO_FEED, url=printable(url), option=f"--{LISTING}")
        self.url = url


@dataclass(frozen=True, slots=True)
class Found:
    """The source at an address, with what was read of it.

    `choice` and `options`: how it is read. `page`: the address where the search began, if the source has
    another. `failure`: why it cannot be read now; trying again may help.
    """

    url: str
    parsed: ParsedSource = NOTHING
    choice: Choice = NO_CHOICE
    options: Options = NO_OPTIONS
    page: str = ""
    failure: SourceError | None = None


async def discover(url: str, read: ReadFeed) -> Found:
    """The feed at `url`; `read` reads the feed at an address.

    Raises SourceError if there is none, SeveralFeeds if a page names several.
    """
    try:
        async with asyncio.timeout(SECONDS):
            found = await _Search(read).at(url)
    except TimeoutError as exc:
        raise Unreachable(
            "{url} took longer than {seconds} s: try again later", url=printable(url), seconds=f"{SECONDS:g}"
        ) from exc
    return replace(found, page=url if found.url != url else "")


class _Search:
    """One search, with the requests that are left to it."""

    def __init__(self, read: ReadFeed) -> None:
        self._read, self._left = read, REQUESTS

    async def at(self, url: str) -> Found:
        if found := await self._best(feeds_at(url)):
            return found
        try:
            found = await self._feed(url)
        except NotAFeed as exc:
            if exc.page is None:
                raise
            return await self._on(exc.page, url)
        if found.failure and needs_page(url):
            raise found.failure
        return found

    async def _on(self, page: Page, url: str) -> Found:
        """The feed that a page names, or that its site has at a usual address."""
        if len(page.feeds) > 1:
            raise SeveralFeeds(url, page.feeds)
        if not page.feeds and needs_page(url):  # for instance because YouTube asks for consent first
            raise ParseError(
                "{url} does not tell its channel: give the address with the id of the channel, "
                "like {example}",
                url=printable(url),
                example="https://www.youtube.com/channel/UC…",
            )
        failure: SourceError = NoFeed(url)
        for feed in page.feeds:
            try:
                return await self._feed(feed.url)
            except SourceError as exc:
                failure = exc
        found = await self._guess(dict.fromkeys((*page.links, *_usual(page.url))))
        if found is None:
            raise failure
        return found

    async def _best(self, urls: Iterable[str]) -> Found | None:
        """The first feed that has posts or is to be tried again, or else the first feed."""
        first = None
        for url in urls:
            found = await self._try(url)
            if found and (found.parsed.posts or found.failure):
                return found
            first = first or found
        return first

    async def _guess(self, urls: Iterable[str]) -> Found | None:
        """The first feed among addresses that nobody has named. A server that fails is asked no more."""
        for url in islice(urls, self._left):
            if found := await self._try(url):
                return None if found.failure else found
        return None

    async def _try(self, url: str) -> Found | None:
        """The feed at an address; None if there is none."""
        try:
            return await self._feed(url)
        except SourceError:
            return None

    async def _feed(self, url: str) -> Found:
        """The feed at an address. Raises SourceError if trying again does not help."""
        self._left -= 1
        try:
            return Found(url, (await self._read(url)).parsed or NOTHING)
        except SourceError as exc:
            if not is_passing(exc):
                raise
            return Found(url, failure=exc)


def _usual(url: str) -> Iterator[str]:
    """The addresses at which the site of a page may have its feed."""
    parts = urlsplit(url)
    if path := parts.path.strip("/"):
        below = parts._replace(path=f"/{path}/", query="").geturl()
        yield from (urljoin(below, name) for name in _BELOW)
    yield from (urljoin(url, f"/{name}") for name in USUAL)
