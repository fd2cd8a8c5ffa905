"""What is sent where, and when. Times are UTC-aware; ids are the store's."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from content.formats import DEFAULT, NOTHING, Format, Rich

# A JSON object: what a platform's renderer made and only that platform reads.
Payload = dict[str, Any]


class ChatKind(StrEnum):
    """The kind of a chat: rate limits and permissions depend on it."""

    PRIVATE = "private"
    GROUP = "group"
    CHANNEL = "channel"
    TERMINAL = "terminal"


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` requests in `seconds`, as published; `burst` of them may be sent at once.

    `guard` is the share that is left unused, because the network changes the intervals between requests.
    """

    count: float
    seconds: float = 1.0
    burst: int = 1
    guard: float = 0.04

    @property
    def interval(self) -> float:
        """Seconds between two requests in the long run: no window of `seconds` has more than `count`."""
        return self.seconds / (self.count * (1 - self.guard) - (self.burst - 1))


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a platform: over all chats, and for one address by the kind of chat.

    `reply_burst` replies may be sent to one address at once, although a broadcast would have to wait.
    """

    overall: Rate
    per_chat: Mapping[ChatKind, Rate]
    reply_burst: int = 3


class ChatState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"  # no rights, or its topic is closed: deliveries are kept
    GONE = "gone"  # blocked, kicked, deleted: keeps its settings, is sent nothing


class ChatAccess(StrEnum):
    """What the operator decided about a chat, besides the deployment's access mode."""

    DEFAULT = "default"
    ALLOWED = "allowed"  # may use the bot where it is closed to others
    BANNED = "banned"  # gets no answer and no posts


class Quota(StrEnum):
    """What people may have only a limited number of."""

    CHAT_SOURCES = "private sources of a chat"
    PERSON_SOURCES = "private sources of a person"
    PRIVATE_SOURCES = "private sources in all"
    POSTS_PER_DAY = "updates of a person a day"
    POST_LENGTH = "characters of an update"


class OnUnknown(StrEnum):
    """What happens to a message when nobody knows whether it arrived."""

    RESEND = "resend"  # nothing is lost, a message may be duplicated
    HOLD = "hold"  # nothing is duplicated, a person decides


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chat is on its platform. `topic` is empty if it has none."""

    platform: str
    address: str
    topic: str = ""

    def __str__(self) -> str:
        return f"{self.platform}:{self.address}" + (f"/{self.topic}" if self.topic else "")


@dataclass(frozen=True, slots=True)
class Chat:
    """One place on a platform that can be posted to."""

    id: int
    place: Place
    title: str = ""
    kind: ChatKind = ChatKind.PRIVATE
    language: str = ""  # empty: the deployment's
    timezone: str = ""  # empty: the deployment's
    on_unknown: OnUnknown = OnUnknown.RESEND
    state: ChatState = ChatState.ACTIVE
    reason: str = ""
    crosspost: bool = False  # an announcement channel whose posts are published to those who follow it
    access: ChatAccess = ChatAccess.DEFAULT
    choices: Format = NOTHING
    quiet: str = ""  # its quiet hours in local time, like 22:00-08:00
    quiet_from: datetime | None = None  # when posts begin, or began, to wait for their end
    quiet_until: datetime | None = None

    def is_quiet(self, now: datetime) -> bool:
        """Whether what is sent at once waits: until `quiet_until`, or until the tick after it."""
        return self.quiet_from is not None and self.quiet_from <= now

    def after_quiet(self, instant: datetime) -> datetime:
        """The instant, or the end of the present or next quiet period if it falls into that."""
        return max(instant, self.quiet_until or instant) if self.is_quiet(instant) else instant

    @property
    def format(self) -> Format:
        """Its choices, with the default where it made none. Channels get no rich messages by default."""
        channel = self.kind is ChatKind.CHANNEL
        return self.choices.over(replace(DEFAULT, rich=Rich.OFF) if channel else DEFAULT)

    @property
    def name(self) -> str:
        return self.title or str(self.place)

    @property
    def gets_nothing(self) -> bool:
        """Whether no deliveries are made for it, not even to be sent later."""
        return self.state is ChatState.GONE or self.access is ChatAccess.BANNED


# Until when a subscription is paused that is resumed by a person.
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Subscription:
    """A chat follows a source (None: all public ones), beginning after the post `starts_after`.

    Its posts are sent at once, or with one of the chat's digests. While it is paused, posts after
    `paused_after` are not sent, and not later either. `filter` is the normal text of its filter, empty if
    every post passes.
    """

    id: int
    chat_id: int
    source_id: int | None
    starts_after: int
    choices: Format = NOTHING
    filter: str = ""
    digest_id: int | None = None
    paused_after: int | None = None
    paused_until: datetime | None = None


class WhenEmpty(StrEnum):
    """What a digest does when there are no new posts."""

    SKIP = "skip"
    SAY = "say"


class Rest(StrEnum):
    """What becomes of the posts beyond a digest's maximum."""

    NEVER = "never"  # the newest posts are sent, the others only counted
    NEXT = "next"  # the oldest posts are sent, the others come next time


@dataclass(frozen=True, slots=True)
class Digest:
    """A schedule of a chat: `recurrence` as `timetable` writes it, in local time of `timezone`.

    `name` is unique in the chat. A paused digest does not run; its posts wait.
    """

    id: int
    chat_id: int
    recurrence: str
    timezone: str
    next_run_at: datetime
    last_run_at: datetime | None = None
    title: str = ""
    max_posts: int = 30
    when_empty: WhenEmpty = WhenEmpty.SKIP
    name: str = "1"
    rest: Rest = Rest.NEVER
    paused: bool = False


