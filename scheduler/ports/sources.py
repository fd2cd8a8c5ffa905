"""The repository of sources."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from content.types import NO_OPTIONS, Options, Source, SourceState, Visibility


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
