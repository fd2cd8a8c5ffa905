"""Lists of feeds: each is added as one that is typed, several at once, and what fails stops no other."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from content.errors import SkywaveError, UsageError
from content.sources import NO_CHOICE, Choice, normalise
from content.types import Source, Visibility
from scheduler.actions import following, sources
from scheduler.actions.adding import listed_form
from scheduler.actions.audit import Actor
from scheduler.intake.ingest import Ingest
from scheduler.intake.storing import PollResult
from scheduler.intake.turns import LIMITS, host_of
from scheduler.ports import Clock, Store
from scheduler.quotas import Quotas
from scheduler.types import Chat

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listed:
    """What became of one feed of a list. `new`: the chat did not follow it before.

    `error`: why the chat does not follow it. `waits`: why it cannot be read yet; the poller tries it again.
    """

    url: str
    source: Source | None = None
    new: bool = False
    error: SkywaveError | None = None
    waits: str = ""


async def add_each(
    ingest: Ingest,
    urls: Mapping[str, Sequence[str]],
    visibility: Visibility,
    choices: Mapping[str, Choice] = {},
    *,
    exact: bool,
) -> AsyncIterator[tuple[str, PollResult | SkywaveError]]:
    """Add sources of the operator, each URL with its tags and what is chosen for it.

    Yields each URL with its result as it comes. A source that cannot be read for a passing reason is added,
    and its result has an error. `exact`: the URLs are those of feeds; others are searched for feeds, with
    several requests each.
    """
    read = ingest.check if exact else ingest.find

    async def add(url: str) -> tuple[str, PollResult | SkywaveError]:
        try:
            found = await read(url, choice=choices.get(url, NO_CHOICE), waits=True)
            return url, await ingest.add_found(found, visibility, tags=urls[url])
        except SkywaveError as exc:
            return url, exc

    async for result in _several_at_once(urls, add):
        yield result


@dataclass(frozen=True, slots=True)
class Follower:
    """A chat that follows the feeds of a list, and the person who asks for that.

    `may_add`: the person may add sources.
    """

    store: Store
    ingest: Ingest
    clock: Clock
    quotas: Quotas
    by: Actor
    chat: Chat
    may_add: bool

    async def follow_each(self, urls: Mapping[str, Sequence[str]]) -> AsyncIterator[Listed]:
        """Follow each URL, as if it was typed alone; the tags are for those that are new."""

        async def follow(url: str) -> Listed:
            try:
                return await self._follow(url, urls[url])
            except SkywaveError as exc:
                return Listed(url, error=exc)

        async for result in _several_at_once(urls, follow):
            yield result

    async def _follow(self, url: str, tags: Sequence[str]) -> Listed:
        wanted, waits = listed_form(url), ""
        async with self.store.read() as work:
            source = await sources.known_at(
                work, self.by, self.chat, [wanted], self.quotas, may_add=self.may_add
            )
        if source is None:
            added = await self.ingest.add(wanted, Visibility.PRIVATE, by=self.by, tags=tags, waits=True)
            source, waits = added.source, added.error
        async with self.store.write() as work:
            new = await following.follow(work, self.by, self.chat, source, self.clock.now(), self.quotas)
            await work.commit()
        return Listed(url, source, new, waits=waits)


async def _several_at_once(urls: Iterable[str], do: Callable[[str], Awaitable[T]]) -> AsyncIterator[T]:
    """Do something that reads each URL, several at once, and yield each result as it comes."""
    # A new source is of unknown speed and counts as quick. The limit of the host comes first, so that an
    # add that waits for its host does not use up the limit of all.
    everywhere = asyncio.Semaphore(LIMITS.quick)
    hosts: dict[str, asyncio.Semaphore] = {}

    async def limited(url: str) -> T:
        host = hosts.setdefault(host_of(url), asyncio.Semaphore(LIMITS.host))
        async with host, everywhere:
            return await do(url)

    # Two spellings of one URL are added once.
    unique = {_stored_form(url): url for url in urls}
    tasks = [asyncio.create_task(limited(url)) for url in unique.values()]
    try:
        for ended in asyncio.as_completed(tasks):
            yield await ended
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _stored_form(url: str) -> str:
    """The stored form of a URL, or the URL itself if it is not valid."""
    try:
        return normalise(url)
    except UsageError:
        return url
