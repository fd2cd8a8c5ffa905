"""What `scheduler` needs from outside: the store, the platforms and the clock.

`storage` implements the store, `bot.platforms` the platforms; the tests implement all of them by hand.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from content.formats import Format
from content.search import SearchIndex
from content.tokens import IndexedText
from content.types import (
    AS_TYPED,
    NO_OPTIONS,
    Beginning,
    KnownPost,
    Match,
    NewPost,
    Options,
    Post,
    PostQuery,
    Source,
    SourceState,
    Visibility,
)
from scheduler.history import HistoryRepository
from scheduler.push.pushes import PushRepository
from scheduler.stories import StoryRepository
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
    Limits,
    Message,
    Part,
    Place,
    Progress,
    Sent,
    Subscription,
)

if TYPE_CHECKING:
    from content.document import Document


class Clock(Protocol):
    """Time, so that tests can decide how it passes."""

    def now(self) -> datetime:
        """The current time, UTC-aware."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, counted from an arbitrary moment."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class Sender(Protocol):
    """Messages out of one platform. `render` is pure; `send` raises `SendError` only.

    What only some platforms can do is a protocol of its own: `HasRichForm`, `Recalls`, `Edits`, `Publishes`.
    """

    @property
    def name(self) -> str: ...

    @property
    def limits(self) -> Limits: ...

    @property
    def deduplicates(self) -> bool:
        """Whether a second send under the same key makes no second message."""
        ...

    def render(self, document: "Document", form: Form) -> Sequence[Message]:
        """The document as messages within every limit of the platform."""
        ...

    async def send(self, chat: Chat, message: Message, *, key: str, silent: bool = False) -> Sent:
        """Send a message. `silent`: without a sound, where the platform can do that."""
        ...


@runtime_checkable
class HasRichForm(Protocol):
    """A sender that can send richer messages than its ordinary ones."""

    def prefers_rich(self, document: "Document", chat: Chat) -> bool:
        """Whether a chat should get this document in `Form.RICH`; if not, it gets `Form.FULL`."""
        ...


@runtime_checkable
class Recalls(Protocol):
    """A sender that can look for a message whose outcome is unknown."""

    async def recall(self, chat: Chat, message: Message, since: datetime) -> Sent | None:
        """The message, if it is found to have arrived since then.

        None if it did not, or if a repeated key settles it. Raises SendError if it could not look.
        """
        ...


