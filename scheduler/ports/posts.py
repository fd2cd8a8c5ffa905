"""The repository of posts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from content.tokens import IndexedText
from content.types import Beginning, KnownPost, NewPost, Post, PostQuery


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
