"""Two processes that parse outside text: one for what is quick, one for what was not.

A source starts in the first. What takes it longer than most take is killed there, and tried once more in the
second, with more time; the source goes on in the second until it is quick again. So a source that is slow,
or made to be, waits for others of its sort, and the others do not wait for it.
"""

import asyncio
import io
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, TypeVarTuple, cast

import content
from content.edge import named
from content.errors import ParseError, ParserKilled, SourceError

T = TypeVar("T")
Args = TypeVarTuple("Args")

QUEUED = 16  # calls that wait for the slow worker; more are refused
REMEMBERED = 1000  # sources that were slow
CALLS = 2000  # that a worker answers before a new one takes its place
MAX_ANSWER = 64 * 1024**2  # bytes
_START = 60.0  # seconds that a worker has to import what it needs
_MARGIN = 5.0  # seconds that its own timers have to end it
_LATE = {-signal.SIGPROF, -signal.SIGALRM}
_LENGTH = 8  # bytes before each call and answer
_PIECE = 64 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that one call may take: of a processor, and on the clock."""

    cpu: float
    wall: float


QUICK, SLOW = Limits(1.0, 10.0), Limits(10.0, 30.0)


class ParserPool:
    """Calls functions in the workers, which are started when they are first needed."""

    def __init__(self, quick: Limits = QUICK, slow: Limits = SLOW) -> None:
        self._quick, self._slow = _Worker(quick), _Worker(slow)
        self._suspects: OrderedDict[str, None] = OrderedDict()

    async def call(self, source: str, function: Callable[[*Args], T], *args: *Args) -> T:
        """What `function` makes of `source`. Raises SourceError; ParserKilled if it was ended by force."""
        if source not in self._suspects:
            try:
                return (await self._quick.call(source, function, *args))[0]
            except _Died as exc:
                self._suspect(source)
                if not exc.late:
                    raise _killed(source, exc) from exc
        if self._slow.waiting >= QUEUED:
            raise ParseError(
                "{source} waits for others that take long to read: try again later", source=named(source)
            )
        self._suspect(source)
        try:
            result, seconds = await self._slow.call(source, function, *args)
        except _Died as exc:
            raise _killed(source, exc) from exc
        if seconds < self._quick.limits.cpu / 2:
            self._suspects.pop(source, None)
        return result

    def _suspect(self, source: str) -> None:
        self._suspects[source] = None
        self._suspects.move_to_end(source)
        if len(self._suspects) > REMEMBERED:
            self._suspects.popitem(last=False)

    async def close(self) -> None:
        """End the workers at once, whatever they do."""
        self._quick.kill()
        self._slow.kill()


class _Died(Exception):
    """The worker ended before it had answered; `late` when it had used up its time."""

    def __init__(self, late: bool) -> None:
        super().__init__()
        self.late = late


def _killed(source: str, exc: _Died) -> ParserKilled:
    if exc.late:
        return ParserKilled(
            "{source} took too long to read: tell its publisher, or remove it", source=named(source)
        )
    return ParserKilled(
        "{source} made the parser crash: tell its publisher, or remove it", source=named(source)
    )


class _Worker:
    """One process and the line of those who wait for it."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.waiting = limits, 0
        self._one = asyncio.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._calls = 0

    async def call(self, source: str, function: Callable[[*Args], T], *args: *Args) -> tuple[T, float]:
        """The result and the seconds of a processor that it took. Raises SourceError and _Died."""
        self.waiting += 1
        try:
            async with self._one:
                answer = await self._exchange((self.limits.cpu, self.limits.wall, source, function, args))
        finally:
            self.waiting -= 1
        try:
            value, seconds = _Answer(io.BytesIO(answer)).load()
        except pickle.UnpicklingError as exc:
            self.kill()
            raise _Died(late=False) from exc
        if isinstance(value, SourceError):
            raise value
        return cast(T, value), cast(float, seconds)

    async def _exchange(self, call: object) -> bytes:
        """The answer to a call. A worker that was not heard out is of no more use, and killed."""
        answered = False
        reader, writer = await self._ready()
        try:
            async with asyncio.timeout(self.limits.wall + _MARGIN):
                await _send(writer, pickle.dumps(call, pickle.HIGHEST_PROTOCOL))
                answer = await _received(reader)
            self._calls += 1
            answered = True
            return answer
        except TimeoutError as exc:
            raise _Died(late=True) from exc
        except (asyncio.IncompleteReadError, OSError) as exc:
            raise _Died(late=await self._ended() in _LATE) from exc
        finally:
            if not answered or self._calls >= CALLS:
                self.kill()

    async def _ready(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._process is None or self._process.poll() is not None:
            self.kill()
            try:
                async with asyncio.timeout(_START):
                    await self._begin()
            except (asyncio.IncompleteReadError, OSError) as exc:
                self.kill()
                raise ParseError("no process could be started that reads sources: free some memory") from exc
        assert self._streams is not None
        return self._streams

    async def _begin(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = _start(theirs)
        self._streams = await asyncio.open_connection(sock=ours)
        self._calls = 0
        await _received(self._streams[0])

    async def _ended(self) -> int | None:
        """The code of a process that has closed its end."""
        process = self._process
        return None if process is None else await asyncio.to_thread(process.wait)

    def kill(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._streams = None


def _start(connection: socket.socket) -> subprocess.Popen[bytes]:
    """A worker that knows the way to the code, and nothing of what this process knows and holds open."""
    path = str(Path(content.__file__).parent.parent)
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ", "HOME") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "content.worker"],
        stdin=connection.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=kept | {"PYTHONPATH": path},
        start_new_session=True,  # Ctrl-C at a terminal is for us, and we end it
    )


async def _send(writer: asyncio.StreamWriter, message: bytes) -> None:
    """In pieces: the transport would keep a copy of what the worker has not taken yet."""
    writer.write(len(message).to_bytes(_LENGTH))
    with memoryview(message) as view:
        for start in range(0, len(view), _PIECE):
            writer.write(view[start : start + _PIECE])
            await writer.drain()


async def _received(reader: asyncio.StreamReader) -> bytes:
    length = int.from_bytes(await reader.readexactly(_LENGTH))
    if length > MAX_ANSWER:
        raise OSError("an answer that nobody asked for")
    return await reader.readexactly(length)


class _Answer(pickle.Unpickler):
    """Makes plain values only, so that a worker that was taken over cannot run code here."""

    def find_class(self, module: str, name: str) -> type:
        if module.startswith("content.") or module == "datetime":
            found = super().find_class(module, name)
            if isinstance(found, type) and "." not in name:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no part of an answer")