@runtime_checkable
class Edits(Protocol):
    """A sender that can edit what it has sent."""

    async def rewrite(self, sent: Sent, message: Message) -> None:
        """Replace a message; no error if it shows the same already.

        Raises SendError: ContentRejected if it cannot be edited, for instance because it was deleted.
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
        """The number of private feeds: those a chat follows, those a person added, or all of them."""
        ...

    async def get(self, source_id: int) -> Source | None: ...

    async def by_ids(self, ids: Sequence[int]) -> Sequence[Source]:
        """The sources that exist."""
        ...

    async def by_url(self, url: str) -> Source | None: ...

    async def all(self) -> Sequence[Source]: ...

    async def polled(self) -> Sequence[Source]:
        """All active sources, due or not, except those that are never polled: `updates` and hooks."""
        ...

    async def visible_to(self, chat_id: int) -> Sequence[Source]:
        """Public sources, those the chat follows, and the examples while it sees no other."""
        ...

    async def due(self, now: datetime) -> Sequence[Source]:
        """Sources to be read now, the longest overdue first, and those that a wrong clock has postponed.

        Without `updates` and hooks, which are never polled, and private ones that no chat follows.
        """
        ...

    async def last_read(self) -> datetime | None:
        """When a polled source was last read."""
        ...

    async def save(self, *sources: Source) -> None:
        """Store what polls or a person changed."""
        ...

    async def note_reads(self, reads: Sequence[tuple[Source, Source]]) -> None:
        """Store when sources were read, how long that took and when they are due: each before and after.

        One that is due at another time by now is left alone: a person wants it to be read again.
        """
        ...

    async def note_unfollowed(self, now: datetime) -> None:
        """Record since when private sources have had no follower; a new subscription clears that."""
        ...

    async def unfollowed(self, before: datetime) -> Sequence[Source]:
        """Private sources that have had no follower since before a moment."""
        ...

    async def set_state(self, source_id: int, state: SourceState) -> None: ...

    async def set_pushed(self, source_id: int, until: datetime | None) -> None:
        """Record until when a source tells of its posts. `save` does not, as a read may end meanwhile."""
        ...

    async def remove(self, source_id: int) -> None:
        """Delete the source, its posts and subscriptions. Cancel its waiting deliveries first."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """New posts of a source. Without the tokens of each post they wait to be indexed."""

    source_id: int
    posts: Sequence[NewPost]
    tokens: Sequence[IndexedText] | None = None


class PostRepository(Protocol):
    async def known(self, source_ids: Sequence[int]) -> Mapping[int, Sequence[KnownPost]]:
        """All posts and tombstones of each source."""
        ...

    async def insert(
        self,
        source_id: int,
        posts: Sequence[NewPost],
        now: datetime,
        tokens: Sequence[IndexedText] | None = None,
    ) -> Sequence[int]:
        """Store and index new posts in order; ids ascend, across transactions too.

        `tokens`: the tokens of each post, computed before the transaction; None computes them in it.
        """
        ...

    async def insert_all(self, batches: Sequence[Batch], now: datetime) -> Sequence[Sequence[int]]:
        """Store several batches as `insert` does; returns the ids of each. See also `SearchIndex.waiting`."""
        ...

    async def update(
        self,
        changed: Sequence[tuple[int, NewPost]],
        now: datetime,
        tokens: Sequence[IndexedText] | None = None,
    ) -> None: ...

    async def raw_hashes(self, source_ids: Sequence[int], limit: int) -> Mapping[int, Mapping[str, str]]:
        """The raw hashes of the newest posts that have one, at most `limit` for each source, by guid."""
        ...

    async def set_raw_hashes(self, hashes: Sequence[tuple[int, str]]) -> None:
        """Record what posts look like in their source, by their ids."""
        ...

    async def rename(self, guids: Mapping[int, str]) -> None:
        """Give posts other guids, by their ids. The guids are new to their source."""
        ...

    async def set_withdrawn(self, ids: Sequence[int], withdrawn: bool, now: datetime) -> None:
        """Record that a source has deleted posts, or has them again."""
        ...

    async def still_shown(
        self, source_id: int, tombstones: Sequence[str], now: datetime, forget: datetime
    ) -> None:
        """Record that a source still shows posts of tombstones; delete tombstones not seen since `forget`."""
        ...

    async def prunable(self, before: datetime, keep: int, limit: int) -> Sequence[tuple[int, int]]:
        """Posts seen before a moment that nothing needs, oldest first: id and characters of each.

        Needed are the newest `keep` posts of each source, and posts that wait for a digest or in the outbox.
        """
        ...

    async def of_source(self, source_id: int, up_to: int, limit: int) -> Sequence[tuple[int, int]]:
        """At most `limit` posts of a source with ids up to `up_to`: id and characters of each."""
        ...

    async def remove(self, ids: Sequence[int]) -> None:
        """Delete posts of a source that is being deleted."""
        ...

    async def forget(self, ids: Sequence[int], now: datetime) -> int:
        """Replace posts by tombstones, except those that are needed; returns how many."""
        ...

    async def by_ids(self, ids: Sequence[int], *, chat_id: int | None = None) -> Sequence[Post]:
        """The posts that exist, in the order of `ids`; only those that a given chat may see."""
        ...

    async def beginnings(self, ids: Sequence[int], length: int) -> Sequence[Beginning]:
        """The beginnings of the posts that exist, in the order of `ids`: `length` characters of each."""
        ...

    async def page(self, query: PostQuery) -> tuple[Sequence[Post], int]:
        """One page of a query's posts, newest first, and their total number."""
        ...

    async def titles(self, query: PostQuery, length: int) -> Sequence[str]:
        """The titles of a query's posts, newest first, each cut to `length` characters."""
        ...

    async def newest_id(self) -> int: ...


