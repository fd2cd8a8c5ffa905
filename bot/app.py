"""The composition root: settings in, a running Skywave out. Every dependency can be replaced."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path

import content
from bot.commands import COMMANDS, PRESSES
from bot.commands.flood import Flood
from bot.commands.router import Router
from bot.commands.types import Services
from bot.engine import Engine, open_engine
from bot.look import make_look
from bot.platforms import PLATFORMS
from bot.settings import Settings
from content import present
from content.document import Document
from content.sources import Parser
from content.types import Post, Visibility
from scheduler.actions.audit import UPKEEP
from scheduler.actions.shown import LastShown
from scheduler.ports import Clock
from scheduler.push.receiving import Receiver
from scheduler.timetable.digests import Digests
from scheduler.timetable.drafts import Drafts
from scheduler.timetable.quiet import Quiet
from scheduler.types import BroadcastKind, Delivery
from scheduler.upkeep import Keep, Upkeep


def examples_folder() -> Path:
    """The folder of the example posts, which are shown while there is no source.

    An installed package has it in `content`, a checkout of the repository in `examples`.
    """
    packed = Path(content.__file__).parent / "examples"
    return packed if packed.is_dir() else Path(content.__file__).parent.parent / "examples" / "posts"


@dataclass
class App(Engine):
    """The engine with all that talks to people."""

    rng: random.Random

    @cached_property
    def receiver(self) -> Receiver:
        """Takes what hubs and webhooks send."""
        return Receiver(self.store, self.ingest, self.clock)

    @cached_property
    def digests(self) -> Digests:
        """Makes broadcasts of digests."""
        return Digests(self.store, self.clock, self.wake)

    @cached_property
    def quiet(self) -> Quiet:
        """Makes broadcasts of what waited for the end of quiet hours."""
        return Quiet(self.store, self.clock, self.wake)

    @cached_property
    def upkeep(self) -> Upkeep:
        """Deletes old rows."""
        return Upkeep(self.store, self.clock, kept(self.settings))

    @cached_property
    def shown(self) -> LastShown:
        """Remembers what chats were shown last."""
        return LastShown(self.store)

    @cached_property
    def services(self) -> Services:
        """What commands use."""
        return Services(
            settings=self.settings,
            store=self.store,
            ingest=self.ingest,
            drafts=Drafts(self.store, self.clock, self.wake, self.parser),
            clock=self.clock,
            look=partial(make_look, self.settings),
            wake=self.wake,
            shown=self.shown,
            commands=COMMANDS,
            presses=PRESSES,
        )

    @cached_property
    def router(self) -> Router:
        """Finds the command of a call, and answers it."""
        operators = self.settings.operators | {str(platform.here) for platform in PLATFORMS if platform.here}
        return Router(self.services, operators, Flood(self.settings.commands_per_minute, self.clock))

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
        await self.indexing.run()  # the first thing that somebody types may be a search


def kept(settings: Settings) -> Keep:
    """The retention periods of the settings."""
    return Keep(
        posts=timedelta(days=settings.keep_posts) if settings.keep_posts else None,
        of_source=settings.keep_of_source,
        deliveries=timedelta(days=settings.keep_deliveries),
        searches=timedelta(days=settings.keep_searches),
        drafts=timedelta(days=settings.keep_drafts),
        audit=timedelta(days=settings.keep_audit),
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

    See `open_engine`, also for what it raises.
    """
    async with open_engine(settings, clock=clock, parser=parser) as engine:
        parts = {field.name: getattr(engine, field.name) for field in fields(Engine)}
        app = App(**parts, rng=random.Random(seed))
        try:
            yield app
        finally:
            await app.router.settled()
            await app.shown.settled()