class DraftState(StrEnum):
    PREVIEW = "preview"  # its writer has not confirmed it yet
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Draft:
    """An update that an admin writes, before it is a post. `everywhere`: for all followers of `updates`."""

    id: int
    chat_id: int
    actor: str
    text: str
    everywhere: bool
    state: DraftState
    due_at: datetime | None  # None: when it is confirmed
    created_at: datetime


class BroadcastKind(StrEnum):
    POST = "post"  # one post, to many chats
    EDITION = "edition"  # many posts in one delivery
    NOTICE = "notice"  # a text of Skywave's own


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What is sent to one or many chats: a post, several posts, or a notice.

    A digest has a `title`, and `more` is the number of posts that were left out. The `body` of a notice is a
    msgid whose fields `values` fill; without values, plain text.
    """

    kind: BroadcastKind
    posts: tuple[int, ...] = ()
    title: str = ""
    more: int = 0
    body: str = ""
    values: Mapping[str, str | int] = field(default_factory=dict)
    digest_id: int | None = None
    slot: datetime | None = None  # the occurrence of the digest (UTC)


class DeliveryState(StrEnum):
    PENDING = "pending"
    CLAIMED = "claimed"
    SENT = "sent"
    FAILED = "failed"
    HELD = "held"
    CANCELLED = "cancelled"


OPEN = (DeliveryState.PENDING, DeliveryState.CLAIMED)


class PartState(StrEnum):
    PENDING = "pending"
    SENDING = "sending"  # committed before the request is sent
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"


class LedgerState(StrEnum):
    RESERVED = "reserved"
    SENT = "sent"
    SKIPPED = "skipped"
    FAILED = "failed"


class Form(StrEnum):
    """How rich a rendering is; each form is the fallback of the one before.

    `RICH` exists only where a sender `HasRichForm`. `RICH_TEXT` is the same without pictures, sound and film.
    """

    RICH = "rich"
    RICH_TEXT = "rich_text"
    FULL = "full"
    NO_MEDIA = "no_media"
    PLAIN = "plain"

    def plainer(self, *, media: bool) -> "Form | None":
        """The form to try when this one is rejected, if any; `media`: only a medium was rejected."""
        match self:
            case Form.RICH:
                return Form.RICH_TEXT if media else Form.FULL
            case Form.RICH_TEXT:
                return Form.FULL
            case Form.FULL if media:
                return Form.NO_MEDIA
            case Form.FULL | Form.NO_MEDIA:
                return Form.PLAIN
            case Form.PLAIN:
                return None


@dataclass(frozen=True, slots=True)
class Message:
    """What one request carries. `posts` are the ids of the posts in it, whole or in part."""

    payload: Payload
    posts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """Where a message is; an album has several ids. `opened`: it opened a thread for the later parts."""

    address: str
    message_ids: tuple[str, ...]
    opened: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One message of one delivery. `n` counts from 0 within (delivery, form)."""

    delivery_id: int
    n: int
    form: Form
    state: PartState
    posts: tuple[int, ...]
    rendering_key: str  # names the rendering that it is a message of
    sent: Sent | None = None
    unknowns: int = 0  # how often its outcome was unknown
    begun_at: datetime | None = None  # when its first attempt began, before it was written ahead


@dataclass(frozen=True, slots=True)
class Delivery:
    """One broadcast to one chat. `posts` are the ids of the posts that are reserved for it, in order.

    `choices` are those of the subscription that it was made for.
    """

    id: int
    broadcast_id: int
    broadcast: Broadcast
    chat: Chat
    state: DeliveryState
    attempts: int
    due_at: datetime
    form: Form = Form.RICH
    reason: str = ""
    posts: tuple[int, ...] = ()
    parts: tuple[Part, ...] = ()
    choices: Format = NOTHING

    @property
    def format(self) -> Format:
        """How it is shown: as the subscription chose, else as the chat did, else by default."""
        return self.choices.over(self.chat.format)

    def with_part(self, part: Part) -> "Delivery":
        """This delivery with a part as it is now."""
        others = (old for old in self.parts if (old.form, old.n) != (part.form, part.n))
        return replace(self, parts=(*others, part))

    def remaining(self, form: Form) -> tuple[int, ...]:
        """The posts to render in a form: all except those that arrived whole in another form."""
        if not self.parts:
            return self.posts
        arrived = set[int]().union(*(self._arrived(other) for other in Form if other is not form))
        return tuple(post for post in self.posts if post not in arrived)

    def _arrived(self, form: Form) -> set[int]:
        """The posts whose parts in a form were all sent, as far as they were begun."""
        sent, unsent = set[int](), set[int]()
        for part in self.parts:
            if part.form is form:
                (sent if part.state is PartState.SENT else unsent).update(part.posts)
        return sent - unsent


@dataclass(frozen=True, slots=True)
class Headline:
    """The name of a broadcast, which is its title or that of its first post, and when it was made."""

    title: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of one broadcast on one platform. `unknown` counts unknown outcomes."""

    broadcast_id: int
    kind: BroadcastKind
    platform: str
    created_at: datetime
    name: str
    sent: int
    pending: int
    failed: int
    cancelled: int
    unknown: int

    @property
    def total(self) -> int:
        return self.sent + self.pending + self.failed + self.cancelled


def part_key(delivery: Delivery, n: int, form: Form) -> str:
    """The same for every attempt at a part, unique to the part; as long as a Discord nonce may be."""
    name = f"{delivery.chat.place}|{delivery.id}|{n}|{form}"
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()[:25]
