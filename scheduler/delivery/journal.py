"""Group commit: records that many deliveries make at the same time share one unit of work.

While one batch commits, the next one fills, so batches grow with the load, and without load no record waits.
A commit costs as much as about fifty rows, so at a high rate `gather` delays it, and more rows share one.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf

from content.errors import StoreError
from scheduler.log import Logger
from scheduler.ports import Clock, Outcome, Postponed, Store, UnitOfWork
from scheduler.types import Part

log = Logger(__name__)

# Seconds between attempts at a database that does not answer; nothing is sent meanwhile.
STORE_RETRY = 1.0

# A further change that is committed together with outcomes, in the same unit of work.
Change = Callable[[UnitOfWork], Awaitable[None]]


@dataclass(slots=True, eq=False)
class _Entry:
    """The records of one caller; the result of `done` is whether its part may be sent."""

    begins: Part | None = None
    outcomes: tuple[Outcome, ...] = ()
    change: Change | None = None
    done: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def finish(self, begun: Collection[Part]) -> None:
        if not self.done.done():  # the future is cancelled if the caller was
            self.done.set_result(self.begins in begun)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Journal:
    """Makes all records of the dispatcher. The store refuses them once another process holds a newer `epoch`.

    `gather`: least time from the start of one commit to the start of the next, seconds.
    """

    def __init__(self, store: Store, clock: Clock, epoch: int, gather: float = 0.0) -> None:
        self._store, self._clock, self._epoch, self._gather = store, clock, epoch, gather
        self._waiting: list[_Entry] = []
        self._next_commit = -inf  # earliest start, monotonic seconds
        self._writing: asyncio.Task[None] | None = None
        self._due: list[datetime] = []  # a heap of the due times of postponed deliveries

    async def begin(self, part: Part) -> bool:
        """Write a part ahead as `sending`. False if it must not be sent: its claim was lost or has ended."""
        return await self._enqueue(_Entry(begins=part))

    async def record(self, *outcomes: Outcome, change: Change | None = None) -> None:
        """Record outcomes durably. `change` runs before them, because an outcome may end the claim."""
        self.expect(outcomes)
        await self._enqueue(_Entry(outcomes=outcomes, change=change))

    def expect(self, outcomes: Iterable[Outcome]) -> None:
        """Remember the due times of postponed deliveries."""
        for outcome in outcomes:
            if isinstance(outcome, Postponed):
                heapq.heappush(self._due, outcome.due_at)

    def due_in(self) -> float | None:
        """Seconds until a postponed delivery is due, 0 if one is already; None if none was postponed."""
        return max(0.0, (self._due[0] - self._clock.now()).total_seconds()) if self._due else None

    def drop_past_due(self) -> None:
        """Drop past due times; the caller queries the outbox next."""
        while self._due and self._due[0] <= self._clock.now():
            heapq.heappop(self._due)

    def abandon(self) -> None:
        """Record nothing more."""
        if self._writing is not None:
            self._writing.cancel()

    async def settled(self) -> None:
        """Wait until everything is recorded, also for callers that were cancelled."""
        while self._writing is not None and not self._writing.done():
            await asyncio.wait({self._writing})

    def _enqueue(self, entry: _Entry) -> asyncio.Future[bool]:
        """Queue an entry for the next commit; the result is whether its part may be sent."""
        self._waiting.append(entry)
        if self._writing is None or self._writing.done():
            # Its own task: cancelling one waiter must not abort the shared commit.
            self._writing = asyncio.create_task(self._write())
        return entry.done

    async def _write(self) -> None:
        while self._waiting:
            await self._clock.sleep(self._next_commit - self._clock.monotonic())
            self._next_commit = self._clock.monotonic() + self._gather
            batches, self._waiting = [self._waiting], []
            while batches:
                batch = batches.pop()
                try:
                    begun = await self._commit(batch)
                except StoreError as exc:
                    log.error(
                        "store.unavailable", reason=str(exc), next_step="sending waits until it answers"
                    )
                    await self._clock.sleep(STORE_RETRY)
                    batches.append(batch)
                except Exception as exc:
                    # The edge of the task. Retry the entries one by one, so that only the bad one fails; its
                    # caller gets the error.
                    if len(batch) == 1:
                        batch[0].fail(exc)
                    else:
                        batches += [[entry] for entry in reversed(batch)]
                else:
                    for entry in batch:
                        entry.finish(begun)

    async def _commit(self, batch: Sequence[_Entry]) -> Collection[Part]:
        """Commit a batch in one unit of work; returns the parts that may be sent."""
        begins = [entry.begins for entry in batch if entry.begins is not None]
        outcomes = [outcome for entry in batch for outcome in entry.outcomes]
        async with self._store.write() as work:
            for entry in batch:
                if entry.change is not None:
                    await entry.change(work)
            begun = await work.outbox.record(begins, outcomes, self._clock.now(), self._epoch)
            await work.commit()
        return set(begun)
