"""A small deployment: a real store on a temporary file, everything around it faked."""

import json
import random
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pytest
from structlog.testing import capture_logs

from content.document import Document, Paragraph, text
from content.i18n import Translator
from content.sources import ReadContext
from content.types import Post, Source, Visibility
from scheduler.delivery.dispatch import Dispatcher
from scheduler.delivery.pacer import Pacer
from scheduler.intake.ingest import Ingest
from scheduler.intake.polling import Poller
from scheduler.intake.storing import PollResult
from scheduler.quotas import Quotas
from scheduler.rhythm import Bounds
from scheduler.types import Chat, ChatKind, Delivery, Limits, Place, Rate
from tests.conftest import open_migrated
from tests.fakes import FakeClock, FakeFetcher, FakePlatform, WatchedStore

P = ParamSpec("P")
T = TypeVar("T")

FEED = "https://example.org/feed.json"
FREE = Limits(Rate(inf), {})


async def inline(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    return function(*args, **kwargs)


def compose(delivery: Delivery, posts: Sequence[Post]) -> Document:
    """A block for each line of each post, and one for those left out; a notice as it is."""
    if delivery.broadcast.body:
        said = Translator(delivery.chat.language).t(delivery.broadcast.body, **delivery.broadcast.values)
        return Document((Paragraph(text(said)),))
    lines = [(line, post.id) for post in posts for line in post.text.splitlines()]
    tail = [(Paragraph(text("and more")), ())] if delivery.broadcast.more else []
    rows = [*((Paragraph(text(line)), (post_id,)) for line, post_id in lines), *tail]
    return Document(tuple(block for block, _ in rows), carried=tuple(posts for _, posts in rows))


def json_feed(*texts: str, site: str = "https://example.org") -> bytes:
    """Posts whose text is given, newest last; one text is always the same post, in every feed of a site."""
    items = [
        {"id": content, "url": f"{site}/{n}-{content.split()[0]}", "content_text": content}
        for n, content in enumerate(texts)
    ]
    return json.dumps({"title": "Example", "items": items[::-1]}).encode()


@dataclass
class World:
    path: Path
    store: WatchedStore
    clock: FakeClock
    platform: FakePlatform
    fetcher: FakeFetcher
    limits: Limits = FREE
    interval: timedelta = timedelta(minutes=5)
    longest: timedelta | None = None
    pacer: Pacer = field(init=False)
    wakes: int = 0

    def __post_init__(self) -> None:
        self.pace(self.limits)

    def pace(self, limits: Limits) -> None:
        """From now on the platform has these limits."""
        self.pacer = Pacer(limits, self.clock)

    @property
    def ingest(self) -> Ingest:
        context = ReadContext(self.fetcher, inline)
        return Ingest(
            self.store,
            context,
            self.clock,
            Bounds(self.interval, self.longest or self.interval),
            self._wake,
            for_people=self.fetcher,
            quotas=Quotas(),
        )

    async def poll_due(self) -> list[PollResult]:
        """A tick, and what came of it."""
        results: list[PollResult] = []
        poller = Poller(self.store, self.ingest, self.clock, results.append)
        await poller.poll_due()
        await poller.idle()
        return results

    async def poll(self, source: Source) -> PollResult:
        """Read a source, and store what came of it."""
        ingest = self.ingest
        result = await ingest.poll(source)
        await ingest.flush()
        return result

    def _wake(self) -> None:
        self.wakes += 1

    def dispatcher(self, epoch: int = 1) -> Dispatcher:
        rng = random.Random(7)
        return Dispatcher(self.store, self.platform, compose, self.pacer, self.clock, rng, epoch)

    async def source(self, url: str = FEED, visibility: Visibility = Visibility.PUBLIC) -> Source:
        """A source that was polled once, when it had one old post."""
        self.fetcher.pages[url] = json_feed("old", site=url)
        return (await self.ingest.add(url, visibility)).source

    async def publish(self, *texts: str, url: str = FEED, site: str = "https://example.org") -> PollResult:
        """The source's feed has these posts from now on, and is polled."""
        self.fetcher.pages[url] = json_feed(*texts, site=site)
        async with self.store.read() as work:
            source = await work.sources.by_url(url)
        assert source is not None
        return await self.poll(source)

    async def chat(
        self,
        address: str = "1",
        topic: str = "",
        *,
        kind: ChatKind = ChatKind.PRIVATE,
        follows: Sequence[Source | None] = (None,),
    ) -> Chat:
        """A chat that follows sources (None: all public ones)."""
        async with self.store.write() as work:
            chat = await work.chats.ensure(Place("fake", address, topic), kind=kind)
            for source in follows:
                await work.subscriptions.add(chat.id, source.id if source else None)
            await work.commit()
        return chat

    async def again(self, chat: Chat) -> Chat:
        """The chat as the store has it now."""
        async with self.store.read() as work:
            found = await work.chats.get(chat.id)
        assert found is not None
        return found

    def sql(self, statement: str, *values: object) -> list[Any]:
        """What the file says, past everything under test."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def ledger(self, chat: Chat) -> dict[str, str]:
        """State by the text of the post."""
        query = "SELECT p.text, l.state FROM ledger l JOIN posts p ON p.id = l.post_id WHERE l.chat_id = ?"
        return {content.splitlines()[0]: state for content, state in self.sql(query, chat.id)}

    def deliveries(self, chat: Chat) -> list[tuple[str, str]]:
        """State and reason, oldest first."""
        query = "SELECT state, reason FROM deliveries WHERE chat_id = ? ORDER BY id"
        return self.sql(query, chat.id)

    def hold_unknown(self, chat: Chat) -> None:
        self.sql("UPDATE chats SET on_unknown = 'hold' WHERE id = ?", chat.id)


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """The events that were logged; none is printed."""
    with capture_logs() as events:
        yield events


@pytest.fixture
async def world(sqlite_url: str, tmp_path: Path) -> AsyncIterator[World]:
    store = open_migrated(sqlite_url)
    clock = FakeClock()
    yield World(tmp_path / "skywave.db", WatchedStore(store), clock, FakePlatform(clock), FakeFetcher())
    await store.close()
