"""Group commit: what many deliveries have to record at the same moment goes into one unit of work.

While one batch commits the next one gathers, so batches grow with the load and nobody waits without it. A
commit costs as much as some fifty rows: at a high rate, `gather` lets them come together.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from math import inf

import structlog

from content.errors import StoreError
from scheduler.ports import Clock, Mark, Store, UnitOfWork
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


class Journal:
    """The dispatcher's only way to write what it does; `epoch` fences it off after a take-over.

    `gather`: seconds between the beginnings of two commits, at least.
    """

    def __init__(self, store: Store, clock: Clock, epoch: int, gather: float = 0.0) -> None:
        self._store, self._clock, self._epoch, self._gather = store, clock, epoch, gather
        self._batch = _Batch()
        self._ready = -inf
        self._turn = asyncio.Lock()

    async def begin(self, part: Part) -> bool:
        """Write a part ahead as `sending`; False if its delivery is not ours to send any more."""
        batch = self._batch
        batch.begins.append(part)
        await self._flushed(batch)
        return (part.delivery_id, part.n, part.form.value) in batch.begun

    async def mark(self, *marks: Mark, change: Change | None = None) -> None:
        """Record marks durably, and what else changes with them: before them, for they may end a claim."""
        batch = self._batch
        batch.marks.extend(marks)
        if change is not None:
            batch.changes.append(change)
        await self._flushed(batch)

    async def _flushed(self, batch: _Batch) -> None:
        async with self._turn:
            if batch.done.is_set():
                return
            await self._clock.sleep(self._ready - self._clock.monotonic())
            self._ready = self._clock.monotonic() + self._gather
            self._batch = _Batch()
            while not await self._write(batch):
                await self._clock.sleep(STORE_RETRY)
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