class ChatRepository(Protocol):
    async def get(self, chat_id: int) -> Chat | None: ...

    async def find(self, place: Place) -> Chat | None: ...

    async def ensure(self, place: Place, *, title: str = "", kind: ChatKind | None = None) -> Chat:
        """The chat at that place, created if it is new; a given title or kind is stored.

        A new topic starts with the access of the chat around it.
        """
        ...

    async def all(self) -> Sequence[Chat]: ...

    async def page(self, offset: int, limit: int) -> tuple[Sequence[Chat], int]:
        """Some of the chats, the newest first, and how many there are."""
        ...

    async def accesses(self) -> Mapping[ChatAccess, int]:
        """How many chats have each access."""
        ...

    async def at(self, platform: str, address: str) -> Sequence[Chat]:
        """The chat of an address and all its topics."""
        ...

    async def set_state(self, chat_id: int, state: ChatState, reason: str) -> None: ...

    async def set_access(self, chat_id: int, access: ChatAccess) -> None:
        """Store what the operator decided. `save` does not, for it may write an older state of the chat."""
        ...

    async def save(self, chat: Chat) -> None:
        """Store the settings of a chat: language, time zone, policies."""
        ...

    async def set_choices(self, chat_id: int, choices: Format) -> None:
        """Store how a chat wants its posts. `save` does not, for it may write an older state of the chat."""
        ...

    async def set_quiet(
        self, chat_id: int, quiet: str, quiet_from: datetime | None, quiet_until: datetime | None
    ) -> None:
        """Store the quiet hours of a chat, and the period that lasts or comes next."""
        ...

    async def quiet_until(self, now: datetime) -> Sequence[Chat]:
        """Chats whose quiet period has ended by now."""
        ...

    async def remove(self, chat_ids: Sequence[int]) -> None:
        """Delete chats with their subscriptions, digests, deliveries, drafts, searches and ledger.

        Cancel their waiting deliveries first.
        """
        ...

    async def move(self, platform: str, old: str, new: str) -> None:
        """Move an address and all its topics to a new one; where that has rows already, unite them."""
        ...


class SubscriptionRepository(Protocol):
    async def add(self, chat_id: int, source_id: int | None, starts_after: int | None = None) -> bool:
        """Subscribe to a source (None: all public ones) from the next post on; False if it was already.

        It joins the digest of the subscription to all; else the chat's first if nothing is sent at once.
        """
        ...

    async def remove(self, chat_id: int, source_id: int | None) -> bool: ...

    async def of(self, chat_id: int) -> Sequence[Subscription]: ...

    async def followed(self, chat_id: int) -> Collection[int]:
        """The ids of the sources that a chat follows: each by its own subscription, public ones by `all`."""
        ...

    async def have_followers(self, source_ids: Collection[int]) -> Collection[int]:
        """The ids of those sources that a chat may follow: others need no fan-out."""
        ...

    async def all(self) -> Sequence[Subscription]: ...

    async def assign(self, ids: Collection[int], digest_id: int | None) -> None:
        """Put subscriptions into a digest of their chat; None: their posts are sent at once."""
        ...

    async def set_choices(self, chat_id: int, source_id: int | None, choices: Format) -> None:
        """Store how a chat wants the posts of a subscription."""
        ...

    async def restart(self, ids: Collection[int], seen_before: datetime | None = None) -> None:
        """Let subscriptions start after the newest post, or after the newest seen before a moment."""
        ...

    async def pause(self, ids: Collection[int], until: datetime) -> None:
        """Pause subscriptions after the newest post, or go on with their present pause."""
        ...

    async def resume(self, ids: Collection[int]) -> None:
        """End the pause of subscriptions; what came in between has to be skipped before."""
        ...

    async def paused_until(self, now: datetime) -> Sequence[Subscription]:
        """Subscriptions whose pause has ended by now."""
        ...


class FilterRepository(Protocol):
    async def keep(self, text: str, now: datetime) -> int:
        """The id of a filter by its normal text; it is stored if it is new."""
        ...

    async def text(self, filter_id: int) -> str | None: ...

    async def choose(self, chat_id: int, source_id: int | None, filter_id: int | None, now: datetime) -> None:
        """Give a subscription a filter, or none, from the next post on."""
        ...

    async def of_followers(self, source: Source) -> Mapping[int, str]:
        """The texts, by id, of all filters that posts of a source may have to pass."""
        ...

    async def are_used(self) -> bool:
        """Whether any subscription has a filter."""
        ...

    async def reject(self, post_id: int, why: Mapping[int, str]) -> None:
        """Record which filters a post did not pass, each with the condition that it failed."""
        ...

    async def waiting(self, chat_id: int, source_id: int | None) -> Sequence[int]:
        """The posts that a subscription has for the next digest, whatever its filter says, oldest first."""
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Delete verdicts about posts seen before a moment, and filters not used since, at most `limit`.

        Verdicts about posts that wait for a digest stay.
        """
        ...


class EndingRepository(Protocol):
    """Subscriptions that a chat ended, so that this can be undone."""

    async def keep(self, chat_id: int, ids: Collection[int], now: datetime) -> int:
        """Store subscriptions as they are, before they are removed; returns the number of the ending."""
        ...

    async def restore(self, chat_id: int, number: int) -> int | None:
        """Restore the subscriptions of an ending, once; returns how many. None if it is not known.

        Those are left out whose source is gone, or that the chat has again.
        """
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Delete endings from before a moment, at most `limit`; returns how many."""
        ...


