"""Skywave as it runs, in this process: the real application and Telegram adapter on an emulated Telegram."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from bot.app import App, Runner, build
from bot.platforms.telegram.adapter import TelegramAdapter
from bot.platforms.telegram.limits import limits
from bot.platforms.telegram.transport import READ_TIMEOUT
from bot.platforms.types import Adapter
from bot.settings import Settings, load_settings
from content.types import Visibility
from scheduler import membership
from scheduler.ports import DeliveryFilter
from scheduler.types import Chat as Known
from scheduler.types import ChatKind, Delivery, OnUnknown, PartState, Place
from tests.e2e.program import FeedServer, item, json_feed
from tests.emulators.telegram import Chat, Message, TelegramEmulator

FEED = "/feed"
KINDS = {"private": ChatKind.PRIVATE, "channel": ChatKind.CHANNEL}
PATIENCE = 30.0  # seconds after which a test that waits has failed
LOOK = 0.005  # seconds between two looks at the store, which tells nobody of changes

Found = TypeVar("Found")


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


class Live:
    """One deployment. It can be stopped and started again; what it knows is in its folder."""

    def __init__(
        self,
        tg: TelegramEmulator,
        feeds: FeedServer,
        settings: Settings,
        *,
        read_timeout: float = READ_TIMEOUT,
        others: Sequence[Adapter] = (),
        clock: SkippingClock | None = None,
    ) -> None:
        self.tg, self.feeds, self.settings = tg, feeds, settings
        self.clock = clock or SkippingClock()
        self._read_timeout, self._others = read_timeout, others
        self._items: list[Mapping[str, Any]] = []
        self.app: App
        self.runner: Runner
        self.task: asyncio.Task[None] | None = None
        self._stack = AsyncExitStack()

    async def open(self) -> None:
        """Wire the application, without running it."""
        self.app = await self._stack.enter_async_context(build(self.settings, clock=self.clock, seed=7))

    def start(self) -> None:
        """Run it, as `skywave run` does."""
        assert self.settings.telegram_token is not None
        adapter = TelegramAdapter(
            self.settings.telegram_token.get_secret_value(),
            self.settings.telegram_api_url,
            limits(self.settings),
            read_timeout=self._read_timeout,
            sleep=self.clock.sleep,
            monotonic=self.clock.monotonic,
        )
        self.runner = Runner(self.app, [adapter, *self._others])
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

    async def restart(self) -> None:
        """Stop it, and start a new one on the same folder."""
        await self.close()
        self._stack = AsyncExitStack()
        await self.open()
        self.start()

    # What people and the world do

    def serve(self, *items: Mapping[str, Any]) -> None:
        """Let the feed have these items on top."""
        self._items = [*items, *self._items]
        self.feeds.documents[FEED] = json_feed(*self._items)

    async def add_source(self) -> None:
        await self.app.ingest.add(f"{self.feeds.url}{FEED}", Visibility.PUBLIC)

    async def publish(self, *items: Mapping[str, Any] | str) -> None:
        """Let new posts appear in the feed, and be found there."""
        self.serve(*(item(one) if isinstance(one, str) else one for one in items))
        async with self.app.store.read() as work:
            (source,) = [s for s in await work.sources.all() if s.url.startswith("http")]
        result = await self.app.ingest.poll(source)
        assert not result.error, result.error

    async def follow(
        self, chat: Chat, *, topic: int | None = None, on_unknown: OnUnknown | None = None
    ) -> Known:
        """Let a chat, or one of its topics, follow everything that is public."""
        place = self.place(chat, topic)
        async with self.app.store.write() as work:
            known = await work.chats.ensure(
                place, title=chat.title, kind=KINDS.get(chat.type, ChatKind.GROUP)
            )
            await work.subscriptions.add(known.id, None)
            await work.commit()
        if on_unknown is not None:
            self._write("UPDATE chats SET on_unknown = ? WHERE id = ?", on_unknown, known.id)
        return known

    async def notify(self, chat: Chat, text: str) -> None:
        """Send a notice through the outbox."""
        async with self.app.store.write() as work:
            await membership.notify(work, self.place(chat), text, self.clock.now())
            await work.commit()
        self.app.services.wake()

    def skip(self, seconds: float) -> None:
        """Let time pass, and the dispatcher look at what is due now."""
        self.clock.skip(seconds)
        self.app.services.wake()

    # What became of it

    @staticmethod
    def place(chat: Chat, topic: int | None = None) -> Place:
        return Place("telegram", str(chat.id), str(topic or ""))

    async def known(self, chat: Chat, topic: int | None = None) -> Known:
        """The chat as the store has it."""
        async with self.app.store.read() as work:
            found = await work.chats.find(self.place(chat, topic))
        assert found is not None
        return found

    async def deliveries(self, chat: Chat, topic: int | None = None) -> Sequence[Delivery]:
        """The deliveries to a chat, oldest first."""
        known = await self.known(chat, topic)
        async with self.app.store.read() as work:
            found = await work.outbox.find(DeliveryFilter(chat_id=known.id), 100)
        return sorted(found, key=lambda delivery: delivery.id)

    async def states(self, chat: Chat, topic: int | None = None) -> list[str]:
        return [str(delivery.state) for delivery in await self.deliveries(chat, topic)]

    async def parts(self, chat: Chat, topic: int | None = None) -> list[PartState]:
        """The states of the parts of all deliveries to a chat."""
        return [part.state for one in await self.deliveries(chat, topic) for part in one.parts]

    def ledger(self, chat: Chat, topic: int | None = None) -> dict[str, str]:
        """What the ledger says of a chat, by the titles of the posts."""
        rows = self._read(
            "SELECT posts.title, ledger.state FROM ledger JOIN posts ON posts.id = ledger.post_id"
            " JOIN chats ON chats.id = ledger.chat_id WHERE chats.address = ? AND chats.topic = ?",
            str(chat.id),
            str(topic or ""),
        )
        return {str(title): str(state) for title, state in rows}

    def chat_states(self) -> set[str]:
        """The states of all chats, at this moment."""
        return {str(state) for (state,) in self._read("SELECT state FROM chats")}

    def texts(self, chat: Chat, thread: int | None = None) -> list[str]:
        """What the bot has written in a chat, oldest first."""
        return [message.text for message in self.tg.messages(chat, thread)]

    def posts(self, chat: Chat, thread: int | None = None) -> list[str]:
        """The first lines of the posts that arrived in a chat."""
        return [
            text.splitlines()[0] for text in self.texts(chat, thread) if text.splitlines()[0][:5] == "Post "
        ]

    async def until(self, condition: Callable[[], Awaitable[Found | None]]) -> Found:
        """The first true value of `condition`, which reads the store; TimeoutError if it never comes."""
        async with asyncio.timeout(PATIENCE):
            while not (value := await condition()):
                await asyncio.sleep(LOOK)
        return value

    async def ended(self, chat: Chat, topic: int | None = None) -> list[str]:
        """The states of a chat's deliveries, once none is open any more."""

        async def all_closed() -> list[str] | None:
            states = await self.states(chat, topic)
            return states if states and not {"pending", "claimed"} & set(states) else None

        return await self.until(all_closed)

    async def ended_at_last(self, chat: Chat, topic: int | None = None) -> list[str]:
        """The same for a chat whose deliveries wait: time passes until they are due."""

        async def all_closed() -> list[str] | None:
            found = await self.deliveries(chat, topic)
            waiting = [d.due_at for d in found if d.state == "pending" and d.due_at > self.clock.now()]
            if waiting:
                self.skip((min(waiting) - self.clock.now()).total_seconds())
            is_open = [d for d in found if d.state in ("pending", "claimed")]
            return None if is_open or not found else [str(d.state) for d in found]

        return await self.until(all_closed)

    async def parts_are(self, chat: Chat, *states: str) -> bool:
        """Whether these are the states of all parts to a chat; for `until`."""
        return await self.parts(chat) == list(states)

    async def in_state(self, chat: Chat, state: str, topic: int | None = None) -> Known | None:
        """The chat, if the store knows it in this state; for `until`."""
        async with self.app.store.read() as work:
            found = await work.chats.find(self.place(chat, topic))
        return found if found and found.state == state else None

    async def waits(self, chat: Chat, topic: int | None = None) -> Delivery:
        """The delivery to a chat that waits with a reason, once there is one."""

        async def postponed() -> Delivery | None:
            found = await self.deliveries(chat, topic)
            return next((d for d in found if d.state == "pending" and d.reason), None)

        return await self.until(postponed)

    async def answer(self, chat: Chat, text: str, **said: Any) -> Message:
        """Say something and return what the bot answers to it."""
        before = len(self.tg.messages(chat))
        self.tg.say(chat, text, **said)
        return (
            await self.tg.wait_for(lambda: self.tg.messages(chat)[before:] or None, PATIENCE)
            and (self.tg.messages(chat)[before])
        )

    async def barrier(self) -> None:
        """Return when all that people did before has been handled to its end."""
        zoe = self.tg.private(self.tg.user("Zoe"))
        await self.answer(zoe, "/help")  # so everything before it was taken up
        await self.stop()  # which finishes it
        self.start()

    async def looked(self) -> None:
        """Return when the dispatcher has dealt with all that was due: a notice to Zoe, due last, has left."""
        zoe = self.tg.private(self.tg.user("Zoe"))
        await self.notify(zoe, "Are you there?")
        await self.ended(zoe)

    def _database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.settings.database_url.removeprefix("sqlite:///"), timeout=5)

    def _read(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with closing(self._database()) as database:
            return database.execute(query, values).fetchall()

    def _write(self, statement: str, *values: object) -> None:
        with closing(self._database()) as database, database:
            database.execute(statement, values)


@asynccontextmanager
async def live(
    tg: TelegramEmulator,
    folder: Path,
    *,
    run: bool = True,
    read_timeout: float = READ_TIMEOUT,
    others: Sequence[Adapter] = (),
    clock: SkippingClock | None = None,
    **settings: Any,
) -> AsyncIterator[Live]:
    """A deployment with one public feed, which has one old post; running, unless `run` is False."""
    given: dict[str, Any] = {
        "database_url": f"sqlite:///{folder / 'skywave.db'}",
        "telegram_token": tg.token,
        "telegram_api_url": tg.url,
        "poll_interval": 3600,
        "allowed_networks": "127.0.0.0/8",
    }
    async with FeedServer().serving() as feeds:
        made = Live(
            tg,
            feeds,
            load_settings(**given | settings),
            read_timeout=read_timeout,
            others=others,
            clock=clock,
        )
        await made.open()
        try:
            made.serve(item("old"))
            await made.add_source()
            if run:
                made.start()
            yield made
        finally:
            await made.close()
