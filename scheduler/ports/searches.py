"""The repositories of what chats are shown: searches and pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from content.types import AS_TYPED, Match


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