@dataclass(frozen=True, slots=True)
class PartEnded:
    """What became of a part that was begun. `completed`: the posts that are now wholly in the chat."""

    part: Part
    completed: tuple[int, ...] = ()
    reason: str = ""

    @property
    def delivery_id(self) -> int:
        return self.part.delivery_id


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
    """Which deliveries to show or retry; None means any."""

    states: Sequence[DeliveryState] | None = None
    chat_id: int | None = None
    broadcast_id: int | None = None
    reason: str | None = None


class OutboxRepository(Protocol):
    async def broadcast(self, broadcast: Broadcast, now: datetime) -> int | None:
        """Store a broadcast without deliveries; returns its id, None if its digest slot has run already."""
        ...

    async def skip(self, chat_id: int, posts: Sequence[int], reason: str) -> None:
        """Record in the ledger that a chat will not be sent these posts."""
        ...

    async def fan_out(self, broadcast_id: int, source: Source, now: datetime) -> int:
        """Add a delivery, with its reservations, for each chat whose subscription is instant.

        Reserves only posts that passed the subscription's filter and that the chat's ledger does not have
        yet. Returns the number of deliveries.
        """
        ...

    async def deliver(self, broadcast_id: int, chat_id: int, now: datetime) -> bool:
        """The same for one chat, whatever it follows; False if there was nothing to reserve."""
        ...

    async def tell_followers(self, broadcast_id: int, source_id: int, now: datetime) -> None:
        """Make deliveries of a notice for the chats that subscribed to this source and did not pause it.

        It waits for the end of a chat's quiet hours.
        """
        ...

    async def claim(self, platform: str, now: datetime, limit: int, epoch: int) -> Sequence[Delivery]:
        """Claim at most `limit` deliveries that are due: the oldest open one of each active chat.

        Deliveries that were tried before, or had to wait, go first.
        """
        ...

    async def record(
        self, begins: Sequence[Part], outcomes: Sequence[Outcome], now: datetime, epoch: int
    ) -> Sequence[Part]:
        """Record outcomes, and write the parts that begin ahead as `sending`.

        Returns the parts that may be sent: not those of a delivery that was cancelled or taken over.
        """
        ...

    async def recover(self, platform: str, epoch: int) -> Sequence[Delivery]:
        """Reset deliveries of a dead process; call only while no dispatcher runs.

        Parts that were `sending` become unknown, and all other claimed deliveries wait again. Returns the
        deliveries that have an unknown part; they stay claimed, now by `epoch`.
        """
        ...

    async def rendering(self, key: str) -> Sequence[Message] | None: ...

    async def keep_rendering(self, key: str, broadcast_id: int, messages: Sequence[Message]) -> None: ...

    async def cancel(
        self, reason: str, now: datetime, *, chat_id: int | None = None, source_id: int | None = None
    ) -> int:
        """Cancel the open deliveries of a chat, of a source, or of both, and free their reservations."""
        ...

    async def postpone_chat(self, chat_id: int, due_at: datetime, reason: str) -> None:
        """Set when the waiting deliveries of a chat are due."""
        ...

    async def find(self, which: DeliveryFilter, limit: int) -> Sequence[Delivery]:
        """The newest matching deliveries, newest first."""
        ...

    async def headlines(self, broadcasts: Collection[int]) -> Mapping[int, Headline]: ...

    async def counts(self) -> Mapping[DeliveryState, int]: ...

    async def progress(self, limit: int) -> Sequence[Progress]:
        """The newest `limit` broadcasts and all unfinished ones, newest first."""
        ...

    async def unknowns(self) -> int:
        """How many outcomes were ever unknown."""
        ...

    async def retry(self, which: DeliveryFilter, now: datetime) -> int:
        """Reopen failed and held deliveries; returns how many."""
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Delete unused renderings and deliveries closed before a moment, at most `limit`; not the ledger."""
        ...


@dataclass(frozen=True, slots=True)
class EditLimits:
    """When messages are edited, and how often at most.

    `age`: after a message was sent, how long it may be edited. `quiet`: how long its posts must not have
    changed. `of_chat`: edits of a chat in an `hour`; `of_delivery`: edits of a delivery in all.
    """

    age: timedelta = timedelta(hours=48)
    quiet: timedelta = timedelta(minutes=1)
    hour: timedelta = timedelta(hours=1)
    of_chat: int = 20
    of_delivery: int = 10


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit of a delivery's messages to a `version`, the time at which its posts had last changed.

    `shown` has a hash of each message that shows this version, in order. `reason`: why its messages cannot
    be edited any more.
    """

    delivery_id: int
    version: datetime
    shown: tuple[str, ...] = ()
    done: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stale:
    """A delivery whose messages show less than `version` of their posts, with its edits so far."""

    delivery: Delivery
    version: datetime
    edits: tuple[Edit, ...] = ()


