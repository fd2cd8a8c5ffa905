"""Both ways to read a feed, `fastfeed` and feedparser, which must not differ."""

from content.edge import guarded
from content.errors import SourceError
from content.sources import fastfeed
from content.sources.feed import parse_feed
from content.types import ParsedSource

URL = "https://example.org/blog/feed.xml"


def by_feedparser(body: bytes) -> ParsedSource | str:
    """What feedparser makes of a feed, or why it cannot be read."""
    try:
        return guarded(URL, parse_feed, body, "", URL, 500, {}, lambda _text: None)
    except SourceError as exc:
        return str(exc)


def fast(body: bytes) -> ParsedSource | None:
    """The feed as `fastfeed` reads it; None if it leaves the feed to feedparser."""
    reads = []

    def read(text: str) -> fastfeed.Feed | None:
        reads.append(fastfeed.read(text))
        return reads[-1]

    try:
        parsed = guarded(URL, parse_feed, body, "", URL, 500, {}, read)
    except SourceError:
        return None
    return parsed if any(reads) else None


def is_same(body: bytes) -> bool:
    """Whether both read the same, or only feedparser reads it."""
    parsed = fast(body)
    return parsed is None or parsed == by_feedparser(body)
