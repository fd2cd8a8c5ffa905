"""The repositories of what comes at a set time: digests and drafts."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from scheduler.types import Digest, Draft, DraftState, Subscription


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
