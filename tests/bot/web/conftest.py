"""A server on a free port with the real receiver and subscriber, on a real store; the parser runs inline."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network

import pytest

from bot.metrics import Health, Metrics
from bot.web.health import health_routes
from bot.web.push import push_routes
from bot.web.server import serving
from content.http import HttpFetcher
from content.sources import ReadContext
from content.types import Source, Visibility
from scheduler.intake.ingest import Ingest
from scheduler.push.pushes import Push
from scheduler.push.receiving import Receiver
from scheduler.push.websub import WebSub
from scheduler.quotas import Quotas
from scheduler.rhythm import Bounds
from scheduler.types import Chat, Place
from storage.unit_of_work import SqlStore
from tests.bot.web.hub import PUBLIC, Hub
from tests.fakes import FakeClock, WatchedStore
from tests.scheduler.conftest import inline

LOOPBACK = (ip_network("127.0.0.0/8"),)


async def healthy() -> Health:
    return Health({}, 0, {}, {})


@dataclass
class Live:
    store: WatchedStore
    clock: FakeClock
    fetcher: HttpFetcher
    hub: Hub
    public_url: str = PUBLIC
    hubs: WebSub = field(init=False)
    ingest: Ingest = field(init=False)
    receiver: Receiver = field(init=False)

    def __post_init__(self) -> None:
        self.hubs = self.subscriber(self.fetcher)
        self.ingest = Ingest(
            self.store,
            ReadContext(self.fetcher, inline),
            self.clock,
            Bounds(timedelta(minutes=5), timedelta(hours=6)),
            lambda: None,
            for_people=self.fetcher,
            quotas=Quotas(),
            hubs=self.hubs,
        )
        self.receiver = Receiver(self.store, self.ingest, self.clock)

    def subscriber(self, fetcher: HttpFetcher) -> WebSub:
        return WebSub(self.store, fetcher, self.clock, self.public_url)

    async def source(self, url: str = "") -> Source:
        """A source that was read twice: header hints count from the second read on."""
        added = (await self.ingest.add(url or self.hub.topic, Visibility.PUBLIC)).source
        return (await self.ingest.poll(added)).source if not url else added

    async def subscribed(self) -> Source:
        """A source whose hub has verified the subscription."""
        source = await self.source()
        await self.ticked()
        return source

    async def ticked(self) -> None:
        await self.hubs.run_due()
        await self.hub.verified()

    async def again(self, source: Source) -> Source:
        async with self.store.read() as work:
            found = await work.sources.get(source.id)
        assert found is not None
        return found

    async def push(self, source: Source) -> Push:
        async with self.store.read() as work:
            found = await work.pushes.of_source(source.id)
        assert found is not None
        return found

    async def follower(self) -> Chat:
        async with self.store.write() as work:
            chat = await work.chats.ensure(Place("fake", "1"))
            await work.subscriptions.add(chat.id, None)
            await work.commit()
        return chat

    async def titles(self, source: Source) -> list[str]:
        """How the posts of a source begin, newest first."""
        async with self.store.read() as work:
            known = await work.posts.known(source.id)
        return [post.opening for post in sorted(known, key=lambda post: -post.id)]


@pytest.fixture
async def live(sqlite_url: str) -> AsyncIterator[Live]:
    store, fetcher, hub = await SqlStore.open(sqlite_url), HttpFetcher(LOOPBACK), Hub()
    world = Live(WatchedStore(store), FakeClock(), fetcher, hub)
    taking = asyncio.create_task(world.receiver.run())
    routes = [*health_routes(Metrics(), healthy), *push_routes(world.receiver, world.hubs)]
    async with serving(routes, "127.0.0.1", 0, PUBLIC) as port, hub.serving():
        assert port is not None
        hub.port = port
        yield world
    taking.cancel()
    await asyncio.wait({taking})
    await fetcher.close()
    await store.close()
