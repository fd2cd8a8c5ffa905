"""Group commit: what many deliveries have to record at the same moment goes into one unit of work.

While one batch commits the next one gathers, so batches grow with the load and nobody waits without it. A
commit costs as much as some fifty rows: at a high rate, `gather` lets them come together.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from math import inf

import structlog

from content.errors import StoreError
from scheduler.ports import Clock, Mark, Postponed, Store, UnitOfWork
from scheduler.types import Part

log = structlog.get_logger(__name__)

# Seconds between attempts at a database that does not answer; nothing is sent meanwhile.
STORE_RETRY = 1.0


# What else changes with marks, in their unit of work.
Change = Callable[[UnitOfWork], Awaitable[None]]


@dataclass(slots=True)
class _Batch:
    begins: list[Part] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    begun: frozenset[tuple[int, int, str]] = frozenset()
    error: Exception | None = None  # a fault of our own, for all that were in it

    @property
    def is_empty(self) -> bool:
        return not (self.begins or self.marks or self.changes)


class Journal:
    """The dispatcher's only way to write what it does; `epoch` fences it off after a take-over.

    `gather`: seconds between the beginnings of two commits, at least.
    """

    def __init__(self, store: Store, clock: Clock, epoch: int, gather: float = 0.0) -> None:
        self._store, self._clock, self._epoch, self._gather = store, clock, epoch, gather
        self._batch = _Batch()
        self._ready = -inf
        self._writing: asyncio.Task[None] | None = None
        self._due: list[datetime] = []  # a heap: when what was postponed here may go on

    async def begin(self, part: Part) -> bool:
        """Write a part ahead as `sending`; False if its delivery is not ours to send any more."""
        batch = self._batch
        batch.begins.append(part)
        await self._flushed(batch)
        return (part.delivery_id, part.n, part.form.value) in batch.begun

    async def mark(self, *marks: Mark, change: Change | None = None) -> None:
        """Record marks durably, and what else changes with them: before them, for they may end a claim."""
        for mark in marks:
            if isinstance(mark, Postponed):
                heapq.heappush(self._due, mark.due_at)
        batch = self._batch
        batch.marks.extend(marks)
        if change is not None:
            batch.changes.append(change)
        await self._flushed(batch)

    def due_in(self) -> float | None:
        """Seconds until something that was postponed may go on, 0 if it may already; None if nothing was."""
        return max(0.0, (self._due[0] - self._clock.now()).total_seconds()) if self._due else None

    def forget_due(self) -> None:
        """What may go on by now is about to be looked for."""
        while self._due and self._due[0] <= self._clock.now():
            heapq.heappop(self._due)

    def abandon(self) -> None:
        """Record nothing more."""
        if self._writing is not None:
            self._writing.cancel()

    async def settled(self) -> None:
        """Return when all that was to be recorded is, also what nobody waits for any more."""
        while self._writing is not None and not self._writing.done():
            await asyncio.wait({self._writing})

    async def _flushed(self, batch: _Batch) -> None:
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        await batch.done.wait()
        if batch.error is not None:
            raise batch.error

    async def _write_all(self) -> None:
        """A task of its own: who is cancelled while it waits takes nobody along."""
        while not self._batch.is_empty:
            await self._clock.sleep(self._ready - self._clock.monotonic())
            self._ready = self._clock.monotonic() + self._gather
            batch, self._batch = self._batch, _Batch()
            try:
                while not await self._write(batch):
                    await self._clock.sleep(STORE_RETRY)
            except Exception as exc:  # the edge of the task: those that wait for it raise it
                batch.error = exc
            batch.done.set()

    async def _write(self, batch: _Batch) -> bool:
        try:
            async with self._store.write() as work:
                for change in batch.changes:
                    await change(work)
                now = self._clock.now()
                begun = await work.outbox.record(batch.begins, batch.marks, now, self._epoch)
                await work.commit()
        except StoreError as exc:
            log.error("store.unavailable", reason=str(exc), next_step="sending waits until it answers")
            return False
        batch.begun = frozenset((part.delivery_id, part.n, part.form.value) for part in begun)
        return True
