"""Group commit: what reads that end at the same time store shares one transaction.

While one transaction commits, the next steps collect, so transactions grow with the load.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

from content.errors import StoreError
from scheduler.ports import Clock, Store, UnitOfWork

T = TypeVar("T")

Step = Callable[[UnitOfWork], Awaitable[T]]

# A transaction takes no further step after this many seconds, so that other writers wait little.
LONGEST = 0.05


@dataclass(slots=True, eq=False)
class _Entry:
    """A step of one caller, and its result once it was run."""

    step: Step[object]
    result: object = None
    done: asyncio.Future[object] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def finish(self) -> None:
        if not self.done.done():  # the future is cancelled if the caller was
            self.done.set_result(self.result)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Writer:
    """Runs short steps in as few transactions as possible."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._waiting: deque[_Entry] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def write(self, step: Step[T]) -> T:
        """The result of a step, after its transaction was committed. One that fails undoes no other.

        A step is run again if another one of its transaction failed. Raises StoreError, and what it raises.
        """
        entry = _Entry(step)
        self._waiting.append(entry)
        if self._writing is None or self._writing.done():
            # Its own task: cancelling one caller must not undo what others store.
            self._writing = asyncio.create_task(self._write())
        return cast(T, await entry.done)

    async def settled(self) -> None:
        """Wait until everything is stored, also for callers that were cancelled."""
        while self._writing is not None and not self._writing.done():
            await asyncio.wait({self._writing})

    async def _write(self) -> None:
        while self._waiting:
            taken: list[_Entry] = []
            try:
                await self._commit(self._waiting, taken)
            except StoreError as exc:
                if not taken:  # the transaction could not begin, which concerns all
                    taken, self._waiting = list(self._waiting), deque()
                for entry in taken:
                    entry.fail(exc)
            except asyncio.CancelledError:
                for entry in [*taken, *self._waiting]:
                    entry.done.cancel()
                raise
            except Exception as exc:
                # The edge of the task: the callers get the error.
                await self._one_by_one(taken, exc)
            else:
                for entry in taken:
                    entry.finish()

    async def _one_by_one(self, entries: list[_Entry], error: Exception) -> None:
        """Repeat the steps of a transaction that failed, so that only the bad one fails."""
        if len(entries) == 1:
            return entries[0].fail(error)
        for entry in entries:
            try:
                await self._commit(deque([entry]), [])
            except Exception as exc:  # as above
                entry.fail(exc)
            else:
                entry.finish()

    async def _commit(self, waiting: deque[_Entry], taken: list[_Entry]) -> None:
        """Run waiting steps in one transaction; each is moved to `taken` before it is run."""
        async with self._store.write() as work:
            until = self._clock.monotonic() + LONGEST
            while waiting and (not taken or self._clock.monotonic() < until):
                entry = waiting.popleft()
                if not entry.done.cancelled():
                    taken.append(entry)
                    entry.result = await entry.step(work)
            await work.commit()
