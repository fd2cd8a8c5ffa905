"""Sources, posts and pages. All times are UTC-aware; ids are those of the database."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter

from content.secrets import printable


class Visibility(StrEnum):
    """Who sees a source: every chat; the chats that follow it; chats that see no other source."""

    PUBLIC = "public"
    PRIVATE = "private"
    EXAMPLE = "example"


UPDATES = "updates"  # the kind of sources that admins write to with /post
OF_OPERATORS = f"{UPDATES}:"  # the URL of the one that all chats can follow
HOOK = "hook"  # the kind of sources whose posts are sent to a webhook


def updates_of(place: str) -> str:
    """The URL of a chat's own updates; `place` is like telegram:-100123/7."""
    return f"{OF_OPERATORS}{place}"


class SourceState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Media:
    """A picture, sound or video of a post. `type` is a MIME type, or empty if the source gives none."""

    url: str
    type: str = ""
    alt: str = ""

    def __reduce__(self) -> tuple[object, ...]:
        return Media, (self.url, self.type, self.alt)


@dataclass(frozen=True, slots=True)
class Derived:
    """What follows from the texts of a parsed post: its plain text, language and content hash."""

    text: str
    language: str
    content_hash: str

    def __reduce__(self) -> tuple[object, ...]:
        return Derived, (self.text, self.language, self.content_hash)


@dataclass(frozen=True, slots=True)
class ParsedPost:
    """One item of a source, as parsed. `html` is sanitised; `title` and `summary` are plain text.

    `raw_hash` is made of the item as the source gives it; empty if that is not known. A post that
    `is_unchanged` had the same one when it was stored: its body was not parsed. Where a post was parsed, what
    is `derived` from it may have been computed, too.
    """

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
    raw_hash: str = field(default="", compare=False)
    is_unchanged: bool = False
    derived: Derived | None = field(default=None, compare=False)

    def __reduce__(self) -> tuple[object, ...]:
        # How posts come from the process that parses: by a dataclass's own way it takes three times as long.
        return ParsedPost, _fields_of_post(self)


_fields_of_post = attrgetter(*(one.name for one in fields(ParsedPost)))


@dataclass(frozen=True, slots=True)
class Failure:
    """An item of a source that could not be read: its name (a file or a guid), and the reason in one line."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Hints:
    """What a source says of how it wants to be read.

    `interval` is the time in which it does not change (`ttl`, `sy:`, cache headers). `hub` is a WebSub hub
    that tells of changes, and `topic` the source's address as the hub knows it.
    """

    interval: timedelta | None = None
    hub: str = ""
    topic: str = ""


NO_HINTS = Hints()


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often and when a source has posted. Newer posts count more in each number.

    `posts` came within `seconds`; both begin as if a source posted once a day. `hours` of the day and `days`
    of the week (UTC, from Monday) count the hours with a post. `last` is the time of the last post, or of the
    first read. `stated` is the interval that the feed itself states, in seconds, 0 without one.
    """

    last: datetime | None = None
    posts: float = 1.0
    seconds: float = 86400.0
    hours: tuple[float, ...] = (0.0,) * 24
    days: tuple[float, ...] = (0.0,) * 7
    stated: float = 0.0


NO_RHYTHM = Rhythm()


