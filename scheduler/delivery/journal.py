"""Group commit: what many deliveries have to record at the same moment goes into one unit of work.

While one batch commits the next one gathers, so batches grow with the load and nobody waits without it. A
commit costs as much as some fifty rows: at a high rate, `gather` lets them come together.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
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


@dataclass(slots=True, eq=False)
class _Entry:
    """What one caller wants to have recorded; `done` tells whether a part that begins may leave."""

    begins: Part | None = None
    marks: tuple[Mark, ...] = ()
    change: Change | None = None
    done: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Journal:
    """The dispatcher's only way to write what it does; `epoch` fences it off after a take-over.

    `gather`: seconds between the beginnings of two commits, at least.
    """

    def __init__(self, store: Store, clock: Clock, epoch: int, gather: float = 0.0) -> None:
        self._store, self._clock, self._epoch, self._gather = store, clock, epoch, gather
        self._waiting: list[_Entry] = []
        self._ready = -inf
        self._writing: asyncio.Task[None] | None = None
        self._due: list[datetime] = []  # a heap: when what was postponed here may go on

    async def begin(self, part: Part) -> bool:
        """Write a part ahead as `sending`; False if its delivery is not ours to send any more."""
        return await self._recorded(_Entry(begins=part))

    async def mark(self, *marks: Mark, change: Change | None = None) -> None:
        """Record marks durably, and what else changes with them: before them, for they may end a claim."""
        self.expect(marks)
        await self._recorded(_Entry(marks=marks, change=change))

    def expect(self, marks: Iterable[Mark]) -> None:
        """Remember when what is postponed may go on."""
        for mark in marks:
            if isinstance(mark, Postponed):
                heapq.heappush(self._due, mark.due_at)

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

    async def _recorded(self, entry: _Entry) -> bool:
        self._waiting.append(entry)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        return await entry.done

    async def _write_all(self) -> None:
        """A task of its own: who is cancelled while it waits takes nobody along."""
        while self._waiting:
            await self._clock.sleep(self._ready - self._clock.monotonic())
            self._ready = self._clock.monotonic() + self._gather
            entries, self._waiting = self._waiting, []
            await self._write(entries)

    async def _write(self, entries: Sequence[_Entry]) -> None:
        """Record entries together, or each alone if that breaks: one takes no other along."""
        try:
            begun = await self._commit(entries)
        except Exception as exc:
            # The edge of the task: the one that broke it raises it.
            if len(entries) > 1:
                for entry in entries:
                    await self._write([entry])
            elif not entries[0].done.done():
                entries[0].done.set_exception(exc)
            return
        for entry in entries:
            if not entry.done.done():  # nobody may be waiting any more
                entry.done.set_result(entry.begins in begun)

    async def _commit(self, entries: Sequence[_Entry]) -> Collection[Part]:
        """One unit of work, repeated until the store takes it; returns which parts may leave."""
        begins = [entry.begins for entry in entries if entry.begins is not None]
        marks = [mark for entry in entries for mark in entry.marks]
        while True:
            try:
                async with self._store.write() as work:
                    for entry in entries:
                        if entry.change is not None:
                            await entry.change(work)
                    begun = await work.outbox.record(begins, marks, self._clock.now(), self._epoch)
                    await work.commit()
            except StoreError as exc:
                log.error("store.unavailable", reason=str(exc), next_step="sending waits until it answers")
                await self._clock.sleep(STORE_RETRY)
            else:
                return set(begun)
