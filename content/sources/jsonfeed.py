"""JSON Feed 1 and 1.1 (https://www.jsonfeed.org/version/1.1/). Broken items and fields are left out."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import blake2b

from content.bounds import MAX_POSTS, bounded, newest
from content.changes import stored_guid
from content.errors import ParseError
from content.secrets import printable
from content.sources.dates import to_utc
from content.sources.hints import hints
from content.sources.kinds import NO_HASHES, Hashes
from content.sources.xmlfeed import PICTURE, media_of, plain_to_html, raw_hash, unchanged
from content.text import absolute, plain_text, sanitise, storable
from content.types import Failure, Media, ParsedPost, ParsedSource

Object = Mapping[str, object]


def parse_json(text: str, url: str, max_posts: int = MAX_POSTS, hashes: Hashes = NO_HASHES) -> ParsedSource:
    """Parse the JSON feed in `text`, which was fetched from `url`. Raises ParseError.

    A post whose raw hash is in `hashes` under its guid is unchanged.
    """
    try:
        feed = json.loads(text, strict=False)  # which allows control characters in strings
    except (ValueError, RecursionError) as exc:
        raise ParseError(
            "{url} is broken JSON ({reason}): tell its publisher", url=printable(url), reason=str(exc)[:100]
        ) from exc
    return feed_of(feed, url, max_posts, hashes)


def feed_of(feed: object, url: str, max_posts: int = MAX_POSTS, hashes: Hashes = NO_HASHES) -> ParsedSource:
    """The posts of a JSON feed whose JSON was read. Raises ParseError."""
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(feed, dict) or not isinstance(items, list):
        raise ParseError("{url} is not a feed: JSON without the `items` of a JSON Feed", url=printable(url))
    home = _url(feed, "home_page_url", url)
    objects = [item for item in items if isinstance(item, dict)]
    kept = newest(objects, [_published(item) for item in objects], max_posts)
    parsed = ParsedSource(
        title=_string(feed, "title"),
        url=home,
        posts=tuple(_post(item, home or url, hashes) for item in kept),
        failures=tuple(
            Failure(f"item {number}", "is not a JSON object: tell the publisher of the feed")
            for number, item in enumerate(items, 1)
            if not isinstance(item, dict)
        ),
        hints=hints("", "", "", _hub(feed, url), _url(feed, "feed_url", url)),
    )
    return bounded(parsed, len(objects))


def _hub(feed: Object, url: str) -> str:
    """The first hub of the feed that speaks WebSub."""
    hubs = (hub for hub in _list(feed, "hubs") if isinstance(hub, dict))
    return next((_url(hub, "url", url) for hub in hubs if _string(hub, "type").lower() == "websub"), "")


def _published(item: Object) -> datetime | None:
    return to_utc(item.get("date_published")) or to_utc(item.get("date_modified"))


def _post(item: Object, base: str, hashes: Hashes) -> ParsedPost:
    # A post about another page may have only the URL of that page, `external_url`.
    url = _url(item, "url", base) or _url(item, "external_url", base)
    guid = _string(item, "id") or url
    title = " ".join(_string(item, "title").split())
    raw = raw_hash(item, base)
    if guid and hashes.get(stored_guid(guid)) == raw:
        return unchanged(guid, url, title, _published(item), raw)
    html = sanitise(_string(item, "content_html"), url or base) or plain_to_html(
        _string(item, "content_text")
    )
    return ParsedPost(
        guid=guid or blake2b(f"{title}\n{html}".encode(), digest_size=16).hexdigest(),
        url=url,
        title=title,
        author=", ".join(_authors(item)),
        published_at=_published(item),
        updated_at=to_utc(item.get("date_modified")),
        html=html,
        summary=" ".join(plain_text(_string(item, "summary")).split()),
        tags=tuple(
            dict.fromkeys(
                storable(tag).strip() for tag in _list(item, "tags") if isinstance(tag, str) and tag.strip()
            )
        ),
        media=media_of(_attached(item, base), html),
        raw_hash=raw,
    )


def _string(item: Object, name: str) -> str:
    """The text of a field, or an empty one. Numbers count as text, because some feeds have numbers as ids."""
    value = item.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return storable(str(value)).strip()


def _list(item: Object, name: str) -> list[object]:
    value = item.get(name)
    return value if isinstance(value, list) else []


def _url(item: Object, name: str, base: str) -> str:
    value = _string(item, name)
    return absolute(base, value) if value else ""


def _authors(item: Object) -> Iterator[str]:
    for author in (*_list(item, "authors"), item.get("author")):  # version 1 has only `author`
        if isinstance(author, dict) and (name := _string(author, "name")):
            yield name
            if not _list(item, "authors"):
                return


def _attached(item: Object, base: str) -> Iterator[Media]:
    for name in ("image", "banner_image"):
        yield Media(_url(item, name, base), PICTURE)
    for attachment in _list(item, "attachments"):
        if isinstance(attachment, dict):
            yield Media(
                _url(attachment, "url", base), _string(attachment, "mime_type"), _string(attachment, "title")
            )
