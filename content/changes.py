"""Compare parsed posts with the stored ones: which are new, which have changed. Pure: time is an argument."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from content.clean import basic, capped
from content.identity import is_reused, is_same, may_change, opening, repeats
from content.text import language, plain_text, storable
from content.types import Beginning, Derived, KnownPost, Media, NewPost, ParsedPost, ParsedSource
from content.urls import is_web_url

# The index has room for 16,383 tokens of a post, and an English word has about six characters.
MAX_TEXT_CHARACTERS = 100_000
# PostgreSQL limits a B-tree entry, all columns together, to 2,704 bytes.
MAX_GUID_BYTES = 500
# Up to this many new posts in one read are news, whatever their dates: people backdate their posts.
HANDFUL = 5
# A date without a time, or with a wrong time zone, makes a post look older than it is by up to this much.
DATES_ERR = timedelta(days=2)
# A later date is a mistake of the publisher; the post gets the time of the read.
_TOO_FAR_AHEAD = timedelta(days=1)
_TRACKING = ("utm_", "fbclid", "gclid")
# What most URLs of posts are like: nothing in them is spelled in several ways.
_PLAIN_URL = re.compile(r"https?://([a-z0-9][a-z0-9.-]*)(/[A-Za-z0-9/_.~-]*)?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Changes:
    """How the posts of a read differ from the stored ones: `new`, oldest first; `changed`, with their ids.

    `buried` are guids of deleted posts (tombstones) that the source still shows. `withdrawn` and `returned`
    are ids of stored posts that the source has deleted, and of those that it has again. `shown` are ids of
    all stored posts that it has; `again` are those of them that have come under other guids and URLs. `seen`
    are the ids and new raw hashes of posts that have not changed in what counts. `is_incomplete`: a post
    whose body was not parsed is needed after all, so the source has to be read once more without hashes.
    """

    new: tuple[NewPost, ...] = ()
    changed: tuple[tuple[int, NewPost], ...] = ()
    buried: tuple[str, ...] = ()
    withdrawn: tuple[int, ...] = ()
    returned: tuple[int, ...] = ()
    shown: frozenset[int] = field(default=frozenset(), compare=False)
    again: tuple[tuple[int, NewPost], ...] = ()
    seen: tuple[tuple[int, str], ...] = field(default=(), compare=False)
    is_incomplete: bool = False


def diff(known: Sequence[KnownPost], parsed: ParsedSource, *, source_url: str, now: datetime) -> Changes:
    """Compare `parsed` with the `known` posts of a source, which include its tombstones.

    A post is known by its guid. A post with a new guid is known by its key, so that a feed that renumbers its
    posts brings nothing new. A known post keeps its key, and a tombstone never becomes a post again. If two
    posts have the same guid and the same URL (or none), the first one counts. A post that changes all the
    time is not always among the changed ones, see `may_change`.
    """
    by_guid = {stored_guid(post.guid): post for post in known}
    # Where the body was not parsed, or the text derived, all is storable by now.
    storable_posts = [post if post.is_unchanged or post.derived else _storable(post) for post in parsed.posts]
    unique = _with_own_guids(storable_posts, by_guid, source_url)
    posts = {post.guid: post for post in reversed(unique)}
    found = _sorted_out(posts, known, by_guid, source_url, now)
    alive = [(stored_guid(post.guid), post) for post in known if post.id]
    gone = _gone(known, set(posts), parsed)
    return replace(
        found,
        buried=tuple(by_guid[guid].guid for guid in posts if guid in by_guid and not by_guid[guid].id),
        withdrawn=tuple(post.id for guid, post in alive if guid in gone and not post.withdrawn),
        returned=tuple(post.id for guid, post in alive if guid in posts and post.withdrawn),
        shown=frozenset(post.id for guid, post in alive if guid in posts),
    )


def _sorted_out(
    posts: Mapping[str, ParsedPost],
    known: Sequence[KnownPost],
    by_guid: Mapping[str, KnownPost],
    source_url: str,
    now: datetime,
) -> Changes:
    """Which of the posts are new, have changed, or only look different in their source."""
    keys, known_keys = _keys(posts, by_guid, source_url), {post.key for post in known}
    new: list[NewPost] = []
    changed: list[tuple[int, NewPost]] = []
    seen: list[tuple[int, str]] = []
    is_incomplete = False
    for guid, post in posts.items():
        old = by_guid.get(guid)
        if _is_as_it_was(post, old) if old else keys[guid] in known_keys:
            continue
        if post.is_unchanged:
            is_incomplete = True
        elif old is None:
            new.append(_new_post(post, keys[guid], now))
        elif derived_from(post).content_hash == old.content_hash:
            seen += [(old.id, post.raw_hash)] if post.raw_hash else []
        elif may_change(old, now):
            changed.append((old.id, _new_post(post, old.key, now)))
    # `posts` is in reverse order, oldest first; the stable sort keeps that for posts of the same time.
    new.sort(key=lambda post: post.published_at)
    return Changes(tuple(new), tuple(changed), seen=tuple(seen), is_incomplete=is_incomplete)


def _is_as_it_was(post: ParsedPost, old: KnownPost) -> bool:
    """Whether nothing is to be done about a post. A tombstone, of id 0, is neither new nor changed."""
    return not old.id or bool(post.raw_hash and post.raw_hash == old.raw_hash)


def _gone(known: Sequence[KnownPost], shown: Collection[str], parsed: ParsedSource) -> Collection[str]:
    """The guids of posts that the source has deleted.

    A folder without any post is more likely one that is not mounted.
    """
    gone = set(map(stored_guid, parsed.withdrawn))
    if parsed.present:
        gone |= {stored_guid(post.guid) for post in known} - set(map(stored_guid, parsed.present))
    return gone - set(shown)


def _with_own_guids(
    posts: Sequence[ParsedPost], known: Mapping[str, KnownPost], source_url: str
) -> list[ParsedPost]:
    """Give each post a guid of its own: that under which it is stored, if it is.

    A post at the URL of a stored one is that one, whatever its guid is by now, unless the guid of the stored
    one is still used by a post without one. Then its longer guid tells it apart.
    """
    urls = [canonical_url(post.url) for post in posts]
    own = _own_guids(posts, urls, known, source_url)
    guid_at = _guids_by_url(own, urls, known)
    times = Counter(urls)
    stored = [guid_at.get(_hash(url), "") if times[url] == 1 else "" for url in urls]
    kept = {guid for guid, at_url in zip(own, stored, strict=True) if at_url in ("", guid)}
    moved = set(filter(None, stored)) - kept

    def final(guid: str, at_url: str, url: str) -> str:
        if at_url in moved:
            return at_url
        return _longer(guid, url) if guid in moved else guid

    guids = map(final, own, stored, urls)
    pairs = zip(posts, guids, strict=True)
    return [post if post.guid == guid else replace(post, guid=guid) for post, guid in pairs]


def _guids_by_url(
    own: Sequence[str], urls: Sequence[str], known: Mapping[str, KnownPost]
) -> Mapping[str, str]:
    """The guids of stored posts by the hashes of their URLs."""
    by_key = {post.key: guid for guid, post in known.items()}
    if all(guid in known or _hash(url) in by_key for guid, url in zip(own, urls, strict=True)):
        return by_key
    # The key of a post is made of its first URL, and it may have got another one.
    return {key_of_url(post.url): guid for guid, post in known.items() if post.url} | by_key


def _own_guids(
    posts: Sequence[ParsedPost], urls: Sequence[str], known: Mapping[str, KnownPost], source_url: str
) -> list[str]:
    """The guid of each post, with a hash of the URL behind one that several posts have had.

    The post that is stored under the shared guid keeps it. The others keep their longer guids from then on,
    even if the source no longer repeats the guid.
    """
    urls_of: dict[str, set[str]] = {}
    for post, url in zip(posts, urls, strict=True):
        urls_of.setdefault(post.guid, set()).add(url)
    times = Counter(urls)
    hashes = {_hash(url) for url in times}

    def guid(post: ParsedPost, url: str) -> str:
        longer = _longer(post.guid, url)
        if longer in known:
            return longer
        old = known.get(post.guid)
        if not url or (old and old.key == _hash(url)):
            return post.guid
        is_shared = len(urls_of[post.guid] - {""}) > 1
        if old and old.key != _key_of_guid(source_url, post.guid) and times[url] == 1:
            is_shared = is_shared or is_reused(old, post, is_elsewhere=old.key in hashes)
        return longer if is_shared else post.guid

    return list(map(guid, posts, urls))


def _longer(guid: str, url: str) -> str:
    return stored_guid(f"{guid}#{_hash(url)}")


def stored_guid(guid: str) -> str:
    """`guid` as it is stored: one that is too long for an index is cut, and gets a hash of the whole."""
    guid = storable(guid)
    body = guid.encode()
    if len(body) <= MAX_GUID_BYTES:
        return guid
    digest = _hash(guid)
    return f"{body[: MAX_GUID_BYTES - len(digest) - 1].decode('utf-8', 'ignore')}#{digest}"


def _storable(post: ParsedPost) -> ParsedPost:
    """`post` with texts that both databases can store, whatever the parser let through."""
    texts = (post.url, post.title, post.author, post.html, post.summary, *post.tags)
    of_media = (text for medium in post.media for text in (medium.url, medium.type, medium.alt))
    if stored_guid(post.guid) == post.guid and all(storable(text) is text for text in (*texts, *of_media)):
        return post
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


def doubles(found: Changes, known: Sequence[KnownPost]) -> Mapping[str, KnownPost]:
    """The stored posts that new ones may be, by guid: those of a title that the source shows no longer.

    Beside posts that were there before, a new post with the title of an old one is usually news. So the old
    one must have the same date, or be missing among posts that are older.
    """
    if not found.new:
        return {}
    pairs = repeats(found.new, known, found.shown)
    if len(found.new) >= len(found.shown) and 2 * len(pairs) >= len(found.new):
        return pairs
    dates = {post.guid: post.published_at for post in found.new}
    oldest = min(found.shown, default=0)
    return {guid: old for guid, old in pairs.items() if old.id > oldest or old.published_at == dates[guid]}


def renumbered(
    found: Changes, pairs: Mapping[str, KnownPost], beginnings: Mapping[int, Beginning], now: datetime
) -> Changes:
    """The changes, where new posts that are stored ones are changed ones: they get a new guid and URL.

    `beginnings` are those of the stored posts in `pairs`.
    """
    alone = len(found.new) == 1
    same = {
        post.guid: old
        for post in found.new
        if (old := pairs.get(post.guid)) and is_same(post, old, beginnings.get(old.id), alone=alone)
    }
    changed = [
        (old.id, replace(post, key=old.key))
        for post in found.new
        if (old := same.get(post.guid)) and may_change(old, now)
    ]
    return replace(
        found,
        new=tuple(post for post in found.new if post.guid not in same),
        changed=(*found.changed, *changed),
        shown=found.shown | {old.id for old in same.values()},
        again=tuple((same[post.guid].id, post) for post in found.new if post.guid in same),
    )


def with_old_news(
    new: Sequence[NewPost],
    known: Sequence[KnownPost],
    *,
    since: datetime | None,
    now: datetime,
    cut: bool = False,
    again: Sequence[NewPost] = (),
) -> tuple[NewPost, ...]:
    """The new posts of one read, with old news marked. Old news is stored and searchable, but never sent.

    `since` is the time of the last read, None for the first one. `cut` says that this read left older posts
    out. `again` are stored posts that the source has given new guids in this read.

    - All posts of a first read are old news.
    - Up to `HANDFUL` posts are news, unless the read was cut: then older posts appear when newer ones go.
    - Of more posts, those dated before the last read are old news, because the source has opened its archive.
      `DATES_ERR` allows for wrong dates.
    - If most of them are that old, begin like a known post, or came again, the source has moved to a new
      site. Then every post that is dated before the last read, or has no date, is old news. If it has also
      dated its old posts anew, its dates say nothing, and all are old news.

    So after a week without a read, the posts of that week are news.
    """
    if since is None:
        return tuple(replace(post, old_news=True) for post in new)
    if len(new) <= HANDFUL and not cut:
        return tuple(new)
    openings = {post.opening for post in known if post.opening}
    old = [post.published_at < since - DATES_ERR for post in new]
    repeated = [opening(post.title, post.text) in openings for post in new]
    suspicious = len(again) + sum(map(any, zip(old, repeated, strict=True)))
    redated = 2 * sum(since <= post.published_at != now for post in again) > len(again)
    moved = len(new) > HANDFUL and 2 * suspicious > len(new) + len(again)
    if moved:  # a post without a date got the time of this read
        old = [redated or post.published_at < since or post.published_at == now for post in new]
    return tuple(
        replace(post, old_news=True) if is_old else post for post, is_old in zip(new, old, strict=True)
    )


def cut_short(parsed: ParsedSource, kept: int) -> str:
    """A warning that only `kept` posts were read; empty if that is all of them."""
    total = max(parsed.total, len(parsed.posts))
    if kept >= total:
        return ""
    return f"only the newest {kept:,} of {total:,} posts were read: raise SKYWAVE_SOURCE_POSTS to read more"


def _keys(posts: Mapping[str, ParsedPost], known: Mapping[str, KnownPost], source_url: str) -> dict[str, str]:
    """The key of each post, by guid: a hash of its URL, or of its guid if other posts have the same URL."""
    shared = Counter(canonical_url(post.url) for post in posts.values())
    # A stored post keeps its key, even if another post has its URL by now.
    taken = {known[guid].key: guid for guid in posts if guid in known}

    def key(post: ParsedPost) -> str:
        url = canonical_url(post.url)
        by_url = key_of_url(post.url)
        if not url or shared[url] > 1 or taken.get(by_url, post.guid) != post.guid:
            return _key_of_guid(source_url, post.guid)
        return by_url

    return {guid: key(post) for guid, post in posts.items()}


def _key_of_guid(source_url: str, guid: str) -> str:
    return _hash(f"{source_url}\n{guid}")


def key_of_url(url: str) -> str:
    """The key of the post at an address, unless several posts of its source have that one."""
    return _hash(canonical_url(url))


@lru_cache(maxsize=2048)  # the URL of a post is asked for several times
def canonical_url(url: str) -> str:
    """`url` in a form that is equal for all spellings of one address; empty if it is not the URL of a post.

    It ignores http or https, `www.`, the default port, user name, fragment, tracking parameters, the order of
    the other parameters, and a slash at the end. A home page is not the URL of a post.
    """
    if plain := _PLAIN_URL.fullmatch(url):
        path = (plain[2] or "").rstrip("/")
        return f"https://{plain[1].removeprefix('www.')}{path}" if path else ""
    if not is_web_url(url):
        return ""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        return ""
    host = (parts.hostname or "").removeprefix("www.")
    suffix = f":{port}" if port and port != _DEFAULT_PORTS[parts.scheme] else ""
    # Decoding and encoding again makes %7E and ~ equal.
    path = quote(
        unquote(parts.path, errors="surrogateescape").rstrip("/"), safe="/", errors="surrogateescape"
    )
    query = urlencode(sorted(_without_tracking(parts.query)), errors="surrogateescape")
    if not path and not query:
        return ""
    return f"https://{host}{suffix}{path}" + (f"?{query}" if query else "")


def _without_tracking(query: str) -> Iterator[tuple[str, str]]:
    for name, value in parse_qsl(query, keep_blank_values=True, errors="surrogateescape"):
        if not name.lower().startswith(_TRACKING):
            yield name, value


def _hash(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def prepared(parsed: ParsedSource) -> ParsedSource:
    """`parsed` with what is derived from its posts. It takes most of the time of comparing."""
    return replace(parsed, posts=tuple(map(with_derived, parsed.posts)))


def with_derived(post: ParsedPost) -> ParsedPost:
    """`post` with what is derived from it, unless it has that or is unchanged."""
    if post.is_unchanged or post.derived:
        return post
    post = _storable(post)
    return replace(post, derived=derived_from(post))


def derived_from(post: ParsedPost) -> Derived:
    """The text, language and content hash of a post."""
    if post.derived:
        return post.derived
    text = (plain_text(post.html) or post.summary)[:MAX_TEXT_CHARACTERS]
    return Derived(text, language(f"{post.title}\n{text}"), _content_hash(post))


def _new_post(post: ParsedPost, key: str, now: datetime) -> NewPost:
    derived = derived_from(post)
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
        text=derived.text,
        language=derived.language,
        tags=post.tags,
        media=post.media,
        content_hash=derived.content_hash,
        raw_hash=post.raw_hash,
    )


def _content_hash(post: ParsedPost) -> str:
    # JSON separates the fields, so that text moving from one to the next changes the hash.
    return _hash(json.dumps([post.title, basic(post.html), post.url, post.tags]))
