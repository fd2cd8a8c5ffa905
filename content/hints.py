"""What the headers of a response say of how its source wants to be read: how often, and by which hub."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from content.bounds import MAX_URL
from content.text import absolute
from content.types import Hints

# The headers that are read here, in lower case.
HINTING = ("cache-control", "expires", "date", "age", "link")
LONGEST_HINT = timedelta(days=365)  # a longer interval is cut to this
_MAX_LINKS = 16_384  # characters of all Link headers together
_SECONDS = re.compile(r"[0-9]+")
_DIRECTIVE = re.compile(r'([a-z-]+)(?:="?([0-9]+)"?(?=\s*(?:,|$)))?')
_LINK = re.compile(r'<([^<>]*)>((?:[^,"<]|"[^"]*")*)')
_PARAMETER = re.compile(r';\s*([\w*-]+)\s*=\s*(?:"([^"]*)"|([^\s;"]*))')


def header_hints(headers: Mapping[str, str], url: str, now: datetime) -> Hints:
    """The hints of a response of `url`: `headers` by names in lower case, repeated ones joined by a comma."""
    links = _links(headers.get("link", ""), url)
    return Hints(_freshness(headers, now), links.get("hub", ""), links.get("self", ""))


def merged(header: Hints, feed: Hints) -> Hints:
    """The hints of a read: the longer interval, and the hub of the headers before that of the feed."""
    intervals = [hints.interval for hints in (header, feed) if hints.interval is not None]
    return Hints(max(intervals, default=None), header.hub or feed.hub, header.topic or feed.topic)


def _freshness(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """For how long the response stays fresh (RFC 9111, section 4.2); None if it says nothing of that."""
    if "cache-control" not in headers and "expires" not in headers:
        return None
    # The first of two equal directives counts, as the section says.
    directives = dict(reversed(_DIRECTIVE.findall(headers.get("cache-control", "").lower())))
    if "no-cache" in directives or "no-store" in directives:
        return None
    if "max-age" in directives:
        lifetime = _seconds(directives["max-age"]) - _seconds(headers.get("age", ""))
    else:
        date = _date(headers.get("date", "")) or now
        lifetime = (_date(headers.get("expires", "")) or date) - date
    return min(lifetime, LONGEST_HINT) if lifetime > timedelta() else None


def _seconds(value: str) -> timedelta:
    # Twelve digits are more than the longest hint and no overflow.
    value = value.strip()
    return timedelta(seconds=int(value[:12])) if _SECONDS.fullmatch(value) else timedelta()


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _links(value: str, url: str) -> dict[str, str]:
    """The first target of each relation in Link headers (RFC 8288, section 3), as absolute web URLs."""
    found: dict[str, str] = {}
    for target, rest in _LINK.findall(value[:_MAX_LINKS]):
        parameters = {
            name.lower(): quoted or plain for name, quoted, plain in reversed(_PARAMETER.findall(rest))
        }
        resolved = absolute(url, target)
        if "anchor" in parameters or not 0 < len(resolved) <= MAX_URL:  # an anchor: a link of another page
            continue
        for relation in parameters.get("rel", "").lower().split():
            found.setdefault(relation, resolved)
    return found
