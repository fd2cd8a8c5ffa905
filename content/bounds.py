"""Limits on the size of parsed sources, so that no source can fill memory or the database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from content.changes import stored_guid
from content.clean import capped
from content.types import Failure, Media, ParsedPost, ParsedSource

T = TypeVar("T")

MAX_POSTS = 500
MAX_READ = 16 * 1024**2  # characters of HTML in one read
MAX_URL = 4096
MAX_TITLE = 1000
MAX_NAME = 200  # an author, a tag, a media type
MAX_SUMMARY = 20_000
MAX_TAGS = 50
MAX_MEDIA = 50
MAX_FAILURES = 100
_UNDATED = datetime.max.replace(tzinfo=UTC)


def newest(items: Sequence[T], dates: Sequence[datetime | None], limit: int) -> list[T]:
    """The `limit` newest of `items`, in their own order. An item without a date counts as new."""
    if len(items) <= limit:
        return list(items)
    order = sorted(range(len(items)), key=lambda at: dates[at] or _UNDATED, reverse=True)
    return [items[at] for at in sorted(order[:limit])]


def bounded(parsed: ParsedSource, total: int) -> ParsedSource:
    """`parsed` with every text cut to its limit. `total` is the number of posts in the source."""
    posts: list[ParsedPost] = []
    room = MAX_READ
    for post in map(shortened, parsed.posts):
        room -= len(post.html)
        if room < 0:
            break
        posts.append(post)
    failures = tuple(Failure(one.name[:MAX_NAME], one.reason[:500]) for one in parsed.failures[:MAX_FAILURES])
    return replace(
        parsed,
        title=parsed.title[:MAX_TITLE],
        url=_url(parsed.url),
        posts=tuple(posts),
        failures=failures,
        total=total,
        withdrawn=tuple(map(stored_guid, parsed.withdrawn[:MAX_POSTS])),
        present=None if parsed.present is None else tuple(map(stored_guid, parsed.present)),
    )


def shortened(post: ParsedPost) -> ParsedPost:
    """`post` with every text cut to its limit."""
    if _fits(post):
        return post
    return replace(
        post,
        guid=stored_guid(post.guid),
        url=_url(post.url),
        title=post.title[:MAX_TITLE],
        author=post.author[:MAX_NAME],
        html=capped(post.html),
        summary=post.summary[:MAX_SUMMARY],
        tags=tuple(tag[:MAX_NAME] for tag in post.tags[:MAX_TAGS]),
        media=tuple(
            Media(medium.url, medium.type[:MAX_NAME], medium.alt[:MAX_TITLE])
            for medium in post.media[:MAX_MEDIA]
            if _url(medium.url)
        ),
    )


def _fits(post: ParsedPost) -> bool:
    """Whether nothing of a post need be cut, as of nearly every one."""
    return (
        len(post.url) <= MAX_URL
        and len(post.title) <= MAX_TITLE
        and len(post.author) <= MAX_NAME
        and len(post.summary) <= MAX_SUMMARY
        and len(post.tags) <= MAX_TAGS
        and len(post.media) <= MAX_MEDIA
        and max(map(len, post.tags), default=0) <= MAX_NAME
        and all(map(_medium_fits, post.media))
        and stored_guid(post.guid) == post.guid
        and capped(post.html) == post.html
    )


def _medium_fits(medium: Media) -> bool:
    return 0 < len(medium.url) <= MAX_URL and len(medium.type) <= MAX_NAME and len(medium.alt) <= MAX_TITLE


def _url(url: str) -> str:
    """`url`, or an empty text if it is too long: a cut URL would lead elsewhere."""
    return url if len(url) <= MAX_URL else ""
