"""What `scheduler` needs from the outside: the store, the platforms and the clock.

`storage` implements the store, `bot.platforms` the platforms; the tests implement all of them by hand.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from content.document import Document
from content.search import SearchIndex
from content.tokens import IndexedText
from content.types import (
    NO_OPTIONS,
    KnownPost,
    NewPost,
    Options,
    Post,
    PostQuery,
    Source,
    SourceState,
    Visibility,
)
from scheduler.delivery.limits import Limits
from scheduler.types import (
    Broadcast,
    Chat,
    ChatAccess,
    ChatKind,
    ChatState,
    Delivery,
    DeliveryState,
    Digest,
    Draft,
    DraftState,
    Form,
    Headline,
    Message,
    Mode,
    Part,
    Place,
    Progress,
    Sent,
    Subscription,
)


class Clock(Protocol):
    """Time as an argument."""

    def now(self) -> datetime:
        """The present, UTC-aware."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; their zero means nothing."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class Sender(Protocol):
    """Messages out of one platform. `render` is pure; `send` raises `SendError` only.

    What only some platforms can do is a protocol of its own: `Recalls`, `Publishes`.
    """

    @property
    def name(self) -> str: ...

    @property
    def limits(self) -> Limits: ...

    @property
    def deduplicates(self) -> bool:
        """Whether a second send under the same key makes no second message."""
        ...

    def render(self, document: Document, form: Form) -> Sequence[Message]:
        """The document as messages within every limit of the platform."""
        ...

    async def send(self, chat: Chat, message: Message, *, key: str) -> Sent: ...


@runtime_checkable
class Recalls(Protocol):
    """A sender that can look for a message whose outcome is unknown."""

    async def recall(self, chat: Chat, message: Message, since: datetime) -> Sent | None:
        """The message, if it is found to have arrived since then.

        None if it did not, or if a repeated key settles it. Raises SendError if it could not look.
        """
        ...


@runtime_checkable
class Publishes(Protocol):
    """A sender that can pass messages on to those who follow their channel from elsewhere."""

    async def publish(self, sent: Sent) -> None:
        """Pass a message on; a second time does no harm. Raises SendError."""
        ...


class SourceRepository(Protocol):
    async def add(
        self,
        kind: str,
        url: str,
        title: str,
        visibility: Visibility,
        *,
        options: Options = NO_OPTIONS,
        added_by: str = "",
    ) -> Source: ...

    async def count_private(self, *, chat_id: int | None = None, added_by: str | None = None) -> int:
        """How many private feeds there are: that a chat follows, that a person added, or in all."""
        ...

    async def get(self, source_id: int) -> Source | None: ...

    async def by_url(self, url: str) -> Source | None: ...

    async def all(self) -> Sequence[Source]: ...

    async def polled(self) -> Sequence[Source]:
        """All active sources, due or not, except the `updates` sources, which are never polled."""
        ...

    async def visible_to(self, chat_id: int) -> Sequence[Source]:
        """Public sources, those the chat follows, and the examples while it sees no other."""
        ...

    async def due(self, now: datetime) -> Sequence[Source]:
        """Those to be read now, the longest overdue first.

        Not the `updates` sources, which are written to, nor private ones that no chat follows.
        """
        ...

    async def last_read(self) -> datetime | None:
        """When any source that is polled was read last."""
        ...

    async def save(self, source: Source) -> None:
        """Store what a poll or a person changed of it."""
        ...

    async def note_unfollowed(self, now: datetime) -> None:
        """Note of private sources since when no chat follows them; a subscription ends that."""
        ...

    async def unfollowed(self, before: datetime) -> Sequence[Source]:
        """Private sources that no chat has followed since a moment."""
        ...

    async def set_state(self, source_id: int, state: SourceState) -> None: ...

    async def remove(self, source_id: int) -> None:
        """Forget the source, its posts and its subscriptions; what waits must have been cancelled before."""
        ...


