"""Processes that parse untrusted text: up to two quick ones, and a slow one with more time.

A source is parsed in a quick process first. If that takes too long, the process is killed and the source is
parsed once more in the slow one, where it stays until it is quick again. So a slow or hostile source delays
only other slow sources.
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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, TypeVarTuple, cast

import content
from content.edge import named
from content.errors import ParseError, ParserKilled, SourceError

T = TypeVar("T")
Args = TypeVarTuple("Args")

QUICK_WORKERS = min(2, os.cpu_count() or 1)  # the main process has work for the rest
WAITING = 2  # calls that wait for a quick worker before another is started, which takes as long as many calls
QUEUED = 16  # calls that may wait for the slow worker; more are refused
REMEMBERED = 1000  # slow sources
CALLS = 2000  # after this many a worker is replaced, so that leaked memory is freed
MAX_ANSWER = 64 * 1024**2  # bytes
_START = 60.0  # seconds for a worker to start and import its modules
_MARGIN = 5.0  # seconds that we wait longer than the worker's own timers
_LATE = {-signal.SIGPROF, -signal.SIGALRM}
_LENGTH = 8  # bytes of the length before each message
_PIECE = 64 * 1024  # bytes that are written at once


@dataclass(frozen=True, slots=True)
class Limits:
    """The longest time of one call, in seconds of CPU and in seconds of wall-clock time."""

    cpu: float
    wall: float


QUICK, SLOW = Limits(1.0, 10.0), Limits(10.0, 30.0)


class ParserPool:
    """Calls functions in the workers, each of which is started by the first call that finds no other free."""

    def __init__(self, quick: Limits = QUICK, slow: Limits = SLOW) -> None:
        self._quick = tuple(_Worker(quick) for _ in range(QUICK_WORKERS))
        self._slow = _Worker(slow)
        self._slow_sources: OrderedDict[str, None] = OrderedDict()

    async def call(self, source: str, function: Callable[[*Args], T], *args: *Args) -> T:
        """The result of `function(*args)`. Raises SourceError; ParserKilled if the worker was killed."""
        if source not in self._slow_sources:
            try:
                free = min(self._quick, key=_Worker.cost)
                return (await free.call(source, function, *args))[0]
            except _Died as exc:
                self._remember(source)
                if not exc.late:
                    raise _killed(source, exc) from exc
        if self._slow.waiting >= QUEUED:
            raise ParseError(
                "{source} could not be read, because other sources take long: try again later",
                source=named(source),
            )
        self._remember(source)
        try:
            result, seconds = await self._slow.call(source, function, *args)
        except _Died as exc:
            raise _killed(source, exc) from exc
        if seconds < self._quick[0].limits.cpu / 2:
            self._slow_sources.pop(source, None)
        return result

    def _remember(self, source: str) -> None:
        self._slow_sources[source] = None
        self._slow_sources.move_to_end(source)
        if len(self._slow_sources) > REMEMBERED:
            self._slow_sources.popitem(last=False)

    async def close(self) -> None:
        """Kill all workers."""
        for worker in (*self._quick, self._slow):
            worker.kill()


class _Died(Exception):
    """The worker died before it answered. `late`: because it took too long."""

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
    """One process, and the queue of calls that wait for it."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.waiting = limits, 0
        self._lock = asyncio.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._calls = 0

    def cost(self) -> int:
        """What a call that is given to this worker waits for: so many other calls, or as long as them."""
        is_started = self.waiting or self._process is not None
        return self.waiting if is_started else WAITING

    async def call(self, source: str, function: Callable[[*Args], T], *args: *Args) -> tuple[T, float]:
        """The result of the function, and the CPU seconds that it took. Raises SourceError and _Died."""
        self.waiting += 1
        try:
            async with self._lock:
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
        """Send a call and receive its answer. A worker that fails is in an unknown state, and is killed."""
        answered = False
        reader, writer = await self._ready()
        try:
            async with asyncio.timeout(self.limits.wall + _MARGIN):
                await _send(writer, _pickled(call))
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
                raise ParseError(
                    "the process that reads sources cannot be started: free some memory"
                ) from exc
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
        """The exit code of a process that has closed its end of the socket."""
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
    """Start a worker with a minimal environment: no settings, no secrets, no open files of this process."""
    path = str(Path(content.__file__).parent.parent)
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TZ", "HOME") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "content.worker"],
        stdin=connection.fileno(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=kept | {"PYTHONPATH": path},
        # Ctrl-C must not reach it: this process ends it. It is no session of its own: Linux may share the
        # processors equally among sessions, and compare priorities only within each of them.
        process_group=0,
    )


class _Pieces(list[bytes]):
    """A file for a pickler, which passes large bytes on as they are. So a body of megabytes is not copied."""

    write = list[bytes].append


def _pickled(call: object) -> Sequence[bytes]:
    pieces = _Pieces()
    pickle.Pickler(pieces, pickle.HIGHEST_PROTOCOL).dump(call)
    return pieces


async def _send(writer: asyncio.StreamWriter, message: Sequence[bytes]) -> None:
    """Write in small pieces, because the transport copies whatever the worker has not read yet."""
    writer.write(sum(map(len, message)).to_bytes(_LENGTH))
    for part in message:
        with memoryview(part) as view:
            for start in range(0, len(view), _PIECE):
                writer.write(view[start : start + _PIECE])
                await writer.drain()


async def _received(reader: asyncio.StreamReader) -> bytes:
    length = int.from_bytes(await reader.readexactly(_LENGTH))
    if length > MAX_ANSWER:
        raise OSError("an answer that nobody asked for")
    return await reader.readexactly(length)


class _Answer(pickle.Unpickler):
    """Unpickles plain values only, so that a worker that was taken over cannot run code in this process."""

    def find_class(self, module: str, name: str) -> type:
        if module.startswith("content.") or module == "datetime":
            found = super().find_class(module, name)
            if isinstance(found, type) and "." not in name:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no part of an answer")
