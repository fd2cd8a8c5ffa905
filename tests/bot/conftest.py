"""People in chats: the router over a real store, with everything around it faked."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import pytest
from structlog.testing import capture_logs

from bot.access import AccessMode
from bot.commands import COMMANDS, PRESSES
from bot.commands.flood import Flood
from bot.commands.router import Router
from bot.commands.types import Call, Question, Reach, Reply, Services
from bot.settings import Settings
from content.document import block_text
from content.i18n import Translator, negotiate
from content.parsers import ParserPool
from content.present import Look
from content.sources import ReadContext
from content.types import Source, Visibility
from scheduler.actions.shown import LastShown
from scheduler.history import MessagePlace
from scheduler.intake.indexing import Indexing
from scheduler.intake.ingest import Ingest
from scheduler.quotas import Quotas
from scheduler.rhythm import Bounds
from scheduler.timetable.drafts import Drafts
from scheduler.types import Chat, ChatKind, Place
from tests.bot.live import write_feed
from tests.conftest import open_migrated
from tests.fakes import FakeClock, FakeFetcher, ParserHere, WatchedStore
from tests.scheduler.conftest import json_feed

P = ParamSpec("P")
T = TypeVar("T")

FEED = "https://example.org/feed.json"
OPERATOR = "fake:1000"
PAGE_SIZE = 3
# Commands of one person, more than a test about something else gives.
PER_MINUTE = 1000


async def inline(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    return function(*args, **kwargs)


def look(chat: Chat, locale: str) -> Look:
    return Look(translator=Translator(negotiate(chat.language, locale)), excerpt_length=60)


def shown(reply: Reply | None) -> str:
    """What a reply says, a line a block."""
    assert reply is not None
    return "\n".join(block_text(block) for block in reply.document.blocks)


@dataclass
class Desk:
    """`say` is a command in a chat, `press` a button there."""

    store: WatchedStore
    fetcher: FakeFetcher
    services: Services
    router: Router
    asked: list[str] = field(default_factory=list)  # whose rights were looked up

    def call(
        self,
        line: str,
        *,
        place: str = "1",
        platform: str = "fake",
        kind: ChatKind = ChatKind.GROUP,
        actor: str = "fake:7",
        admin: bool = True,
        locale: str = "en",
        about: MessagePlace | None = None,
        alone: bool = True,
        reach: Reach | None = None,
    ) -> Call:
        """The call of a line. Others do not see it unless `alone` is false, so the person's locale counts."""

        async def is_admin() -> bool:
            self.asked.append(actor)
            return admin

        name, _, arguments = line.removeprefix("/").partition(" ")
        where, title = Place(platform, place), f"chat {place}"
        return Call(name, arguments, where, kind, title, actor, locale, is_admin, about, alone, reach=reach)

    async def say(self, line: str, **who: Any) -> Reply | None:
        return await self.router.command(self.call(line, **who))

    async def press(
        self,
        data: str,
        *,
        offered: Sequence[str] | None = None,
        typed: str | None = None,
        link: str = "",
        **who: Any,
    ) -> Reply | None:
        """Press a button; of a message that has others, if they are given. `typed` answers its question.

        `link` is where the message's link leads.
        """
        shown, call = [data] if offered is None else offered, self.call(f" {typed or link}", **who)
        reply = await self.router.press(data, call, shown, answered=typed is not None)
        assert not isinstance(reply, Question)
        return reply

    async def paste(self, text: str, **who: Any) -> Reply | None:
        """Send a text in a private chat."""
        return await self.router.text(self.call(f" {text}", **{"kind": ChatKind.PRIVATE} | who))

    async def ask(self, data: str, **who: Any) -> Question:
        """Press a button that asks a question."""
        question = await self.router.press(data, self.call("", **who), [data])
        assert isinstance(question, Question)
        return question

    async def publish(self, *texts: str, url: str = FEED, site: str = "") -> None:
        """The feed has these posts, newest last, and is polled if it is known."""
        self.fetcher.pages[url] = json_feed(*texts, site=site or url)
        async with self.store.read() as work:
            source = await work.sources.by_url(url)
        if source is not None:
            await self.services.ingest.poll(source)

    async def source(
        self, *texts: str, url: str = FEED, title: str = "Example", public: bool = True
    ) -> Source:
        """A source with these posts, which nobody is sent."""
        await self.publish(*texts, url=url)
        visibility = Visibility.PUBLIC if public else Visibility.PRIVATE
        added = (await self.services.ingest.add(url, visibility, title=title)).source
        await self.index()
        return added

    async def index(self) -> None:
        """Index what was stored without, as the program does every two seconds."""
        await Indexing(self.store, ReadContext(self.fetcher, inline), lambda: False).run()

    async def chat(self, place: str = "1") -> Chat:
        async with self.store.read() as work:
            chat = await work.chats.find(Place("fake", place))
        assert chat is not None
        return chat

    async def follows(self, place: str = "1") -> Sequence[int | None]:
        async with self.store.read() as work:
            return [s.source_id for s in await work.subscriptions.of((await self.chat(place)).id)]


@pytest.fixture(autouse=True)
def quiet(request: pytest.FixtureRequest) -> Iterator[None]:
    """What is logged is not printed."""
    with capture_logs():
        yield


@pytest.fixture
def workplace(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of the command line, with a migrated database.

    Sources are parsed in this process: each command would start a worker, which takes longer than the rest.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKYWAVE_DATABASE_URL", sqlite_url)
    monkeypatch.setattr(ParserPool, "call", ParserHere.call)
    return tmp_path


@pytest.fixture(scope="session")
def with_feed(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with one public feed, which has one old post. Tests copy it and do not open it."""
    path = tmp_path_factory.mktemp("feed") / "skywave.db"
    shutil.copy(migrated_file, path)
    asyncio.run(write_feed(path))
    return path


@pytest.fixture
def url_with_feed(with_feed: Path, tmp_path: Path) -> str:
    """The URL of a new SQLite file with one public feed, which has one old post; see Deployment.begin."""
    return f"sqlite:///{shutil.copy(with_feed, tmp_path / 'skywave.db')}"


@asynccontextmanager
async def open_desk(
    url: str,
    *,
    access: AccessMode = AccessMode.OPEN,
    quotas: Quotas | None = None,
    for_people: FakeFetcher | None = None,
) -> AsyncIterator[Desk]:
    inner = open_migrated(url)
    store, fetcher, clock = WatchedStore(inner), FakeFetcher(), FakeClock()
    quotas = quotas or Quotas()

    def wake() -> None:
        return

    settings = Settings(page_size=PAGE_SIZE, access=access, **asdict(quotas))
    services = Services(
        settings=settings,
        store=store,
        ingest=Ingest(
            store,
            ReadContext(fetcher, inline),
            clock,
            Bounds(timedelta(minutes=5), timedelta(minutes=5)),
            wake,
            for_people=for_people or fetcher,
            quotas=quotas,
        ),
        drafts=Drafts(store, clock, wake),
        clock=clock,
        look=partial(look),
        wake=wake,
        shown=LastShown(store),
        commands=COMMANDS,
        presses=PRESSES,
    )
    router = Router(services, {OPERATOR}, Flood(PER_MINUTE, clock))
    try:
        yield Desk(store, fetcher, services, router)
    finally:
        await router.settled()
        await services.shown.settled()
        await inner.close()


@pytest.fixture
async def desk(sqlite_url: str) -> AsyncIterator[Desk]:
    async with open_desk(sqlite_url) as made:
        yield made
