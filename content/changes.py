"""Known × parsed → new, changed, unchanged. Pure: the time is an argument."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from content.clean import capped
from content.document import is_web_url
from content.text import language, plain_text, storable
from content.tokens import IndexedText, index_text
from content.types import KnownPost, Media, NewPost, ParsedPost, ParsedSource

# The index has room for 16,383 tokens of a post, and English takes six characters for one.
MAX_TEXT_CHARACTERS = 100_000
# PostgreSQL's B-tree takes 2,704 bytes for all columns of an index together.
MAX_GUID_BYTES = 500
# Up to so many new posts at once are news, whatever their dates: people backdate what they write.
HANDFUL = 5
# Dates without a time and wrong time zones make a post look up to this much older than it is.
DATES_ERR = timedelta(days=2)
OPENING = 80  # characters by which a post without a title is recognised
_TOO_FAR_AHEAD = timedelta(days=1)
_TRACKING = ("utm_", "fbclid", "gclid")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Changes:
    """What a read brought: `new` oldest first, `changed` with their ids, and how many are `unchanged`.

    `buried` are the guids of tombstones that the source still has.
    """

    new: tuple[NewPost, ...] = ()
    changed: tuple[tuple[int, NewPost], ...] = ()
    unchanged: int = 0
    buried: tuple[str, ...] = ()


def diff(known: Sequence[KnownPost], parsed: ParsedSource, *, source_url: str, now: datetime) -> Changes:
    """What `parsed` changes for a source of which `known` is stored, tombstones included.

    A post is known by its guid, or, when its guid is new, by its key: a feed that renumbers its posts brings
    nothing new. A known post keeps its key; a tombstone never comes back. Of posts with one guid and one
    address, or none, the first counts.
    """
    by_guid = {stored_guid(post.guid): post for post in known}
    posts = {post.guid: post for post in reversed(_told_apart([*map(_storable, parsed.posts)], by_guid))}
    by_key = {post.key: post for post in known}
    keys = _keys(posts, by_guid, source_url)
    new: list[NewPost] = []
    changed: list[tuple[int, NewPost]] = []
    for guid, post in posts.items():
        old = by_guid.get(guid)
        if old is None and keys[guid] not in by_key:
            new.append(_new_post(post, keys[guid], now))
        elif old is not None and old.id and _content_hash(post) != old.content_hash:
            changed.append((old.id, _new_post(post, old.key, now)))
    new.sort(key=lambda post: post.published_at)  # stable, and a feed has its newest post first
    buried = tuple(by_guid[guid].guid for guid in posts if guid in by_guid and not by_guid[guid].id)
    return Changes(tuple(new), tuple(changed), len(posts) - len(new) - len(changed), buried)


def _told_apart(posts: Sequence[ParsedPost], known: Mapping[str, KnownPost]) -> list[ParsedPost]:
    """`posts` with a guid for each: one that posts of several addresses have stands for none of them.

    The post that is stored under it keeps it. The others get the address into their guids, and keep those
    when they are alone again.
    """
    addresses: dict[str, set[str]] = {}
    for post in posts:
        addresses.setdefault(post.guid, set()).add(canonical_url(post.url))

    def guid(post: ParsedPost) -> str:
        url = canonical_url(post.url)
        own = stored_guid(f"{post.guid}#{_hash(url)}")
        shared = len(addresses[post.guid] - {""}) > 1
        is_stored = post.guid in known and known[post.guid].key == _hash(url)
        return own if own in known or (shared and url and not is_stored) else post.guid

    return [replace(post, guid=guid(post)) for post in posts]


def stored_guid(guid: str) -> str:
    """`guid` as it is stored. Of a long one, which no index takes, its beginning and a hash of the whole."""
    guid = storable(guid)
    body = guid.encode()
    if len(body) <= MAX_GUID_BYTES:
        return guid
    digest = _hash(guid)
    return f"{body[: MAX_GUID_BYTES - len(digest) - 1].decode('utf-8', 'ignore')}#{digest}"


def _storable(post: ParsedPost) -> ParsedPost:
    """`post` in a form that both databases take, whatever the reader of its source let pass."""
    return replace(
        post,
        guid=stored_guid(post.guid),
        url=storable(post.url),
        title=storable(post.title),
        author=storable(post.author),
        html=storable(post.html),
        summary=storable(post.summary),
        tags=tuple(map(storable, post.tags)),
        media=tuple(Media(storable(m.url), storable(m.type), storable(m.alt)) for m in post.media),
    )


def with_old_news(
    new: Sequence[NewPost],
    known: Sequence[KnownPost],
    *,
    since: datetime | None,
    now: datetime,
    cut: bool = False,
) -> tuple[NewPost, ...]:
    """New posts of one read, those marked that are no news: they are stored and found, but never sent.

    `since`: when the source was last read, None if never; `cut`: this read left older posts out.

    - All that a first read brings is old news.
    - A handful at once is news, unless the read was cut: then older posts come into sight as others go.
    - Of more than that, those dated before the last read are old news: a source shows its archive, or moved.
      They must be so by more than dates are wrong by.
    - If most of them are of that age, or say what a known post says, the source has moved: then everything
      dated before the last read, and everything without a date, is old news.

    So after a week without a read, what is dated in that week is news.
    """
    if since is None:
        return tuple(replace(post, old_news=True) for post in new)
    if len(new) <= HANDFUL and not cut:
        return tuple(new)
    openings = {post.opening for post in known if post.opening}
    old = [post.published_at < since - DATES_ERR for post in new]
    again = [opening(post.title, post.text) in openings for post in new]
    moved = len(new) > HANDFUL and 2 * sum(map(any, zip(old, again, strict=True))) > len(new)
    if moved:  # a post without a date has that of this read
        old = [post.published_at < since or post.published_at == now for post in new]
    return tuple(replace(post, old_news=is_old) for post, is_old in zip(new, old, strict=True))


def opening(title: str, text: str) -> str:
    """What a post is recognised by when guid and address are others: its title, or how its text begins."""
    return title or text[:OPENING]


def cut_short(parsed: ParsedSource, kept: int) -> str:
    """How many of a source's posts were read, if not all."""
    total = max(parsed.total, len(parsed.posts))
    if kept >= total:
        return ""
    return f"{kept:,} of {total:,} posts were read: the newest; SKYWAVE_SOURCE_POSTS sets how many"


