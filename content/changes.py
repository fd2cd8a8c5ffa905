"""Known × parsed → new, changed, unchanged. Pure: the time is an argument."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from content.clean import capped
from content.document import is_web_url
from content.text import language, plain_text
from content.types import KnownPost, NewPost, ParsedPost, ParsedSource

MAX_TEXT_CHARACTERS = 200_000
_TOO_FAR_AHEAD = timedelta(days=1)
_TRACKING = ("utm_", "fbclid", "gclid")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Changes:
    """What a read brought: `new` oldest first, `changed` with their ids, and how many are `unchanged`."""

    new: tuple[NewPost, ...] = ()
    changed: tuple[tuple[int, NewPost], ...] = ()
    unchanged: int = 0


def diff(known: Sequence[KnownPost], parsed: ParsedSource, *, source_url: str, now: datetime) -> Changes:
    """What `parsed` changes for a source of which `known` is stored, tombstones included.

    A post is known by its guid, or, when its guid is new, by its key: a feed that renumbers its posts brings
    nothing new. A known post keeps its key; a tombstone never comes back.
    """
    posts = {post.guid: post for post in reversed(parsed.posts)}
    by_guid = {post.guid: post for post in known}
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
    return Changes(tuple(new), tuple(changed), len(posts) - len(new) - len(changed))


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
