"""Skywave as it runs, in this process, on emulated platforms; and what its store says."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Generic, TypeVar

from bot.app import App, build
from bot.loading import load_settings
from bot.runner import Runner
from bot.settings import Settings
from content.types import Visibility
from scheduler import membership
from scheduler.ports import Clock, DeliveryFilter, Sender
from scheduler.types import Chat, ChatKind, Delivery, PartState, Place
from tests.e2e.program import FeedServer, item, json_feed
from tests.fakes import ParserHere

FEED = "/feed"
# Seconds between two looks at whether something has happened; others need the processor meanwhile.
LOOK = 0.05
PATIENCE = 90.0  # seconds after which a test that waits has failed

Found = TypeVar("Found")
Spot = TypeVar("Spot")  # a chat of an emulator


class SkippingClock:
    """Real time and what was skipped: who sleeps skips, so that nobody waits. `slept` lists how long."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._ahead)

    def monotonic(self) -> float:
        return monotonic() + self._ahead

    def skip(self, seconds: float) -> None:
        self._ahead += seconds

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.slept.append(seconds)
            self.skip(seconds)
        await asyncio.sleep(0)


def utc(column: str) -> datetime:
    """A time as the database has it."""
    return datetime.fromisoformat(f"{column}+00:00")


async def write_feed(path: Path) -> None:
    """Let a database have one public feed, which has one old post."""
    settings = load_settings(database_url=f"sqlite:///{path}", allowed_networks="127.0.0.0/8")
    async with FeedServer().serving() as feeds:
        reader: Deployment[Place] = Deployment(feeds, settings, lambda: [])
        await reader.open()
        await reader.begin()
        await reader.close()


