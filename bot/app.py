"""The composition root: settings in, a running Skywave out. Every dependency can be replaced."""

import asyncio
import os
import random
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TypeVar
from zoneinfo import ZoneInfo

import structlog
from filelock import FileLock, Timeout

import content
from bot.commands import COMMANDS, PRESSES
from bot.commands.flood import Flood
from bot.commands.router import Router
from bot.commands.types import Services
from bot.metrics import Health
from bot.platforms import discord, telegram, terminal
from bot.platforms.types import Adapter, PlatformSpec, Wiring
from bot.settings import Settings
from bot.watchdog import ClockCheck
from content import present
from content.document import Document
from content.errors import StoreError, StoreReadOnly
from content.fetch import HttpFetcher
from content.i18n import Translator, negotiate
from content.parsers import ParserPool
from content.present import Look
from content.sources import Parser, ReadContext
from content.types import Post, Visibility
from scheduler import membership
from scheduler.delivery.dispatch import Dispatcher
from scheduler.delivery.pacer import Pacer
from scheduler.errors import PlatformStopped
from scheduler.intake.ingest import Ingest
from scheduler.intake.polling import Poller
from scheduler.leases import RENEWAL, Leases
from scheduler.ports import Clock
from scheduler.quotas import Quotas
from scheduler.timetable.digests import Digests
from scheduler.timetable.drafts import Drafts
from scheduler.timetable.jobs import Jobs, Tick
from scheduler.types import BroadcastKind, Chat, Delivery, Place
from scheduler.upkeep import Keep, Upkeep
from storage.database import PRIVATE, sqlite_file
from storage.unit_of_work import SqlStore

log = structlog.get_logger(__name__)

T = TypeVar("T")

# What a deployment can speak to. A new platform is a line here.
PLATFORMS: tuple[PlatformSpec, ...] = (telegram.SPEC, discord.SPEC, terminal.SPEC)

# The longest time between two looks at what is due.
POLL_TICK = timedelta(seconds=1)
DUE_TICK = timedelta(seconds=5)
UPKEEP_TICK = timedelta(hours=1)
# What is in flight at the end gets this long, seconds; what still waits then is cancelled.
GRACE = 15.0
# What was cancelled, and what is told to the store last, gets this long, seconds.
LAST = 2.0


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return monotonic()

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            await asyncio.sleep(seconds)


def examples_folder() -> Path:
    """The posts that are shown while there is no source: packed with `content`, or in the checkout."""
    packed = Path(content.__file__).parent / "examples"
    return packed if packed.is_dir() else Path(content.__file__).parent.parent / "examples" / "posts"


@dataclass(slots=True)
class App:
    """All parts, wired. `wakers` are those of the dispatchers that run."""

    settings: Settings
    store: SqlStore
    fetcher: HttpFetcher
    clock: Clock
    rng: random.Random
    wakers: list[Callable[[], None]]
    ingest: Ingest
    poller: Poller
    digests: Digests
    upkeep: Upkeep
    services: Services
    router: Router

    def compose(self, delivery: Delivery, posts: Sequence[Post]) -> Document:
        """What a delivery shows."""
        look = make_look(self.settings, delivery.chat)
        broadcast = delivery.broadcast
        match broadcast.kind:
            case BroadcastKind.NOTICE:
                return present.notice(look.translator.t(broadcast.body, **broadcast.values))
            case BroadcastKind.POST:
                return present.post(posts[0], look)
            case BroadcastKind.EDITION:
                return present.edition(posts, look, title=broadcast.title, more=broadcast.more)

    async def ensure_examples(self) -> None:
        """Have the example posts in the store, so that a new deployment shows something."""
        async with self.store.read() as work:
            if await work.sources.all():
                return
        await self.ingest.add(str(examples_folder()), Visibility.EXAMPLE, title="examples")


def kept(settings: Settings) -> Keep:
    """How long things are kept."""
    return Keep(
        posts=timedelta(days=settings.keep_posts) if settings.keep_posts else None,
        deliveries=timedelta(days=settings.keep_deliveries),
        searches=timedelta(days=settings.keep_searches),
        drafts=timedelta(days=settings.keep_drafts),
        audit=timedelta(days=settings.keep_audit),
    )


def make_look(settings: Settings, chat: Chat, locale: str = "") -> Look:
    """How things are shown in a chat; `locale` is the person's, for a chat without a language of its own."""
    return Look(
        banner=settings.banner,
        heading=settings.heading,
        excerpt_length=settings.excerpt_length,
        translator=Translator(negotiate(chat.language, locale, settings.language)),
        timezone=ZoneInfo(chat.timezone) if chat.timezone else settings.zone,
    )


