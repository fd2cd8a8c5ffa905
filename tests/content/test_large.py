"""Large bodies: at most one is in memory, also while many sources wait to read theirs again."""

import asyncio
from collections.abc import Mapping
from typing import Literal
from weakref import WeakSet

import pytest

from content.errors import SourceError
from content.fetch import LARGE, Fetched, LargeBody
from content.parsers import _pickled
from content.sources import ReadContext
from content.sources.feed import FeedKind, parse_feed
from content.sources.git import GitKind
from content.sources.kinds import SourceKind
from content.sources.listing import ListingKind
from content.sources.telegram import TelegramKind
from content.types import Options, Validators


class Body:
    """What has arrived of a body."""


class TooLarge:
    """A fetcher for which everything is too large. `arrived` are the bodies that are still in memory."""

    def __init__(self) -> None:
        self.arrived = WeakSet[Body]()
        self.calls = 0

    async def fetch(self, url: str, validators: Validators, *, large: bool = False) -> Fetched:
        return await self._answer(url)

    async def ask(
        self, url: str, headers: Mapping[str, str], body: bytes | None = None, *, max_bytes: int = LARGE
    ) -> Fetched:
        return await self._answer(url)

    async def _answer(self, url: str) -> Fetched:
        arrived = Body()
        self.arrived.add(arrived)
        self.calls += 1
        raise LargeBody("{url} is larger than {kib} KiB", url=url, kib=LARGE // 1024)


class Watched(asyncio.Lock):
    """A lock that tells when somebody wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.wanted = asyncio.Event()

    async def acquire(self) -> Literal[True]:
        self.wanted.set()
        return await super().acquire()


KINDS = (FeedKind(), ListingKind(), GitKind(), TelegramKind())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
async def test_who_waits_to_read_a_large_body_again_holds_none(kind: SourceKind) -> None:
    fetcher, lock = TooLarge(), Watched()
    context = ReadContext(fetcher, large=lock)
    url = "https://t.me/s/name" if kind.name == "telegram" else "https://example.org/repo.git"
    async with asyncio.timeout(10):
        await asyncio.Lock.acquire(lock)
        reading = asyncio.create_task(kind.read(url, Options(), Validators(), context))
        await lock.wanted.wait()
        assert (fetcher.calls, len(fetcher.arrived)) == (1, 0)
        lock.release()
        with pytest.raises(SourceError, match=r"is larger than|more than 32 MiB"):
            await reading
    assert fetcher.calls == 2


def test_a_body_is_not_copied_for_the_parser() -> None:
    body = bytes(1_000_000)
    pieces = _pickled((1.0, 10.0, "a source", parse_feed, (body, "text/xml", "https://example.org/feed")))
    assert any(piece is body for piece in pieces)
    assert sum(map(len, pieces)) < len(body) + 1_000