class Deployment(Generic[Spot]):
    """One Skywave. It can be stopped and started again; what it knows is in its folder.

    Its chats are those of an emulator, or places of any platform. `senders` makes the platforms of a start.
    """

    def __init__(
        self,
        feeds: FeedServer,
        settings: Settings,
        senders: Callable[[], Sequence[Sender]],
        clock: Clock | None = None,
    ) -> None:
        self.feeds, self.settings, self.clock = feeds, settings, clock or SkippingClock()
        self.senders = senders
        self._items: list[Mapping[str, Any]] = []
        self.app: App
        self.runner: Runner
        self.task: asyncio.Task[None] | None = None
        self._stack = AsyncExitStack()
        self._database: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Wire the application, without running it."""
        self.app = await self._stack.enter_async_context(
            build(self.settings, clock=self.clock, seed=7, parser=ParserHere())
        )

    def start(self) -> None:
        """Run it, as `skywave run` does."""
        self.runner = Runner(self.app, self.senders())
        self.task = asyncio.create_task(self.runner.run())

    async def stop(self) -> None:
        """What SIGTERM does, if it still runs."""
        if self.task is not None:
            self.runner.stop()
            async with asyncio.timeout(PATIENCE):
                await self.task
            self.task = None

    async def close(self) -> None:
        await self.stop()
        await self._stack.aclose()
        if self._database is not None:
            self._database.close()
            self._database = None

    async def restart(self) -> None:
        """Stop it, and start a new one on the same folder."""
        await self.close()
        self._stack = AsyncExitStack()
        await self.open()
        self.start()

    # What the world does

    def serve(self, *items: Mapping[str, Any]) -> None:
        """Let the feed have these items on top."""
        self._items = [*items, *self._items]
        self.feeds.documents[FEED] = json_feed(*self._items)

    async def begin(self) -> None:
        """Serve the feed with its old post, and read it unless the database has it (see `write_feed`)."""
        self.serve(item("old"))
        if self.read("SELECT id FROM sources"):
            await self.write("UPDATE sources SET url = ?", f"{self.feeds.url}{FEED}")
        else:
            await self.add_source()

    async def add_source(self) -> None:
        await self.app.ingest.add(f"{self.feeds.url}{FEED}", Visibility.PUBLIC)
        await self.app.indexing.run()  # which the program does every two seconds

    async def publish(self, *items: Mapping[str, Any] | str) -> None:
        """Let new posts appear in the feed, and be found there."""
        self.serve(*(item(one) if isinstance(one, str) else one for one in items))
        async with self.app.store.read() as work:
            (source,) = [s for s in await work.sources.all() if s.url.endswith(FEED)]
        result = await self.app.ingest.poll(source)
        assert not result.error, result.error
        await self.app.indexing.run()

    async def subscribe(self, chat: Spot | Place, kind: ChatKind, title: str = "") -> Chat:
        """Let a chat follow everything that is public, as `skywave subscriptions add` does."""
        async with self.app.store.write() as work:
            known = await work.chats.ensure(self._at(chat), title=title, kind=kind)
            await work.subscriptions.add(known.id, None)
            await work.commit()
        return known

    async def subscribe_all(self, places: Iterable[Place], kind: ChatKind) -> None:
        """Let many chats follow everything that is public, in one transaction."""
        async with self.app.store.write() as work:
            for place in places:
                known = await work.chats.ensure(place, title="", kind=kind)
                await work.subscriptions.add(known.id, None)
            await work.commit()

    async def notify(self, chat: Spot | Place, text: str) -> None:
        """Send a notice through the outbox."""
        async with self.app.store.write() as work:
            await membership.notify(work, self._at(chat), text, self.clock.now())
            await work.commit()
        self.app.services.wake()

    def skip(self, seconds: float) -> None:
        """Let time pass, and the dispatcher look at what is due now."""
        assert isinstance(self.clock, SkippingClock)
        self.clock.skip(seconds)
        self.app.services.wake()

    # What the store says

    def place(self, chat: Spot, topic: int | None = None) -> Place:
        """Where the chat of an emulator, or one of its topics, is for Skywave."""
        raise NotImplementedError

    def _at(self, chat: Spot | Place, topic: int | None = None) -> Place:
        return chat if isinstance(chat, Place) else self.place(chat, topic)

    async def find(self, chat: Spot | Place, topic: int | None = None) -> Chat | None:
        """The chat as the store has it, if it does."""
        async with self.app.store.read() as work:
            return await work.chats.find(self._at(chat, topic))

    async def known(self, chat: Spot | Place, topic: int | None = None) -> Chat:
        """The chat as the store has it."""
        found = await self.find(chat, topic)
        assert found is not None
        return found

    async def deliveries(self, chat: Spot | Place, topic: int | None = None) -> Sequence[Delivery]:
        """The deliveries to a chat, oldest first."""
        known = await self.known(chat, topic)
        async with self.app.store.read() as work:
            found = await work.outbox.find(DeliveryFilter(chat_id=known.id), 100)
        return sorted(found, key=lambda delivery: delivery.id)

    async def states(self, chat: Spot | Place, topic: int | None = None) -> list[str]:
        """The states of a chat's deliveries, oldest first."""
        return [state for state, *_ in self._rows(chat, topic)]

    def _rows(self, chat: Spot | Place, topic: int | None = None) -> list[tuple[str, str, str]]:
        """State, due time and reason of a chat's deliveries, oldest first."""
        place = self._at(chat, topic)
        rows = self.read(
            "SELECT deliveries.state, due_at, deliveries.reason"
            " FROM deliveries JOIN chats ON chats.id = deliveries.chat_id"
            " WHERE chats.platform = ? AND chats.address = ? AND chats.topic = ? ORDER BY deliveries.id",
            place.platform,
            place.address,
            place.topic,
        )
        return [(str(state), str(due_at), str(reason)) for state, due_at, reason in rows]

    async def parts(self, chat: Spot | Place) -> list[PartState]:
        """The states of the parts of all deliveries to a chat."""
        return [part.state for one in await self.deliveries(chat) for part in one.parts]

    def ledger(self, chat: Spot | Place) -> dict[str, str]:
        """What the ledger says of a chat, by the titles of the posts."""
        place = self._at(chat)
        rows = self.read(
            "SELECT posts.title, ledger.state FROM ledger JOIN posts ON posts.id = ledger.post_id"
            " JOIN chats ON chats.id = ledger.chat_id"
            " WHERE chats.platform = ? AND chats.address = ? AND chats.topic = ?",
            place.platform,
            place.address,
            place.topic,
        )
        return {str(title): str(state) for title, state in rows}

    async def until(self, condition: Callable[[], Awaitable[Found | None]]) -> Found:
        """The first true value of `condition`; TimeoutError if it never comes."""
        async with asyncio.timeout(PATIENCE):
            while not (value := await condition()):
                await asyncio.sleep(LOOK)
        return value

    async def ended(self, chat: Spot | Place, topic: int | None = None) -> list[str]:
        """The states of a chat's deliveries, once none is open any more."""

        async def all_closed() -> list[str] | None:
            states = await self.states(chat, topic)
            return states if states and not {"pending", "claimed"} & set(states) else None

        return await self.until(all_closed)

    async def all_sent(self) -> None:
        """Return when no delivery is open any more; all of them have to be sent then."""

        async def all_closed() -> set[str] | None:
            states = {str(state) for (state,) in self.read("SELECT state FROM deliveries")}
            return states if states and not {"pending", "claimed"} & states else None

        assert await self.until(all_closed) == {"sent"}

    async def ended_at_last(self, chat: Spot | Place, topic: int | None = None) -> list[str]:
        """The same for a chat whose deliveries wait: time passes until they are due."""

        async def all_closed() -> list[str] | None:
            found = self._rows(chat, topic)
            due = [utc(due_at) for state, due_at, _ in found if state == "pending"]
            if waiting := [at for at in due if at > self.clock.now()]:
                self.skip((min(waiting) - self.clock.now()).total_seconds())
            is_open = {"pending", "claimed"} & {state for state, *_ in found}
            return None if is_open or not found else [state for state, *_ in found]

        return await self.until(all_closed)

    async def waits(self, chat: Spot | Place, topic: int | None = None) -> Delivery:
        """The delivery to a chat that waits with a reason, once there is one."""

        async def postponed() -> Delivery | None:
            if not any(state == "pending" and reason for state, _, reason in self._rows(chat, topic)):
                return None
            found = await self.deliveries(chat, topic)
            return next((d for d in found if d.state == "pending" and d.reason), None)

        return await self.until(postponed)

    async def is_in(self, chat: Spot | Place, state: str, topic: int | None = None) -> Chat:
        """The chat, once the store knows it in this state."""
        place = self._at(chat, topic)

        async def there() -> Chat | None:
            query = "SELECT state FROM chats WHERE platform = ? AND address = ? AND topic = ?"
            if self.read(query, place.platform, place.address, place.topic) != [(state,)]:
                return None
            known = await self.known(chat, topic)
            return known if known.state == state else None

        return await self.until(there)

    def read(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Rows past the store, for what is asked often; each new connection would read the schema anew."""
        if self._database is None:
            self._database = self._connect()
        return self._database.execute(query, values).fetchall()

    async def write(self, statement: str, *values: object) -> None:
        """Write past the store, in a thread: the program may hold the lock and need the event loop."""
        await asyncio.to_thread(self._write, statement, values)

    def _write(self, statement: str, values: Sequence[object]) -> None:
        with closing(self._connect()) as database, database:
            database.execute(statement, values)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.settings.database_url.removeprefix("sqlite:///"), timeout=PATIENCE)
