"""Choose the sources to read now, and read them concurrently. A slow source does not delay a quick one."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog

from content.errors import SkywaveError, StoreError
from content.types import Source
from scheduler.intake.ingest import Ingest
from scheduler.intake.storing import PollResult
from scheduler.ports import Clock, Store

log = structlog.get_logger(__name__)

# A source is slow if its last read, or the one in progress, takes this many seconds.
SLOW = 3.0
# After the store failed, no read starts for this many seconds: its result could not be recorded.
STORE_PAUSE = 15.0


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Limits of concurrent reads: of quick and slow sources, for one host, for one owner, and in total.

    The limits for a host and an owner apply to quick and slow sources separately. Sources of the operator
    have no owner.
    """

    quick: int = 20
    slow: int = 10
    host: int = 5
    owner: int = 5
    total: int = 40


LIMITS = ReadLimits()


@dataclass(frozen=True, slots=True)
class Reading:
    """A read in progress, and how many seconds it has taken so far."""

    source: Source
    seconds: float = 0.0

    @property
    def is_slow(self) -> bool:
        return max(self.seconds, self.source.read_seconds) >= SLOW


def choose(due: Iterable[Source], running: Sequence[Reading], limits: ReadLimits = LIMITS) -> list[Source]:
    """The sources of `due`, in their order, that may be read now without exceeding a limit."""
    used: Counter[tuple[str, ...]] = Counter()
    for reading in running:
        used.update(_keys(reading))
    busy = {reading.source.id for reading in running}
    chosen: list[Source] = []
    for source in due:
        keys = _keys(Reading(source))
        is_free = all(used[key] < _limit(key, limits) for key in keys)
        if is_free and source.id not in busy:
            used.update(keys)
            busy.add(source.id)
            chosen.append(source)
    return chosen


def _keys(reading: Reading) -> list[tuple[str, ...]]:
    """The limits that a read counts against; each key begins with the name of a field of `ReadLimits`."""
    source = reading.source
    speed = "slow" if reading.is_slow else "quick"
    host = host_of(source.url)
    keys: list[tuple[str, ...]] = [("total",), (speed,)]
    if host:
        keys.append(("host", speed, host))
    if source.added_by:
        keys.append(("owner", speed, source.added_by))
    return keys


def host_of(url: str) -> str:
    """The host of a URL; empty for a folder, and for what is no URL."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower() if "//" in url else ""
    except ValueError:  # for instance an IPv6 address without its closing bracket
        return ""


def _limit(key: tuple[str, ...], limits: ReadLimits) -> int:
    limit: int = getattr(limits, key[0])
    return limit


def _ignore(result: PollResult) -> None:
    return


class Poller:
    """Reads sources concurrently, but no source twice at once. `on_result` is called with each result."""

    def __init__(
        self,
        store: Store,
        ingest: Ingest,
        clock: Clock,
        on_result: Callable[[PollResult], None] = _ignore,
        limits: ReadLimits = LIMITS,
    ) -> None:
        self._store, self._ingest, self._clock = store, ingest, clock
        self._on_result, self._limits = on_result, limits
        self._waiting: list[Source] = []
        self._running: dict[asyncio.Task[PollResult], tuple[Source, float]] = {}
        self._paused_until = 0.0

    @property
    def running(self) -> int:
        """How many reads are in progress."""
        return len(self._running)

    async def poll_due(self) -> None:
        """Start to read the sources that are due, within the limits; return at once. Raises StoreError."""
        if self._clock.monotonic() < self._paused_until:
            return
        # A read may end during the query below, whose result would still contain its source.
        self._waiting = []
        busy = {source.id for source, _ in self._running.values()}
        try:
            async with self._store.read() as work:
                due = await work.sources.due(self._clock.now())
        except StoreError as exc:
            self._pause(str(exc))
            raise
        self._start([source for source in due if source.id not in busy])

    async def poll_each(self, sources: Sequence[Source]) -> AsyncIterator[PollResult]:
        """Read these sources, due or not, and yield each result as it comes."""
        results: asyncio.Queue[PollResult] = asyncio.Queue()
        # A poller of its own, because a tick forgets the sources that wait.
        poller = Poller(self._store, self._ingest, self._clock, results.put_nowait, self._limits)
        poller._start(sources)
        try:
            for _ in sources:
                yield await results.get()
        finally:
            await poller.stop()

    async def idle(self) -> None:
        """Wait until no read is in progress."""
        while self._running:
            await asyncio.wait(list(self._running))

    async def stop(self) -> None:
        """Cancel all reads, which rolls their transactions back, and wait until they have ended."""
        self._waiting = []
        for task in self._running:
            task.cancel()
        await self.idle()

    def _start(self, sources: Sequence[Source]) -> None:
        """Start as many reads as the limits allow; the others wait for a read to end or the next tick."""
        now = self._clock.monotonic()
        running = [Reading(source, now - since) for source, since in self._running.values()]
        chosen = choose(sources, running, self._limits)
        started = {source.id for source in chosen}
        self._waiting = [source for source in sources if source.id not in started]
        for source in chosen:
            task = asyncio.create_task(self._read(source))
            self._running[task] = (source, now)
            task.add_done_callback(self._ended)

    async def _read(self, source: Source) -> PollResult:
        try:
            return await self._ingest.poll(source)
        except SkywaveError as exc:  # the store could not record the result, so the source stays due
            log.error("store.unavailable", source=source.name, reason=str(exc))
            self._pause(str(exc))
            return PollResult(source, error=str(exc))
        except Exception as exc:
            # The edge of the task: a bug must not stop the other reads.
            log.exception("source.broken", source=source.name)
            return PollResult(source, error=f"internal error: {type(exc).__name__}")

    def _pause(self, reason: str) -> None:
        self._paused_until = self._clock.monotonic() + STORE_PAUSE
        waiting, self._waiting = self._waiting, []
        for source in waiting:
            self._on_result(PollResult(source, error=reason))

    def _ended(self, task: asyncio.Task[PollResult]) -> None:
        del self._running[task]
        if not task.cancelled():
            self._on_result(task.result())
        self._start(self._waiting)
