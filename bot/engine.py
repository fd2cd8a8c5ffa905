"""What every command needs: settings, store, clock, and the reading of sources. `bot.app` has the rest."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING

from bot.settings import Settings
from content.fetch import LateFetcher
from content.parsers import ParserPool
from scheduler.ports import Clock
from storage.unit_of_work import SqlStore

if TYPE_CHECKING:
    from content.sources import Parser, ReadContext
    from scheduler.intake.indexing import Indexing
    from scheduler.intake.ingest import Ingest
    from scheduler.intake.polling import Poller
    from scheduler.push.websub import WebSub


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return monotonic()

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            await asyncio.sleep(seconds)


@dataclass
class Engine:
    """Store and sources, wired. `wakers` wake the running dispatchers.

    `fetcher` is for sources of the operator, `for_people` for the URLs that people add. What reads sources is
    loaded when it is first asked for, because that takes a third of the time of a start.
    """

    settings: Settings
    store: SqlStore
    clock: Clock
    fetcher: LateFetcher
    for_people: LateFetcher
    parser: "Parser"
    wakers: list[Callable[[], None]]

    def wake(self) -> None:
        """Tell all dispatchers that there are deliveries."""
        for waker in self.wakers:
            waker()

    @cached_property
    def hubs(self) -> "WebSub":
        """Asks hubs to tell of new posts. Without a port they could not reach this process."""
        from scheduler.push.websub import WebSub

        public_url = self.settings.public_url if self.settings.metrics_port is not None else ""
        return WebSub(self.store, self.for_people, self.clock, public_url)

    @cached_property
    def context(self) -> "ReadContext":
        """What reading the sources of the operator needs."""
        from content.sources import ReadContext

        return ReadContext(
            self.fetcher, max_posts=self.settings.source_posts, parser=self.parser, now=self.clock.now
        )

    @cached_property
    def ingest(self) -> "Ingest":
        """Reads sources."""
        from scheduler.intake.ingest import Ingest

        return Ingest(
            self.store,
            self.context,
            self.clock,
            self.settings.bounds,
            self.wake,
            timedelta(days=self.settings.keep_tombstones),
            for_people=self.for_people,
            quotas=self.settings.quotas,
            hubs=self.hubs,
            rsshub=self.settings.rsshub_url,
        )

    @cached_property
    def poller(self) -> "Poller":
        """Reads the sources that are due."""
        from scheduler.intake.polling import Poller

        return Poller(self.store, self.ingest, self.clock)

    @cached_property
    def indexing(self) -> "Indexing":
        """Indexes the posts that were stored without."""
        from scheduler.intake.indexing import Indexing

        return Indexing(self.store, self.context, lambda: self.poller.running > 0)


@asynccontextmanager
async def open_engine(
    settings: Settings, *, clock: Clock | None = None, parser: "Parser | None" = None
) -> AsyncIterator[Engine]:
    """Open the store; everything is closed when the block ends.

    `parser` replaces the worker processes that parse outside text. Raises SettingsError and StoreError.
    """
    async with AsyncExitStack() as stack:
        store = await SqlStore.open(settings.database_url)
        stack.push_async_callback(store.close)
        fetcher = LateFetcher(allowed_networks=settings.allowed_networks)
        stack.push_async_callback(fetcher.close)
        # URLs that people add never reach `allowed_networks`: only operators may name internal addresses.
        for_people = LateFetcher()
        stack.push_async_callback(for_people.close)
        pool = ParserPool()
        stack.push_async_callback(pool.close)
        yield Engine(settings, store, clock or SystemClock(), fetcher, for_people, parser or pool, [])