class EditRepository(Protocol):
    async def stale(
        self, platform: str, now: datetime, limits: EditLimits, limit: int, without: Collection[int]
    ) -> Sequence[Stale]:
        """Deliveries whose messages are to be edited now, at most `limit`, those that wait longest first.

        Leaves out chats for which a delivery waits, and the deliveries `without`.
        """
        ...

    async def may_edit(self, chat_id: int, now: datetime, limits: EditLimits) -> bool:
        """Whether no delivery waits for a chat, and it had fewer edits than an hour may have."""
        ...

    async def record(self, chat_id: int, edit: Edit, now: datetime) -> None:
        """Store an edit, in the place of an earlier state of it; nothing if its delivery is gone."""
        ...


class DigestRepository(Protocol):
    async def of(self, chat_id: int) -> Sequence[Digest]:
        """The digests of a chat, the oldest first."""
        ...

    async def get(self, digest_id: int) -> Digest | None: ...

    async def all(self) -> Sequence[Digest]: ...

    async def due(self, now: datetime) -> Sequence[Digest]:
        """Digests that run by now, without the paused ones."""
        ...

    async def save(self, digest: Digest) -> Digest:
        """Store a digest, as a new one if its id is 0."""
        ...

    async def remove(self, digest_id: int) -> None:
        """Delete a digest; the posts of its subscriptions are sent at once."""
        ...

    async def waiting(self, digest: Digest, subscriptions: Collection[int] | None = None) -> Sequence[int]:
        """The posts that wait for a digest, oldest first; only those of some subscriptions, if given."""
        ...

    async def held(self, chat_id: int) -> Sequence[int]:
        """The posts that wait for the end of a chat's quiet hours, oldest first."""
        ...

    async def unsent(self, chat_id: int) -> Sequence[int]:
        """The posts that wait for any digest of a chat, or for the end of its quiet hours."""
        ...

    async def paused(self, subscription: Subscription) -> Sequence[int]:
        """The posts that came since a subscription was paused."""
        ...

    async def advance(self, digest_id: int, settled_before: datetime, rest: Collection[int] = ()) -> None:
        """Move the start of its subscriptions past the posts seen before a moment that the ledger has.

        They start before the posts of the `rest`, which still wait.
        """
        ...


class DraftRepository(Protocol):
    async def add(self, draft: Draft) -> Draft: ...

    async def get(self, draft_id: int) -> Draft | None: ...

    async def last_preview(self, chat_id: int, actor: str) -> Draft | None:
        """A person's last draft in a chat that is neither confirmed nor discarded."""
        ...

    async def due(self, now: datetime) -> Sequence[Draft]:
        """Scheduled drafts that are due."""
        ...

    async def scheduled(self) -> Sequence[Draft]: ...

    async def written_since(self, actor: str, since: datetime) -> int:
        """How many drafts a person has written since a moment, in whatever state."""
        ...

    async def set_state(self, draft_id: int, state: DraftState, *, everywhere: bool | None = None) -> bool:
        """Set the state; False if the draft has it already, or was published or discarded."""
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Delete drafts made before a moment, except scheduled ones, at most `limit`; returns how many."""
        ...


class LeaseRepository(Protocol):
    async def take(
        self, name: str, holder: str, now: datetime, until: datetime, *, force: bool
    ) -> int | None:
        """Take or renew a lease. Returns its epoch, which grows with each new holder; None if another has it.

        `force`: the other holder is known to be dead.
        """
        ...

    async def release(self, name: str, holder: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Found:
    """What a search for `words` found: the ids of the best posts, and how many there are."""

    words: str
    ids: tuple[int, ...]
    total: int
    match: Match = AS_TYPED


class SearchRepository(Protocol):
    async def save(self, chat_id: int, found: Found, now: datetime) -> int: ...

    async def get(self, search_id: int, chat_id: int) -> Found | None:
        """A search of this chat; None for a search of another chat."""
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Delete searches made before a moment, at most `limit`; returns how many."""
        ...


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of posts that a chat was shown: how to show it again, of how many pages, with which posts."""

    view: str
    pages: int
    ids: tuple[int, ...]


class ViewRepository(Protocol):
    async def remember(self, shown: Mapping[int, Shown]) -> None:
        """Remember pages as the last ones that these chats, by their ids, were shown."""
        ...

    async def last(self, chat_id: int) -> Shown | None: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that a button with this data asks. `message` is the one that asks it of `actor`."""

    data: str
    prompt: str
    placeholder: str = ""
    actor: str = ""
    message: str = ""