@asynccontextmanager
async def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    seed: int | None = None,
    parser: Parser | None = None,
) -> AsyncIterator[App]:
    """Open the store and wire everything to it; closed again at the end.

    `parser` reads outside text in place of worker processes. Raises SettingsError and StoreError.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        store = await SqlStore.open(settings.database_url)
        stack.push_async_callback(store.close)
        fetcher = HttpFetcher(allowed_networks=settings.allowed_networks)
        stack.push_async_callback(fetcher.close)
        for_people = HttpFetcher()
        stack.push_async_callback(for_people.close)
        quotas = Quotas(
            chat_sources=settings.chat_sources,
            person_sources=settings.person_sources,
            private_sources=settings.private_sources,
            posts_per_day=settings.posts_per_day,
            post_length=settings.post_length,
        )
        pool = ParserPool()
        stack.push_async_callback(pool.close)
        parser = parser or pool
        wakers: list[Callable[[], None]] = []

        def wake() -> None:
            for waker in wakers:
                waker()

        context = ReadContext(fetcher, max_posts=settings.source_posts, parser=parser)
        days = timedelta(days=settings.keep_tombstones)
        ingest = Ingest(
            store,
            context,
            clock,
            settings.interval,
            wake,
            days,
            for_people=for_people,
            quotas=quotas,
        )
        services = Services(
            store=store,
            ingest=ingest,
            drafts=Drafts(store, clock, wake, parser),
            clock=clock,
            page_size=settings.page_size,
            timezone=settings.timezone,
            look=partial(make_look, settings),
            wake=wake,
            commands=COMMANDS,
            presses=PRESSES,
            access=settings.access,
            quotas=quotas,
        )
        yield App(
            settings=settings,
            store=store,
            fetcher=fetcher,
            clock=clock,
            rng=random.Random(seed),
            wakers=wakers,
            ingest=ingest,
            poller=Poller(store, ingest, clock),
            digests=Digests(store, clock, wake),
            upkeep=Upkeep(store, clock, kept(settings)),
            services=services,
            router=Router(
                services,
                settings.operators | {terminal.ACTOR},
                Flood(settings.commands_per_minute, clock),
            ),
        )


@contextmanager
def sole_process(settings: Settings) -> Iterator[bool]:
    """Whether no other process runs on this SQLite file; on PostgreSQL leases settle that."""
    path = sqlite_file(settings.database_url)
    if path is None:
        yield True
        return
    lock = FileLock(f"{path}.lock", mode=PRIVATE)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        yield False
        return
    except OSError as exc:
        raise StoreReadOnly(f"{path}.lock cannot be written: check the permissions of its folder") from exc
    try:
        yield True
    finally:
        lock.release()


class Runner:
    """Runs an app's platforms and ticks until told to stop, or until nobody is left to serve."""

    def __init__(self, app: App, adapters: Sequence[Adapter], *, grace: float = GRACE) -> None:
        self._app, self._adapters, self._grace = app, adapters, grace
        self._ends_at: float | None = None  # on the loop's clock
        self._stop = asyncio.Event()
        self._pacers = {adapter.name: Pacer(adapter.limits, app.clock) for adapter in adapters}
        self._serving: set[str] = set()  # platforms that are connected
        self.refused: dict[str, str] = {}  # platforms that stopped, and why

    def stop(self) -> None:
        """Take up nothing more, finish what is in flight, and end."""
        if self._ends_at is None:
            self._ends_at = asyncio.get_running_loop().time() + self._grace
        self._stop.set()

    def _left(self) -> float:
        """Seconds until what still waits is cancelled: one moment for all of the ending."""
        if self._ends_at is None:
            return self._grace
        return max(0.0, self._ends_at - asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Serve, once no other process does."""
        app = self._app
        names = ["ticks", *(adapter.name for adapter in self._adapters)]
        holder = f"{socket.gethostname()}:{os.getpid()}:{app.rng.getrandbits(32):08x}"
        leases = Leases(app.store, app.clock, holder, at_once=app.store.is_sqlite)
        epochs = await self._unless_stopped(leases.acquire(names))
        if epochs is None:
            return
        await app.ensure_examples()
        await app.digests.refresh()
        jobs = Jobs(self._ticks(leases, names))
        jobs.start()
        watching = asyncio.create_task(ClockCheck(app.clock).watch(jobs.look_now))
        try:
            await self._serve(epochs)
        finally:
            watching.cancel()
            await self._give_up_after(self._left() + LAST, jobs.stop(), "ticks")
            await self._give_up_after(LAST, app.poller.stop(), "reads")
            await self._give_up_after(LAST, leases.release(names), "leases")

    async def _give_up_after(self, seconds: float, work: Coroutine[None, None, None], what: str) -> None:
        """Do a last thing, unless it takes too long or the store does not answer: another process can."""
        try:
            async with asyncio.timeout(seconds):
                await work
        except (TimeoutError, StoreError) as exc:
            log.warning("end.cut_off", what=what, reason=str(exc) or "it took too long")

    async def listen_only(self) -> None:
        """Answer people beside another process that does the rest."""
        await self._app.ensure_examples()
        for adapter in self._adapters:
            await adapter.listen(self._wiring(self._pacers[adapter.name], self._app.services.wake))

    async def health(self) -> Health:
        """What metrics and readiness need to know now."""
        problems = {
            adapter.name: self.refused.get(adapter.name, "not connected yet")
            for adapter in self._adapters
            if adapter.name not in self._serving
        }
        try:
            async with self._app.store.read() as work:
                counts, unknowns = await work.outbox.counts(), await work.outbox.unknowns()
                last_read = await work.sources.last_read()
        except StoreError as exc:
            return Health({}, 0, {}, problems | {"store": str(exc)})
        unread = (self._app.clock.now() - last_read).total_seconds() if last_read else 0.0
        used = {name: pacer.used() for name, pacer in self._pacers.items()}
        states = {str(state): count for state, count in counts.items()}
        return Health(states, unknowns, used, problems, unread)

    def _ticks(self, leases: Leases, names: Sequence[str]) -> list[Tick]:
        app = self._app

        async def renew() -> None:
            if await leases.renew(names) is None:
                log.error("lease.lost", next_step="another process has taken over; this one ends")
                self.stop()

        ticks = [
            Tick("poll", POLL_TICK, app.poller.poll_due),
            Tick("digests", DUE_TICK, app.digests.run_due),
            Tick("drafts", DUE_TICK, app.services.drafts.publish_due),
            Tick("upkeep", UPKEEP_TICK, app.upkeep.run),
        ]
        return ticks if app.store.is_sqlite else [*ticks, Tick("leases", RENEWAL, renew)]

    def _wiring(self, pacer: Pacer, wake: Callable[[], None]) -> Wiring:
        return Wiring(self._app.router, pacer, self._app.store, self._app.clock, wake)

    async def _serve(self, epochs: Mapping[str, int]) -> None:
        async with asyncio.TaskGroup() as group:
            for adapter in self._adapters:
                group.create_task(self._platform(adapter, epochs[adapter.name]))

    async def _platform(self, adapter: Adapter, epoch: int) -> None:
        """Listen and dispatch for one platform; that it stops does not end the others."""
        app = self._app
        pacer = self._pacers[adapter.name]
        dispatcher = Dispatcher(app.store, adapter.platform, app.compose, pacer, app.clock, app.rng, epoch)
        try:
            await self._unless_stopped(adapter.open())
            if not self._stop.is_set():
                app.wakers.append(dispatcher.wake)
                self._serving.add(adapter.name)
                await self._both(adapter.listen(self._wiring(pacer, dispatcher.wake)), dispatcher)
        except PlatformStopped as exc:
            await self._tell_operators(adapter.name, exc)
        finally:
            self._serving.discard(adapter.name)
            await self._give_up_after(self._left() + LAST, adapter.close(self._left()), adapter.name)

    async def _unless_stopped(self, waiting: Coroutine[None, None, T]) -> T | None:
        """The result, or None if a stop was asked for before there was one."""
        task, stop = asyncio.create_task(waiting), asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in (task, stop):
                one.cancel()
            await asyncio.wait({task, stop})
        return None if task.cancelled() else task.result()

    async def _both(self, listening: Coroutine[None, None, None], dispatcher: Dispatcher) -> None:
        """Until either ends or a stop is asked for; then what is in flight is finished."""
        listen = asyncio.create_task(listening)
        dispatch = asyncio.create_task(dispatcher.run())
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({listen, dispatch, stop}, return_when=asyncio.FIRST_COMPLETED)
            dispatcher.stop()
            listen.cancel()
            await asyncio.wait({dispatch, listen}, timeout=self._left())
        finally:
            for task in (listen, dispatch, stop):
                task.cancel()
            _, left = await asyncio.wait({listen, dispatch, stop}, timeout=self._left() + LAST)
            if left:
                log.warning("end.cut_off", what="deliveries", reason="the store does not answer")
        for error in [
            task.exception() for task in (listen, dispatch) if task.done() and not task.cancelled()
        ]:
            if error is not None:
                raise error
        if dispatcher.stopped:
            raise dispatcher.stopped

    async def _tell_operators(self, platform: str, error: PlatformStopped) -> None:
        """Say once, in the log and on every other platform, that one has stopped."""
        self.refused[platform] = str(error)
        log.error("platform.stopped", platform=platform, reason=str(error))
        now = self._app.clock.now()
        serving = {adapter.name for adapter in self._adapters} - set(self.refused)
        try:
            async with self._app.store.write() as work:
                for operator in self._app.settings.operators:
                    name, _, address = operator.partition(":")
                    if name in serving:
                        place = Place(name, address)
                        await membership.notify(work, place, error.message, now, values=error.values)
                await work.commit()
        except StoreError as exc:  # the log has it, and the other platforms go on
            log.error("store.unavailable", reason=str(exc), next_step="the operators are not told in chats")
        self._app.services.wake()
