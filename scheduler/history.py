"""What is stored about posts and one chat, from which `actions/why.py` says why the chat got them or not."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from content.types import Source
from scheduler.types import Chat, Delivery, DeliveryState, Digest, LedgerState, Subscription


@dataclass(frozen=True, slots=True)
class Item:
    """A post, its source, and the subscription by which the chat follows that source now.

    Without a title, `title` is how it begins. `visible`: the chat may see it. `broadcast`: it was sent
    to somebody. `fails` is the condition of the subscription's filter that it does not meet.
    `followed`: the chat followed the source when it came, and `away`: it was gone or banned then. `rejected`
    is the condition that it did not meet of the filter that decided about it.
    """

    id: int
    key: str
    title: str
    url: str
    source: Source
    subscription: Subscription | None
    old_news: bool
    withdrawn: bool
    visible: bool
    broadcast: bool
    first_seen_at: datetime
    fails: str = ""
    followed: bool = False
    away: bool = False
    rejected: str = ""

    def waits(self, chat: Chat) -> bool:
        """Whether it waits for a digest or the end of quiet hours, if the chat's ledger does not have it."""
        follows = self.subscription
        if follows is None or self.is_old_news or self.id <= follows.starts_after:
            return False
        if self.is_paused or self.fails:
            return False
        return follows.digest_id is not None or (
            chat.quiet_from is not None and self.first_seen_at >= chat.quiet_from
        )

    @property
    def is_paused(self) -> bool:
        """Whether it came since its subscription was paused."""
        after = self.subscription.paused_after if self.subscription else None
        return after is not None and self.id > after

    @property
    def is_old_news(self) -> bool:
        return self.old_news or self.id <= self.source.starts_after


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What the ledger says of the key of a post. `post_id` is None if the post was deleted since."""

    state: LedgerState
    reason: str
    post_id: int | None


@dataclass(frozen=True, slots=True)
class History:
    """All that decides about `post` and a chat. `twins` are the posts of other sources with the same key.

    `delivery` is that of the ledger's entry, and `ahead` of it are so many open deliveries of the chat.
    `cancelled` are the newest cancelled deliveries of the post and its twins, by the ids of posts.
    `digests` are those of the chat, by their ids. `instead` is the post by which the chat has its story.
    """

    chat: Chat
    post: Item
    twins: tuple[Item, ...] = ()
    entry: LedgerEntry | None = None
    delivery: Delivery | None = None
    ahead: int = 0
    cancelled: Mapping[int, Delivery] = field(default_factory=dict)
    digests: Mapping[int, Digest] = field(default_factory=dict)
    instead: Item | None = None


@dataclass(frozen=True, slots=True)
class MessagePlace:
    """A message on a platform. `addresses`: its chat's, and of a thread also that of its channel."""

    platform: str
    addresses: tuple[str, ...]
    message_id: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """How it stands with a chat: its open deliveries, the first of them, and those that failed of late.

    `failed` also counts held ones; `last` is the newest of them.
    """

    waiting: int = 0
    first: Delivery | None = None
    failed: int = 0
    last: Delivery | None = None


class HistoryRepository(Protocol):
    async def of(self, chat_id: int, posts: Collection[int]) -> Sequence[History]:
        """The history of posts and a chat, in the order of `posts`, without those that do not exist."""
        ...

    async def with_key(self, key: str) -> Sequence[int]:
        """The posts with a key, newest first."""
        ...

    async def stored(self, chat_id: int) -> Mapping[str, Sequence[Mapping[str, object]]]:
        """The rows of a chat by table, and the sources and posts that they refer to."""
        ...

    async def outlook(self, chat_id: int, since: datetime) -> Outlook:
        """What waits for a chat, and what failed since a moment."""
        ...

    async def queue(self) -> Mapping[DeliveryState, int]:
        """How many deliveries are open, and how many of the newest ones of all failed or are held."""
        ...

    async def message(self, where: MessagePlace) -> Delivery | None:
        """The delivery that sent a message, if it is one of the newest of its chat."""
        ...