class PostRepository(Protocol):
    async def known(self, source_id: int) -> Sequence[KnownPost]:
        """All posts and tombstones of a source."""
        ...

    async def insert(
        self,
        source_id: int,
        posts: Sequence[NewPost],
        now: datetime,
        tokens: Sequence[IndexedText] | None = None,
    ) -> Sequence[int]:
        """Store and index new posts, in order; their ids ascend, also over transactions.

        `tokens`: those of each post, worked out before the transaction; None: there is little text.
        """
        ...

    async def update(
        self, changed: Sequence[tuple[int, NewPost]], tokens: Sequence[IndexedText] | None = None
    ) -> None: ...

    async def still_shown(
        self, source_id: int, tombstones: Sequence[str], now: datetime, forget: datetime
    ) -> None:
        """Note that a source still has the posts of tombstones; forget those that it has not had since."""
        ...

    async def prunable(self, before: datetime, keep: int, limit: int) -> Sequence[tuple[int, int]]:
        """Posts seen before a moment that nobody needs, oldest first: id and characters of each.

        Needed are the newest `keep` of each source, and what still waits for a digest or in the outbox.
        """
        ...

    async def of_source(self, source_id: int, up_to: int, limit: int) -> Sequence[tuple[int, int]]:
        """Some posts of a source, the newest of them `up_to`: id and characters of each."""
        ...

    async def remove(self, ids: Sequence[int]) -> None:
        """Remove posts of a source that goes too."""
        ...

    async def forget(self, ids: Sequence[int], now: datetime) -> int:
        """Put tombstones in the place of posts, but not of those that are needed; returns how many."""
        ...

    async def by_ids(self, ids: Sequence[int], *, chat_id: int | None = None) -> Sequence[Post]:
        """Those that exist, and that the chat may see if one is given, in the order of `ids`."""
        ...

    async def page(self, query: PostQuery) -> tuple[Sequence[Post], int]:
        """The posts asked for, newest first, and how many there are in all."""
        ...

    async def titles(self, query: PostQuery, length: int) -> Sequence[str]:
        """The titles that the posts asked for have, newest first; of each so many characters at most."""
        ...

    async def newest_id(self) -> int: ...


class ChatRepository(Protocol):
    async def get(self, chat_id: int) -> Chat | None: ...

    async def find(self, place: Place) -> Chat | None: ...

    async def ensure(self, place: Place, *, title: str = "", kind: ChatKind | None = None) -> Chat:
        """The chat at that place, made if it is new; a title or kind that is given is taken over.

        A new topic has the access of the chat around it.
        """
        ...

    async def all(self) -> Sequence[Chat]: ...

    async def at(self, platform: str, address: str) -> Sequence[Chat]:
        """The chat of an address and all its topics."""
        ...

    async def set_state(self, chat_id: int, state: ChatState, reason: str) -> None: ...

    async def set_access(self, chat_id: int, access: ChatAccess) -> None:
        """Store what the operator decided; apart from `save`, which may write what was read before."""
        ...

    async def save(self, chat: Chat) -> None:
        """Store how a chat is served: language, time zone, policies."""
        ...

    async def remove(self, chat_ids: Sequence[int]) -> None:
        """Forget chats with all that they follow, were sent, wrote and looked for, and their digests.

        What waits must have been cancelled before.
        """
        ...

    async def move(self, platform: str, old: str, new: str) -> None:
        """Take an address and all its topics to a new one; where the new one has rows, unite them."""
        ...


class SubscriptionRepository(Protocol):
    async def add(self, chat_id: int, source_id: int | None) -> bool:
        """Follow a source (None: all public ones) from the next post on; False if it was followed already."""
        ...

    async def remove(self, chat_id: int, source_id: int | None) -> bool: ...

    async def of(self, chat_id: int) -> Sequence[Subscription]: ...

    async def followed(self, chat_id: int) -> Collection[int]:
        """The ids of the sources that a chat follows: each by its own subscription, public ones by `all`."""
        ...

    async def all(self) -> Sequence[Subscription]: ...

    async def set_mode(self, chat_id: int, mode: Mode) -> int:
        """Let everything that a chat follows come at once, or in its digest; returns how much that is."""
        ...

    async def restart(self, chat_id: int) -> None:
        """Let all subscriptions of a chat begin after the newest post."""
        ...


