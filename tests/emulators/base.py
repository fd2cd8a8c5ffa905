"""Shared by the emulated platforms: a server on loopback, a queue of faults, a transcript to wait on."""

import asyncio
import socket
import struct
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Generic, Self, TypeVar

from aiohttp import web

ANY = "*"
Sleep = Callable[[float], Awaitable[None]]
Entry = TypeVar("Entry")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, as bytes."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one request. `hold` and `delay` are seconds, or an event that the test sets."""

    hold: float | asyncio.Event = 0.0
    """Wait before the request is processed."""
    processed: bool = True
    """Whether the request takes effect."""
    delay: float | asyncio.Event = 0.0
    """Wait after the request took effect, before the answer."""
    answer: Answer | None = None
    """Sent instead of the normal answer."""
    dropped: bool = False
    """Whether the connection is reset instead of an answer."""

    def __post_init__(self) -> None:
        if not (self.processed or self.dropped or self.answer):
            raise ValueError("a fault that stops the request needs an answer, or dropped=True")


@dataclass(slots=True)
class _Rule:
    fault: Fault
    left: int | None


@dataclass(slots=True)
class FaultQueue:
    """Faults that wait for matching requests. The most specific match is used first, then the oldest."""

    _rules: dict[tuple[str, str], deque[_Rule]] = field(default_factory=dict)

    def add(self, fault: Fault, method: str = ANY, chat: str | int = ANY, times: int | None = 1) -> None:
        """Apply `fault` to the next `times` matching requests; None means until `clear`."""
        self._rules.setdefault((method.lower(), str(chat)), deque()).append(_Rule(fault, times))

    def take(self, method: str, chat: str | int) -> Fault | None:
        """Return the fault for this request and count it as used."""
        if not self._rules:
            return None
        name, place = method.lower(), str(chat)
        for key in ((name, place), (ANY, place), (name, ANY), (ANY, ANY)):
            if key in self._rules:
                return self._use(key)
        return None

    def clear(self) -> None:
        """Remove all waiting faults."""
        self._rules.clear()

    def _use(self, key: tuple[str, str]) -> Fault:
        rules = self._rules[key]
        rule = rules[0]
        if rule.left is not None:
            rule.left -= 1
            if rule.left <= 0:
                rules.popleft()
        if not rules:
            del self._rules[key]
        return rule.fault


class Transcript(Generic[Entry]):
    """All events in order. Entries are frozen; when the outcome of one becomes known, it is replaced."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._change = asyncio.Event()

    def append(self, entry: Entry) -> int:
        """Add the entry and return its index."""
        self.entries.append(entry)
        self.changed()
        return len(self.entries) - 1

    def replace(self, place: int, entry: Entry) -> None:
        """Replace an earlier version of the entry."""
        self.entries[place] = entry
        self.changed()

    def changed(self) -> None:
        """Let waiters check their predicates again."""
        self._change.set()
        self._change = asyncio.Event()

    async def wait_for(self, predicate: Callable[[], Found | None], timeout: float = 30.0) -> Found:
        """Wait for the first true value of `predicate`, which is called now and after every change.

        Raises TimeoutError after `timeout` seconds; its message ends with the latest entries.
        """
        try:
            async with asyncio.timeout(timeout):
                while not (value := predicate()):
                    await self._change.wait()
        except TimeoutError as exc:
            latest = "\n".join(f"  {entry}" for entry in self.entries[-10:])
            raise TimeoutError(f"nothing fulfilled the condition in {timeout} s; latest:\n{latest}") from exc
        return value


class Emulator(ABC):
    """An HTTP server on 127.0.0.1. Its data survives `stop`, so an outage is a stop and a start."""

    def __init__(self) -> None:
        self.port = 0
        self.faults = FaultQueue()
        self._runner: web.ServerRunner | None = None

    @property
    def url(self) -> str:
        """The server's URL, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @abstractmethod
    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""

    async def start(self, port: int = 0) -> None:
        """Listen on the port; 0 means the same as before, or any free one."""
        self._runner = web.ServerRunner(web.Server(self.handle, access_log=None), shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port or self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening, and cut requests that have no answer yet."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


async def pause(time: float | asyncio.Event, sleep: Sleep) -> None:
    """Wait for so many seconds, or until the event is set."""
    if isinstance(time, asyncio.Event):
        await time.wait()
    elif time > 0:
        await sleep(time)


def reset(request: web.BaseRequest) -> web.Response:
    """Reset the connection with RST. Nobody gets the response that this returns."""
    if request.transport is not None:
        raw = request.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response(status=500)


def respond(answer: Answer) -> web.Response:
    """The answer as a response of aiohttp."""
    return web.Response(
        status=answer.status,
        body=answer.body,
        headers=[*answer.headers, ("Content-Type", answer.content_type)],
    )
