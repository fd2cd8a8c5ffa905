"""Choose the sources to read now, and read them concurrently. A slow source does not delay a quick one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from math import inf

from content.errors import SkywaveError, StoreError
from content.types import Source
from scheduler.intake.ingest import Ingest
from scheduler.intake.storing import PollResult
from scheduler.intake.turns import LIMITS, ReadLimits, Turns
from scheduler.log import Logger
from scheduler.ports import Clock, Store

log = Logger(__name__)

# After the store failed, no read starts for this many seconds: its result could not be recorded.
STORE_PAUSE = 15.0
# Of the time in which sources wait, asking the database which ones do takes at most a share of 1 / RARELY.
RARELY = 20


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
        self._turns = Turns(limits)
        self._running: dict[asyncio.Task[PollResult], int] = {}
        self._paused_until = self._asked_until = -inf

    @property
    def running(self) -> int:
        """How many reads are in progress."""
        return len(self._running)

    async def poll_due(self) -> None:
        """Start to read the sources that are due, within the limits; return at once. Raises StoreError."""
        if self._clock.monotonic() < self._paused_until:
            return
        try:
            await self._ask()
        except StoreError as exc:
            self._pause(str(exc))
            raise
        self._start()

    async def _ask(self) -> None:
        """Find out which sources are due. That may be skipped while many of them wait."""
        began = self._clock.monotonic()
        if self._turns.waiting and began < self._asked_until:
            return await self._ingest.flush()
        # No read starts during the query, because its result may contain sources whose reads end meanwhile.
        self._turns.clear()
        busy = self._turns.running
        await self._ingest.flush()
        async with self._store.read() as work:
            due = await work.sources.due(self._clock.now())
        self._turns.wait(source for source in due if source.id not in busy)
        now = self._clock.monotonic()
        self._asked_until = now + RARELY * (now - began)

    async def poll_each(self, sources: Sequence[Source]) -> AsyncIterator[PollResult]:
        """Read these sources, due or not, and yield each result as it comes. Raises StoreError at the end."""
        results: asyncio.Queue[PollResult] = asyncio.Queue()
        # A poller of its own, because a tick forgets the sources that wait.
        poller = Poller(self._store, self._ingest, self._clock, results.put_nowait, self._limits)
        poller._turns.wait(sources)
        poller._start()
        try:
            for _ in sources:
                yield await results.get()
        finally:
            await poller.stop()

    async def idle(self) -> None:
        """Wait until no read is in progress and all results are stored. Raises StoreError."""
        while self._running:
            await asyncio.wait(list(self._running))
        await self._ingest.flush()

    async def stop(self) -> None:
        """Cancel all reads, which rolls their transactions back, and wait until they have ended."""
        self._turns.clear()
        for task in self._running:
            task.cancel()
        await self.idle()
        await self._ingest.settled()

    def _start(self) -> None:
        """Start as many reads as the limits allow; the others wait for a read to end or the next tick."""
        for source in self._turns.take(self._clock.monotonic()):
            task = asyncio.create_task(self._read(source))
            self._running[task] = source.id
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
        for source in self._turns.clear():
            self._on_result(PollResult(source, error=reason))

    def _ended(self, task: asyncio.Task[PollResult]) -> None:
        self._turns.end(self._running.pop(task))
        if not task.cancelled():
            self._on_result(task.result())
        self._start()
