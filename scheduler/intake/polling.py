"""Which sources are read now, and the reads that are on their way. A slow source holds up no quick one."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog

from content.errors import SkywaveError, StoreError, UsageError
from content.sources import normalise
from content.types import Source, Visibility
from scheduler.intake.ingest import Ingest
from scheduler.intake.storing import PollResult
from scheduler.ports import Clock, Store

log = structlog.get_logger(__name__)

# Seconds after which a read, or a source by its last read, counts as slow.
SLOW = 3.0
# Seconds without a new read after the store failed: servers are not to be asked in vain.
STORE_PAUSE = 15.0


@dataclass(frozen=True, slots=True)
class Places:
    """How many reads may go on at once: of quick and of slow sources, of one host, of one owner, in all.

    Quick and slow ones have places of their own also within a host and an owner. The operator's sources have
    no owner.
    """

    quick: int = 20
    slow: int = 10
    host: int = 5
    owner: int = 5
    total: int = 40


PLACES = Places()


@dataclass(frozen=True, slots=True)
class Reading:
    """A read that is on its way, for so many seconds."""

    source: Source
    seconds: float = 0.0

    @property
    def is_slow(self) -> bool:
        return max(self.seconds, self.source.read_seconds) >= SLOW


def choose(due: Iterable[Source], running: Sequence[Reading], places: Places = PLACES) -> list[Source]:
    """Which of the sources that are due, in their order, may be read now beside those that are being read."""
    taken: Counter[tuple[str, ...]] = Counter()
    for reading in running:
        taken.update(_claims(reading))
    busy = {reading.source.id for reading in running}
    chosen: list[Source] = []
    for source in due:
        claims = _claims(Reading(source))
        if source.id not in busy and all(taken[claim] < _limit(claim, places) for claim in claims):
            taken.update(claims)
            busy.add(source.id)
            chosen.append(source)
    return chosen


def _claims(reading: Reading) -> list[tuple[str, ...]]:
    """What a read takes one place of each of."""
    source = reading.source
    speed = "slow" if reading.is_slow else "quick"
    host = _host(source.url)
    claims: list[tuple[str, ...]] = [("total",), (speed,)]
    if host:
        claims.append(("host", speed, host))
    if source.added_by:
        claims.append(("owner", speed, source.added_by))
    return claims


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2].lower() if "//" in url else ""


def _stored_form(url: str) -> str:
    """How a URL is stored; as it is, if it cannot be."""
    try:
        return normalise(url)
    except UsageError:
        return url


def _limit(claim: tuple[str, ...], places: Places) -> int:
    limit: int = getattr(places, claim[0])
    return limit


def _nobody(result: PollResult) -> None:
    return


class Poller:
    """Reads sources side by side, none twice at once; `told` gets each result."""

    def __init__(
        self,
        store: Store,
        ingest: Ingest,
        clock: Clock,
        told: Callable[[PollResult], None] = _nobody,
        places: Places = PLACES,
    ) -> None:
        self._store, self._ingest, self._clock = store, ingest, clock
        self._told, self._places = told, places
        self._waiting: list[Source] = []
        self._running: dict[asyncio.Task[PollResult], tuple[Source, float]] = {}
        self._paused_until = 0.0

    @property
    def running(self) -> int:
        """How many sources are being read."""
        return len(self._running)

    async def poll_due(self) -> None:
        """A tick: start to read what is due, as far as there are places, and return at once.

        Raises StoreError.
        """
        if self._clock.monotonic() < self._paused_until:
            return
        # A read that ends while the database is asked may be among what it answers.
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
        """Read these sources, due or not, giving each result as it comes; apart from the ticks."""
        results: asyncio.Queue[PollResult] = asyncio.Queue()
        apart = Poller(self._store, self._ingest, self._clock, results.put_nowait, self._places)
        apart._start(sources)
        try:
            for _ in sources:
                yield await results.get()
        finally:
            await apart.stop()

    async def add_each(
        self, urls: Mapping[str, Sequence[str]], visibility: Visibility
    ) -> AsyncIterator[tuple[str, PollResult | SkywaveError]]:
        """Add sources by their URLs, each with its tags, side by side; what became of each URL as it comes.

        One that cannot be read for a passing reason is added and has an error in its result.
        """
        everywhere = asyncio.Semaphore(self._places.quick)
        hosts: dict[str, asyncio.Semaphore] = {}

        async def add(url: str) -> tuple[str, PollResult | SkywaveError]:
            host = hosts.setdefault(_host(url), asyncio.Semaphore(self._places.host))
            async with host, everywhere:
                try:
                    return url, await self._ingest.add(url, visibility, tags=urls[url], waits=True)
                except SkywaveError as exc:
                    return url, exc

        tasks = [asyncio.create_task(add(url)) for url in {_stored_form(url): url for url in urls}.values()]
        try:
            for ended in asyncio.as_completed(tasks):
                yield await ended
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def idle(self) -> None:
        """Return when nothing is being read any more."""
        while self._running:
            await asyncio.wait(list(self._running))

    async def stop(self) -> None:
        """Cancel what is being read, which rolls its unit of work back, and wait for it."""
        self._waiting = []
        for task in self._running:
            task.cancel()
        await self.idle()

    def _start(self, sources: Sequence[Source]) -> None:
        """Start as many as there are places; the others wait for a place, or for the next tick."""
        now = self._clock.monotonic()
        running = [Reading(source, now - since) for source, since in self._running.values()]
        chosen = choose(sources, running, self._places)
        started = {source.id for source in chosen}
        self._waiting = [source for source in sources if source.id not in started]
        for source in chosen:
            task = asyncio.create_task(self._read(source))
            self._running[task] = (source, now)
            task.add_done_callback(self._ended)

    async def _read(self, source: Source) -> PollResult:
        try:
            return await self._ingest.poll(source)
        except SkywaveError as exc:  # the store could not record it: the source stays due
            log.error("store.unavailable", source=source.name, reason=str(exc))
            self._pause(str(exc))
            return PollResult(source, error=str(exc))
        except Exception as exc:
            # The edge of the task.
            log.exception("source.broken", source=source.name)
            return PollResult(source, error=f"internal error: {type(exc).__name__}")

    def _pause(self, reason: str) -> None:
        self._paused_until = self._clock.monotonic() + STORE_PAUSE
        waiting, self._waiting = self._waiting, []
        for source in waiting:
            self._told(PollResult(source, error=reason))

    def _ended(self, task: asyncio.Task[PollResult]) -> None:
        del self._running[task]
        if not task.cancelled():
            self._told(task.result())
        self._start(self._waiting)