class QuestionRepository(Protocol):
    """Questions are stored, so that a button still asks its question after a restart."""

    async def ask(self, chat_id: int, questions: Sequence[Asked], now: datetime) -> None:
        """Store questions of buttons, or of messages. A newer one replaces an older."""
        ...

    async def of_button(self, chat_id: int, data: str) -> Asked | None: ...

    async def of_message(self, chat_id: int, message: str) -> Asked | None: ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Delete questions asked before a moment, at most `limit`; returns how many."""
        ...


class PersonRepository(Protocol):
    async def writes_in(self, actor: str, chat_id: int) -> None:
        """Store that a chat is the private one of a person."""
        ...

    async def language(self, actor: str) -> str:
        """The language of a person's private chat; empty if none is known."""
        ...

    async def manage(self, actor: str, chat_id: int, target_id: int | None) -> None:
        """Store which chat a person manages from another one; None ends that."""
        ...

    async def managed(self, actor: str, chat_id: int) -> int | None:
        """The chat that a person manages from this one."""
        ...


@dataclass(frozen=True, slots=True)
class AuditEntry:
    at: datetime
    actor: str
    action: str
    target: str


class AuditRepository(Protocol):
    async def add(self, actor: str, action: str, target: str, now: datetime) -> None:
        """Record that `actor` changed `target`."""
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Delete entries made before a moment, at most `limit`; returns how many."""
        ...

    async def forget(self, name: str) -> None:
        """Delete the entries of an actor of this name, and those about a place of this name."""
        ...

    async def newest(
        self,
        limit: int,
        *,
        offset: int = 0,
        since: datetime | None = None,
        action: str = "",
        place: Place | None = None,
        actor: str = "",
    ) -> Sequence[AuditEntry]:
        """The newest entries after `offset`, newest first: since a moment, of an action, chat or person."""
        ...


class UnitOfWork(Protocol):
    """One transaction, rolled back unless it is committed."""

    @property
    def sources(self) -> SourceRepository: ...

    @property
    def posts(self) -> PostRepository: ...

    @property
    def pushes(self) -> PushRepository: ...

    @property
    def index(self) -> SearchIndex: ...

    @property
    def chats(self) -> ChatRepository: ...

    @property
    def subscriptions(self) -> SubscriptionRepository: ...

    @property
    def filters(self) -> FilterRepository: ...

    @property
    def stories(self) -> StoryRepository: ...

    @property
    def endings(self) -> EndingRepository: ...

    @property
    def outbox(self) -> OutboxRepository: ...

    @property
    def edits(self) -> EditRepository: ...

    @property
    def digests(self) -> DigestRepository: ...

    @property
    def drafts(self) -> DraftRepository: ...

    @property
    def leases(self) -> LeaseRepository: ...

    @property
    def searches(self) -> SearchRepository: ...

    @property
    def views(self) -> ViewRepository: ...

    @property
    def questions(self) -> QuestionRepository: ...

    @property
    def people(self) -> PersonRepository: ...

    @property
    def audit(self) -> AuditRepository: ...

    @property
    def history(self) -> HistoryRepository: ...

    async def commit(self) -> None: ...


class Store(Protocol):
    """Opens units of work. None may stay open across network I/O."""

    def read(self) -> AbstractAsyncContextManager[UnitOfWork]: ...

    def write(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A unit of work that may write; writers of one SQLite file queue for it."""
        ...