def index_all(posts: Sequence[NewPost]) -> list[IndexedText]:
    """The tokens of each post. A long text takes a tenth of a second and more: not on the event loop."""
    return [index_text(post.title, post.text, post.tags) for post in posts]


def _keys(posts: Mapping[str, ParsedPost], known: Mapping[str, KnownPost], source_url: str) -> dict[str, str]:
    """The key of each post, by guid. A URL that several posts have is not the URL of any of them."""
    shared = Counter(canonical_url(post.url) for post in posts.values())
    taken = {known[guid].key: guid for guid in posts if guid in known}

    def key(post: ParsedPost) -> str:
        url = canonical_url(post.url)
        by_url = _hash(url)
        if not url or shared[url] > 1 or taken.get(by_url, post.guid) != post.guid:
            return _hash(f"{source_url}\n{post.guid}")
        return by_url

    return {guid: key(post) for guid, post in posts.items()}


def canonical_url(url: str) -> str:
    """`url` without what does not tell two posts apart, or an empty text when it is not the URL of a post.

    Left out are the difference of http and https, `www.`, default port, user name, fragment, tracking
    parameters, the order of the others, and the slash at the end. A home page is not the URL of a post.
    """
    if not is_web_url(url):
        return ""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        return ""
    host = (parts.hostname or "").removeprefix("www.")
    suffix = f":{port}" if port and port != _DEFAULT_PORTS[parts.scheme] else ""
    path = quote(
        unquote(parts.path, errors="surrogateescape").rstrip("/"), safe="/", errors="surrogateescape"
    )
    query = urlencode(sorted(_telling(parts.query)), errors="surrogateescape")
    if not path and not query:
        return ""
    return f"https://{host}{suffix}{path}" + (f"?{query}" if query else "")


def _telling(query: str) -> Iterator[tuple[str, str]]:
    for name, value in parse_qsl(query, keep_blank_values=True, errors="surrogateescape"):
        if not name.lower().startswith(_TRACKING):
            yield name, value


def _hash(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _new_post(post: ParsedPost, key: str, now: datetime) -> NewPost:
    text = (plain_text(post.html) or post.summary)[:MAX_TEXT_CHARACTERS]
    published = post.published_at
    return NewPost(
        guid=post.guid,
        key=key,
        url=post.url,
        title=post.title,
        author=post.author,
        published_at=now if published is None or published > now + _TOO_FAR_AHEAD else published,
        updated_at=post.updated_at,
        html=capped(post.html),
        text=text,
        language=language(f"{post.title}\n{text}"),
        tags=post.tags,
        media=post.media,
        content_hash=_content_hash(post),
    )


def _content_hash(post: ParsedPost) -> str:
    return _hash(json.dumps([post.title, post.html, post.url, post.tags]))
