"""The outbox: what is recorded of deliveries, and their repository."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from content.types import Source
from scheduler.types import Broadcast, Delivery, DeliveryState, Form, Headline, Message, Part, Progress


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
