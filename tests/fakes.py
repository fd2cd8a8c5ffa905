"""Hand-written fakes of the ports: a clock, a platform, a fetcher, a parser, and a store that can fail."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from math import inf
from typing import Any, TypeVar, TypeVarTuple

from content.document import Document, block_text
from content.edge import guarded
from content.errors import FetchError, SourceError, StoreError
from content.fetch import LARGE, Fetched
from content.types import NO_HINTS, Hints, Validators
from scheduler.errors import SendError
from scheduler.ports import Store, UnitOfWork
from scheduler.types import Chat, ChatKind, Form, Limits, Message, Place, Rate, Sent

T = TypeVar("T")
Args = TypeVarTuple("Args")

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class FakeClock:
    """A clock that moves on when somebody sleeps. A `manual` one moves only when the test moves it."""

    def __init__(self, *, manual: bool = False) -> None:
        self._elapsed = 0.0
        self._manual = manual
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return 1000.0 + self._elapsed

    async def sleep(self, seconds: float) -> None:
        if self._manual and seconds > 0:
            woken = asyncio.Event()
            self._sleepers.append((self._elapsed + seconds, woken))
            await woken.wait()
            return
        # A timer must not fire early. If a wait were too small for a float, the sleeper would wait for ever.
        self.advance(max(seconds, 1e-6) if seconds > 0 else 0)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self._elapsed += seconds
        for deadline, woken in self._sleepers:
            if deadline <= self._elapsed:
                woken.set()

    @property
    def sleeping(self) -> int:
        return sum(not woken.is_set() for _, woken in self._sleepers)


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to the next send; if `place` is given, to the next send to that place.

    With `arrived`, the send fails but the message is in the chat.
    """

    error: BaseException
    place: Place | None = None
    arrived: bool = False


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message that is visible in a chat."""

    place: Place
    text: str
    form: Form
    posts: tuple[int, ...]
    key: str
    at: float
    silent: bool = False


async def _nothing(chat: Chat, message: Message, key: str) -> None:
    return


@dataclass
class FakePlatform:
    """A platform whose chats are lists of messages. `per_message` blocks go into one message.

    `attempts` are the keys of all sends in order, `arrived` the visible messages. `on_send` runs in a send,
    before its outcome. `published` are the keys of published messages, `unpublished` the errors of the next
    publications, in order. `rewritten` are the keys of all edits in order, `edit_faults` how the next ones
    end; None: well. `rich`: documents are sent in the rich form, except to channels.
    """

    clock: FakeClock
    deduplicates: bool = False
    per_message: int = 100
    on_send: Callable[[Chat, Message, str], Awaitable[None]] = _nothing
    recalls: Sent | SendError | None = None
    name: str = "fake"
    limits: Limits = field(default_factory=lambda: Limits(Rate(inf), {}))
    faults: list[Fault] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)
    arrived: list[Arrived] = field(default_factory=list)
    unpublished: list[SendError] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    rewritten: list[str] = field(default_factory=list)
    edit_faults: list[Fault | None] = field(default_factory=list)
    rich: bool = False

    def prefers_rich(self, document: Document, chat: Chat) -> bool:
        return self.rich and chat.kind is not ChatKind.CHANNEL

    def render(self, document: Document, form: Form) -> Sequence[Message]:
        carried = document.carried or ((),) * len(document.blocks)
        blocks = list(zip(document.blocks, carried, strict=True))
        return [
            Message(
                {"text": "\n".join(block_text(block) for block, _ in some), "form": str(form)},
                tuple(dict.fromkeys(post for _, posts in some for post in posts)),
            )
            for some in (blocks[n : n + self.per_message] for n in range(0, len(blocks), self.per_message))
        ]

    async def send(self, chat: Chat, message: Message, *, key: str, silent: bool = False) -> Sent:
        self.attempts.append(key)
        await self.on_send(chat, message, key)
        fault = next((fault for fault in self.faults if fault.place in (None, chat.place)), None)
        if fault is not None:
            self.faults.remove(fault)
        if fault is None or fault.arrived:
            self._take_in(chat, message, key, silent)
        if fault is not None:
            raise fault.error
        return Sent(chat.place.address, (key,))

    def _take_in(self, chat: Chat, message: Message, key: str, silent: bool) -> None:
        if self.deduplicates and any(seen.key == key for seen in self.arrived):
            return
        text, form = str(message.payload["text"]), Form(message.payload["form"])
        at = self.clock.monotonic()
        self.arrived.append(Arrived(chat.place, text, form, message.posts, key, at, silent))

    async def rewrite(self, sent: Sent, message: Message) -> None:
        (key,) = sent.message_ids
        self.rewritten.append(key)
        fault = self.edit_faults.pop(0) if self.edit_faults else None
        if fault is None or fault.arrived:
            text = str(message.payload["text"])
            self.arrived = [replace(one, text=text) if one.key == key else one for one in self.arrived]
        if fault is not None:
            raise fault.error

    async def recall(self, chat: Chat, message: Message, since: datetime) -> Sent | None:
        if isinstance(self.recalls, SendError):
            raise self.recalls
        return self.recalls

    async def publish(self, sent: Sent) -> None:
        if self.unpublished:
            raise self.unpublished.pop(0)
        self.published.extend(sent.message_ids)

    def texts(self, chat: Chat) -> list[str]:
        """The texts of one chat, in order."""
        return [seen.text for seen in self.arrived if seen.place == chat.place]


async def _no_fetch(url: str) -> None:
    return


@dataclass
class FakeFetcher:
    """Returns `pages` and raises `faults` by URL. `calls` are the requested URLs in order.

    `moved` maps a URL to its permanent new address, whose page is returned.
    """

    pages: dict[str, bytes] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    faults: dict[str, SourceError] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    on_fetch: Callable[[str], Awaitable[None]] = _no_fetch
    etag: str = ""
    hints: Hints = NO_HINTS

    async def fetch(self, url: str, validators: Validators, *, large: bool = False) -> Fetched:
        self.calls.append(url)
        await self.on_fetch(url)
        if url in self.faults:
            raise self.faults[url]
        moved = self.moved.get(url, "")
        last = moved or url
        if last not in self.pages:
            raise FetchError(f"{last} answered 404: check the address")
        body = self.pages[last]
        content_hash = blake2b(body, digest_size=16).hexdigest()
        if content_hash == validators.content_hash:
            return Fetched(last, None, "", validators, moved, self.hints)
        validators = Validators(etag=self.etag, content_hash=content_hash)
        return Fetched(last, body, "application/octet-stream", validators, moved, self.hints)

    async def ask(
        self, url: str, headers: Mapping[str, str], body: bytes | None = None, *, max_bytes: int = LARGE
    ) -> Fetched:
        raise AssertionError(f"this fake has no answer for {url}")


class ParserHere:
    """Parses in a thread of this process, because a worker process takes half a second to start."""

    async def call(self, source: str, function: Callable[[*Args], T], *args: *Args) -> T:
        return await asyncio.to_thread(lambda: guarded(source, function, *args))


@dataclass
class WatchedStore:
    """A store that records which task has a unit of work open, and that can be made to fail.

    When a write begins, `on_write` runs, and the next of `outages` is raised, if there is one.
    """

    inner: Store
    outages: list[StoreError] = field(default_factory=list)
    on_write: Callable[[], Awaitable[None]] | None = None
    reads: int = 0
    writes: int = 0
    _open: Counter[asyncio.Task[Any] | None] = field(default_factory=Counter)

    @property
    def open_here(self) -> int:
        """The number of units of work that the current task has open."""
        return self._open[asyncio.current_task()]

    @asynccontextmanager
    async def _counted(self, write: bool) -> AsyncIterator[UnitOfWork]:
        task = asyncio.current_task()
        async with self.inner.write() if write else self.inner.read() as work:
            self._open[task] += 1
            try:
                yield work
            finally:
                self._open[task] -= 1

    def read(self) -> AbstractAsyncContextManager[UnitOfWork]:
        self.reads += 1
        return self._counted(write=False)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[UnitOfWork]:
        if self.outages:
            raise self.outages.pop(0)
        if self.on_write is not None:
            await self.on_write()
        self.writes += 1
        async with self._counted(write=True) as work:
            yield work
