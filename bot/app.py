"""The composition root: settings in, a running Skywave out. Every dependency can be replaced."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic
from zoneinfo import ZoneInfo

from filelock import FileLock, Timeout

import content
from bot.commands import COMMANDS, PRESSES
from bot.commands.flood import Flood
from bot.commands.router import Router
from bot.commands.types import Services
from bot.platforms import PLATFORMS
from bot.settings import Settings
from content import present
from content.document import Document
from content.errors import StoreReadOnly
from content.fetch import LateFetcher
from content.i18n import Translator, negotiate
from content.parsers import ParserPool
from content.present import Look
from content.sources import Parser, ReadContext
from content.types import Post, Visibility
from scheduler.actions.audit import UPKEEP
from scheduler.intake.indexing import Indexing
from scheduler.intake.ingest import Ingest
from scheduler.intake.polling import Poller
from scheduler.ports import Clock
from scheduler.timetable.digests import Digests
from scheduler.timetable.drafts import Drafts
from scheduler.timetable.quiet import Quiet
from scheduler.types import BroadcastKind, Chat, Delivery
from scheduler.upkeep import Keep, Upkeep
from storage.database import PRIVATE, sqlite_file
from storage.unit_of_work import SqlStore


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
    """The folder of the example posts, which are shown while there is no source.

    An installed package has it in `content`, a checkout of the repository in `examples`.
    """
    packed = Path(content.__file__).parent / "examples"
    return packed if packed.is_dir() else Path(content.__file__).parent.parent / "examples" / "posts"


@dataclass(slots=True)
class App:
    """All parts, wired. `wakers` wake the running dispatchers."""

    settings: Settings
    store: SqlStore
    clock: Clock
    rng: random.Random
    wakers: list[Callable[[], None]]
    ingest: Ingest
    poller: Poller
    indexing: Indexing
    digests: Digests
    quiet: Quiet
    upkeep: Upkeep
    services: Services
    router: Router

    def compose(self, delivery: Delivery, posts: Sequence[Post]) -> Document:
        """The document that a delivery sends."""
        look = replace(make_look(self.settings, delivery.chat), format=delivery.format)
        broadcast = delivery.broadcast
        match broadcast.kind:
            case BroadcastKind.NOTICE:
                return present.notice(look.translator.t(broadcast.body, **broadcast.values))
            case BroadcastKind.POST:
                return present.post(posts[0], look)
            case BroadcastKind.EDITION:
                return present.edition(posts, look, title=broadcast.title, more=broadcast.more)

    async def ensure_examples(self) -> None:
        """Import the example posts if there is no source, so that a new deployment shows something."""
        async with self.store.read() as work:
            if await work.sources.all():
                return
        await self.ingest.add(str(examples_folder()), Visibility.EXAMPLE, title="examples", by=UPKEEP)


def kept(settings: Settings) -> Keep:
    """The retention periods of the settings."""
    return Keep(
        posts=timedelta(days=settings.keep_posts) if settings.keep_posts else None,
        deliveries=timedelta(days=settings.keep_deliveries),
        searches=timedelta(days=settings.keep_searches),
        drafts=timedelta(days=settings.keep_drafts),
        audit=timedelta(days=settings.keep_audit),
    )


def make_look(settings: Settings, chat: Chat, locale: str = "") -> Look:
    """How posts are presented in a chat. `locale` is the person's; the chat's own language has priority."""
    return Look(
        banner=settings.banner,
        heading=settings.heading,
        excerpt_length=settings.excerpt_length,
        translator=Translator(negotiate(chat.language, locale, settings.language)),
        timezone=ZoneInfo(chat.timezone) if chat.timezone else settings.zone,
        format=chat.format,
    )


@asynccontextmanager
async def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    seed: int | None = None,
    parser: Parser | None = None,
) -> AsyncIterator[App]:
    """Open the store and wire all parts to it; everything is closed when the block ends.

    `parser` replaces the worker processes that parse outside text. Raises SettingsError and StoreError.
    """
    clock = clock or SystemClock()
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
            quotas=settings.quotas,
        )
        poller = Poller(store, ingest, clock)
        services = Services(
            settings=settings,
            store=store,
            ingest=ingest,
            drafts=Drafts(store, clock, wake, parser),
            clock=clock,
            look=partial(make_look, settings),
            wake=wake,
            commands=COMMANDS,
            presses=PRESSES,
        )
        yield App(
            settings=settings,
            store=store,
            clock=clock,
            rng=random.Random(seed),
            wakers=wakers,
            ingest=ingest,
            poller=poller,
            indexing=Indexing(store, context, lambda: poller.running > 0),
            digests=Digests(store, clock, wake),
            quiet=Quiet(store, clock, wake),
            upkeep=Upkeep(store, clock, kept(settings)),
            services=services,
            router=Router(
                services,
                settings.operators | {str(platform.here) for platform in PLATFORMS if platform.here},
                Flood(settings.commands_per_minute, clock),
            ),
        )


@contextmanager
def sole_process(settings: Settings) -> Iterator[bool]:
    """Lock the SQLite file; yields False if another process holds the lock. PostgreSQL uses leases instead.

    Raises StoreReadOnly.
    """
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