@dataclass(frozen=True, slots=True)
class PartEnded:
    """What became of a part that was begun. `completed`: the posts that are now wholly in the chat."""

    part: Part
    completed: tuple[int, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Closed:
    """The end of a delivery: its remaining reservations are freed if it is cancelled, else given up."""

    delivery_id: int
    state: DeliveryState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Postponed:
    """A delivery that waits again. `attempts` counts those that failed by a fault of its own."""

    delivery_id: int
    due_at: datetime
    attempts: int
    form: Form
    reason: str = ""


Outcome = PartEnded | Closed | Postponed


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries a person wants to see or retry; None means any."""

    states: Sequence[DeliveryState] | None = None
    chat_id: int | None = None
    broadcast_id: int | None = None
    reason: str | None = None


class OutboxRepository(Protocol):
    async def broadcast(self, broadcast: Broadcast, now: datetime) -> int | None:
        """A new edition without deliveries; returns its id, or None if its slot has run already."""
        ...

    async def skip(self, chat_id: int, posts: Sequence[int], reason: str) -> None:
        """Record posts that a chat is never to be sent."""
        ...

    async def fan_out(self, broadcast_id: int, source: Source, now: datetime) -> int:
        """A delivery, and the reservations for it, for each chat that follows the source at once.

        Reserves only what a chat has not been sent or promised yet. Returns the number of deliveries.
        """
        ...

    async def deliver(self, broadcast_id: int, chat_id: int, now: datetime) -> bool:
        """The same for one chat, whatever it follows; False if nothing was left to reserve."""
        ...

    async def claim(self, platform: str, now: datetime, limit: int, epoch: int) -> Sequence[Delivery]:
        """Take the oldest open delivery of each active chat, as far as it is due, and `limit` of them.

        What was tried before, or had to wait, goes first.
        """
        ...

    async def record(
        self, begins: Sequence[Part], outcomes: Sequence[Outcome], now: datetime, epoch: int
    ) -> Sequence[Part]:
        """Record what happened to parts and deliveries, and write others ahead as `sending`.

        Returns those that may leave: a part of a delivery that was cancelled or taken over is left out.
        """
        ...

    async def recover(self, platform: str, epoch: int) -> Sequence[Delivery]:
        """What was left claimed, by an earlier holder or after a failure: asked for when nobody works on it.

        Parts that were `sending` become unknown, the rest waits again.

        Returns the deliveries that have such a part, still claimed, now by `epoch`.
        """
        ...

    async def rendering(self, key: str) -> Sequence[Message] | None: ...

    async def keep_rendering(self, key: str, broadcast_id: int, messages: Sequence[Message]) -> None: ...

    async def cancel(
        self, reason: str, now: datetime, *, chat_id: int | None = None, source_id: int | None = None
    ) -> int:
        """Close what waits for a chat, of a source, or both, and free what it reserved."""
        ...

    async def postpone_chat(self, chat_id: int, due_at: datetime, reason: str) -> None:
        """Let nothing of a chat become due before `due_at`."""
        ...

    async def find(self, which: DeliveryFilter, limit: int) -> Sequence[Delivery]:
        """The newest of the deliveries that match, newest first."""
        ...

    async def headlines(self, broadcasts: Collection[int]) -> Mapping[int, Headline]: ...

    async def counts(self) -> Mapping[DeliveryState, int]: ...

    async def progress(self, limit: int) -> Sequence[Progress]:
        """The newest `limit` broadcasts and all that are not done, newest first."""
        ...

    async def unknowns(self) -> int:
        """How many parts had an unknown outcome, ever."""
        ...

    async def retry(self, which: DeliveryFilter, now: datetime) -> int:
        """Open failed and held deliveries again."""
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Forget renderings and closed deliveries that ended before, at most so many; the ledger stays."""
        ...


class DigestRepository(Protocol):
    async def of(self, chat_id: int) -> Digest | None:
        """The chat's digest, if it has one."""
        ...

    async def all(self) -> Sequence[Digest]: ...

    async def due(self, now: datetime) -> Sequence[Digest]: ...

    async def save(self, digest: Digest) -> Digest:
        """Store a digest, a new one if its id is 0; a chat has one at most."""
        ...

    async def remove(self, digest_id: int) -> None: ...

    async def waiting(self, chat_id: int, limit: int) -> tuple[Sequence[int], Sequence[int]]:
        """The posts that wait for a chat's digest, oldest first: at most `limit` of them, and the rest."""
        ...

    async def advance(self, chat_id: int, settled_before: datetime) -> None:
        """Let its subscriptions begin later, after posts that were seen before and are in the ledger."""
        ...


class DraftRepository(Protocol):
    async def add(self, draft: Draft) -> Draft: ...

    async def get(self, draft_id: int) -> Draft | None: ...

    async def last_preview(self, chat_id: int, actor: str) -> Draft | None:
        """What somebody wrote last in a chat and has neither confirmed nor discarded."""
        ...

    async def due(self, now: datetime) -> Sequence[Draft]:
        """Scheduled ones whose time has come."""
        ...

    async def scheduled(self) -> Sequence[Draft]: ...

    async def written_since(self, actor: str, since: datetime) -> int:
        """How many drafts somebody has written, whatever became of them."""
        ...

    async def set_state(self, draft_id: int, state: DraftState, *, everywhere: bool | None = None) -> bool:
        """False if it is in that state already, or was published or discarded."""
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Forget drafts made before a moment that are not scheduled, at most so many; returns how many."""
        ...


class LeaseRepository(Protocol):
    async def take(
        self, name: str, holder: str, now: datetime, until: datetime, *, force: bool
    ) -> int | None:
        """Take or renew a lease: its epoch, which grows with each new holder, or None if another holds it.

        `force`: the other holder is known to be dead.
        """
        ...

    async def release(self, name: str, holder: str) -> None: ...


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search whose pages somebody may still turn."""

    id: int
    query: str
    ids: tuple[int, ...]
    total: int


class SearchRepository(Protocol):
    async def save(self, chat_id: int, query: str, ids: Sequence[int], total: int, now: datetime) -> int: ...

    async def get(self, search_id: int, chat_id: int) -> SavedSearch | None:
        """A search that was made in this chat; another chat's does not exist for it."""
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Forget searches made before a moment, at most so many; returns how many."""
        ...


@dataclass(frozen=True, slots=True)
class AuditEntry:
    at: datetime
    actor: str
    action: str
    target: str


class AuditRepository(Protocol):
    async def add(self, actor: str, action: str, target: str, now: datetime) -> None:
        """Record who changed what."""
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Forget what was recorded before a moment, at most so much; returns how much."""
        ...

    async def forget(self, name: str) -> None:
        """Forget what somebody of this name did, and what was recorded of a place of this name."""
        ...

    async def newest(
        self, limit: int, *, since: datetime | None = None, action: str = "", place: Place | None = None
    ) -> Sequence[AuditEntry]:
        """The newest entries, newest first: since a moment, of an action, of a chat."""
        ...


class UnitOfWork(Protocol):
    """One transaction: rolled back unless it was committed."""

    @property
    def sources(self) -> SourceRepository: ...

    @property
    def posts(self) -> PostRepository: ...

    @property
    def index(self) -> SearchIndex: ...

    @property
    def chats(self) -> ChatRepository: ...

    @property
    def subscriptions(self) -> SubscriptionRepository: ...

    @property
    def outbox(self) -> OutboxRepository: ...

    @property
    def digests(self) -> DigestRepository: ...

    @property
    def drafts(self) -> DraftRepository: ...

    @property
    def leases(self) -> LeaseRepository: ...

    @property
    def searches(self) -> SearchRepository: ...

    @property
    def audit(self) -> AuditRepository: ...

    async def commit(self) -> None: ...


class Store(Protocol):
    """Where units of work come from. Neither kind may stay open across network I/O."""

    def read(self) -> AbstractAsyncContextManager[UnitOfWork]: ...

    def write(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A unit of work that may write; writers of one SQLite file wait for each other."""
        ...