@dataclass(frozen=True, slots=True)
class ParsedSource:
    """The result of parsing a source. Posts are in the source's own order, those of a folder newest first.

    `total` is the number of posts that the source has; `posts` may be only the newest of them. `withdrawn`
    are guids of posts that it says it has deleted. `present` are the guids of all that it has, None for a
    source that shows only its newest posts: any other post of it was deleted. `partial`: these are only
    those that have changed, or that it sent by itself; nothing is said of its others.
    """

    title: str = ""
    url: str = ""  # the site's home page, if the source names one
    posts: tuple[ParsedPost, ...] = ()
    failures: tuple[Failure, ...] = ()
    total: int = 0
    withdrawn: tuple[str, ...] = ()
    present: tuple[str, ...] | None = None
    hints: Hints = NO_HINTS
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Validators:
    """Validators of the last read, which make the next one conditional (RFC 9110, sections 8.8 and 13.1)."""

    etag: str = ""
    last_modified: str = ""
    content_hash: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """What a kind has to know of one source besides its URL.

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
    polled_at: datetime | None = None  # last successful read; None: the next read counts as the first
    starts_after: int = 0  # posts up to this id are old news; newer ones have a column for that
    tags: tuple[str, ...] = ()  # its folders in an OPML file, like "Radio/Short wave"
    failures: int = 0  # failed reads in a row
    failing_since: datetime | None = None  # when the first of them was
    trouble_told: bool = False  # its followers know that it fails
    last_error: str = ""
    added_by: str = ""  # the person, like telegram:123; empty: the operator
    read_seconds: float = 0.0  # duration of the last read
    warning: str = ""  # what the last successful read left out, and why
    unread: tuple[Failure, ...] = ()  # items that could not be read then
    rhythm: Rhythm = NO_RHYTHM
    unfollowed_since: datetime | None = None  # None: public, or followed by a chat
    moved_to: str = ""  # target of a permanent redirect
    moved_since: datetime | None = None  # every read since then was redirected there
    pushed_until: datetime | None = None  # until then it tells of new posts, and is polled less

    @property
    def name(self) -> str:
        """The name that people see and type."""
        return self.title or printable(self.url)

    def is_pushed(self, now: datetime) -> bool:
        """Whether it tells of its posts by itself, so that reads only make sure that nothing was missed."""
        return self.pushed_until is not None and self.pushed_until > now


@dataclass(frozen=True, slots=True)
class Post:
    """A stored post. `key` is the same for the same post of another source.

    `withdrawn_at`: since when its source no longer has it, as far as the source says so.
    """

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
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewPost:
    """A post that is ready to be stored, with its key, plain text and language."""

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
    old_news: bool = False  # stored and searchable, but never sent
    raw_hash: str = field(default="", compare=False)  # that of the parsed post


OPENING = 80  # characters by which a post without a title is recognised


@dataclass(frozen=True, slots=True)
class KnownPost:
    """The fields of a stored post that `changes` compares. A tombstone has id 0."""

    id: int
    guid: str
    key: str
    content_hash: str
    opening: str = ""  # its title, or the first characters of its text
    withdrawn: bool = False
    url: str = ""
    published_at: datetime | None = None
    changed_at: datetime | None = None  # when what people see of it last changed
    changes: int = 0  # how often it has changed
    raw_hash: str = ""


@dataclass(frozen=True, slots=True)
class Beginning:
    """The beginning of a post, by which the hits of a search are put in order."""

    id: int
    title: str
    text: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class PostQuery:
    """Which posts to read from the store.

    Only posts of sources that `chat_id` may see are found; None is the operator, who sees every source.
    `anchor` is the highest post id when the view was opened, so that pages do not shift while somebody reads
    them. `offset` and `limit` count posts.
    """

    chat_id: int | None = None
    source_id: int | None = None
    anchor: int | None = None
    offset: int = 0
    limit: int = 11


@dataclass(frozen=True, slots=True)
class Page:
    """One page of posts: page `number` of `pages`, counted from 1, with `total` posts on all pages."""

    posts: tuple[Post, ...]
    number: int
    pages: int
    total: int
    anchor: int


class Rung(StrEnum):
    """How much of a query the hits of a search match."""

    ALL = "all"
    PARTS = "parts"  # all words, but Chinese ones that were typed as one may be apart
    MOST = "most"  # all words but one
    SOME = "some"  # half of the words
    ANY = "any"
    SIMILAR = "similar"  # some of the rare words of another post


@dataclass(frozen=True, slots=True)
class Correction:
    """A word as typed and the word that was looked for instead."""

    typed: str
    meant: str


@dataclass(frozen=True, slots=True)
class Match:
    """How hits match the query of a search: the first `exact` match all of it, the others as `rung` says."""

    rung: Rung = Rung.ALL
    exact: int = 0
    corrections: tuple[Correction, ...] = ()


AS_TYPED = Match()


@dataclass(frozen=True, slots=True)
class Ranking:
    """The hits of a search: post ids, best first, and the total number of hits."""

    total: int
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A post that was found, with the part of its text that fits the query best.

    `spans` are the start and end of each match in the snippet, in order and apart.
    """

    post: Post
    snippet: str = ""
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class SearchResults:
    """One page of search results, best first, and the total number of hits."""

    total: int
    hits: tuple[SearchHit, ...] = ()
    match: Match = AS_TYPED
