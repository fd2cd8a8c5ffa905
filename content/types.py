"""What a source and a post are. Times are UTC-aware, texts are Unicode, ids are the store's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from content.secrets import printable


class Visibility(StrEnum):
    """Who sees a source: everybody, the chats that follow it, or everybody who sees no other."""

    PUBLIC = "public"
    PRIVATE = "private"
    EXAMPLE = "example"


class SourceState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Media:
    """A picture, sound or film that belongs to a post; `type` is a MIME type or empty."""

    url: str
    type: str = ""
    alt: str = ""


@dataclass(frozen=True, slots=True)
class ParsedPost:
    """One item as its source gave it. `html` is sanitised; `summary` and `title` are plain text."""

    guid: str
    url: str = ""
    title: str = ""
    author: str = ""
    published_at: datetime | None = None
    updated_at: datetime | None = None
    html: str = ""
    summary: str = ""
    tags: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """One item of a source that could not be read: its name (a file, a guid) and the reason in one line."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class ParsedSource:
    """All that one read of a source gave, newest post first or in the source's own order.

    `total` counts the posts that the source has; `posts` may be only the newest of them.
    """

    title: str = ""
    url: str = ""  # the site's home page, if the source names one
    posts: tuple[ParsedPost, ...] = ()
    failures: tuple[Failure, ...] = ()
    total: int = 0


@dataclass(frozen=True, slots=True)
class Validators:
    """What makes the next read conditional (RFC 9110, sections 8.8 and 13.1)."""

    etag: str = ""
    last_modified: str = ""
    content_hash: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """What a kind of source has to know of one source beside its URL; no kind has any so far.

    `values` can be written as JSON. `version` is the version of their format, which each kind counts for
    itself.
    """

    version: int = 1
    values: Mapping[str, object] = field(default_factory=dict)


NO_OPTIONS = Options()


@dataclass(frozen=True, slots=True)
class Source:
    """Where posts come from: `kind` is a key of `KINDS`, or `updates`, and decides how it is read.

    `url` is an http(s) URL or a folder's absolute path.
    """

    id: int
    kind: str
    url: str
    title: str = ""
    visibility: Visibility = Visibility.PUBLIC
    state: SourceState = SourceState.ACTIVE
    validators: Validators = Validators()
    options: Options = NO_OPTIONS
    next_poll_at: datetime | None = None
    polled_at: datetime | None = None  # last success; None: never yet, so its posts are old news
    starts_after: int = 0  # up to this post all is old news; later first reads mark their posts themselves
    tags: tuple[str, ...] = ()  # its folders in lists of feeds, like "Radio/Short wave"
    failures: int = 0
    last_error: str = ""
    added_by: str = ""  # the person, like telegram:123; empty: the operator
    read_seconds: float = 0.0  # how long its last read took
    warning: str = ""  # what its last successful read left out, and why
    unread: tuple[Failure, ...] = ()  # what of it could not be read then
    unfollowed_since: datetime | None = None  # None: a chat follows it, or it is public
    moved_to: str = ""  # the address that its server names for good, …
    moved_since: datetime | None = None  # … at every read since then

    @property
    def name(self) -> str:
        """What people see and type."""
        return self.title or printable(self.url)


@dataclass(frozen=True, slots=True)
class Post:
    """One post of the store. `key` is shared with the same post of another source."""

    id: int
    source_id: int
    source_title: str
    guid: str
    key: str
    url: str
    title: str
    author: str
    published_at: datetime
    updated_at: datetime | None
    first_seen_at: datetime
    html: str
    text: str
    language: str
    tags: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()
    content_hash: str = ""


@dataclass(frozen=True, slots=True)
class NewPost:
    """A post that is ready to be stored: parsed, with key, text and language worked out."""

    guid: str
    key: str
    url: str
    title: str
    author: str
    published_at: datetime
    updated_at: datetime | None
    html: str
    text: str
    language: str
    tags: tuple[str, ...]
    media: tuple[Media, ...]
    content_hash: str
    old_news: bool = False  # stored and found, but never sent


@dataclass(frozen=True, slots=True)
class KnownPost:
    """As much of a stored post (or of a tombstone, with id 0) as `changes` needs."""

    id: int
    guid: str
    key: str
    content_hash: str
    opening: str = ""  # its title, or how its text begins


@dataclass(frozen=True, slots=True)
class PostQuery:
    """Which posts a reader may see and wants.

    `chat_id` is the chat that asks (None: the operator, who sees every source); private sources are shown
    only to chats that follow them. `anchor` is the highest post id when the view was opened, so that pages
    do not shift under the reader. `offset` and `limit` count posts.
    """

    chat_id: int | None = None
    source_id: int | None = None
    anchor: int | None = None
    offset: int = 0
    limit: int = 11


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a view: `number` of `pages`, from 1; `total` posts in all pages."""

    posts: tuple[Post, ...]
    number: int
    pages: int
    total: int
    anchor: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """What the index found: post ids, best first, with their scores, and how many there are in all."""

    total: int
    ids: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A post that was found: its score (higher is better, comparable within one answer only)."""

    post: Post
    score: float
    snippet: str = ""


@dataclass(frozen=True, slots=True)
class SearchResults:
    """What a search gave. `relaxed`: nothing matched as asked, these match a looser reading."""

    total: int
    hits: tuple[SearchHit, ...] = field(default=())
    relaxed: bool = False
