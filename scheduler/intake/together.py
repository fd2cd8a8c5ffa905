"""Do for several reads at once what each of them needs of the database: a statement costs more than its rows.

While one group is done, the next one collects, so groups grow with the load. At a high pace they also wait a
little; without load nothing waits.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

# So many reads are compared, or stored, together: each has up to a hundred posts.
GROUP = 16
APART = 0.1  # seconds between the beginnings of two groups of reads


@dataclass(slots=True, eq=False)
class _Entry(Generic[Job, Result]):
    """The job of one caller."""

    job: Job
    done: asyncio.Future[Result] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def finish(self, result: Result) -> None:
        if not self.done.done():  # the future is cancelled if the caller was
            self.done.set_result(result)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Together(Generic[Job, Result]):
    """Calls `do` with the jobs of several callers, at most `most`; it returns the result of each.

    It runs in one transaction, which is rolled back if it raises. Groups begin at least `apart` seconds
    after each other, unless one is full: at a high pace, each then has several jobs.
    """

    def __init__(
        self, do: Callable[[Sequence[Job]], Awaitable[Sequence[Result]]], most: int, *, apart: float = APART
    ) -> None:
        self._do, self._most, self._apart = do, most, apart
        self._waiting: deque[_Entry[Job, Result]] = deque()
        self._working: asyncio.Task[None] | None = None
        self._begun, self._more = -apart, asyncio.Event()

    async def __call__(self, job: Job) -> Result:
        """The result of one job. A job that fails harms no other. Raises StoreError, and what `do` raises."""
        entry = _Entry[Job, Result](job)
        self._waiting.append(entry)
        if len(self._waiting) >= self._most:
            self._more.set()
        if self._working is None or self._working.done():
            # Its own task: cancelling one caller must not undo what is done for others.
            self._working = asyncio.create_task(self._work())
        return await entry.done

    async def settled(self) -> None:
        """Wait until everything is done, also for callers that were cancelled."""
        while self._working is not None and not self._working.done():
            await asyncio.wait({self._working})

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            while len(self._waiting) < self._most and (early := self._begun + self._apart - loop.time()) > 0:
                self._more.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(early):
                        await self._more.wait()
            self._begun = loop.time()
            count = min(len(self._waiting), self._most)
            group = [self._waiting.popleft() for _ in range(count)]
            try:
                await self._group([entry for entry in group if not entry.done.cancelled()])
            except asyncio.CancelledError:
                for entry in (*group, *self._waiting):
                    entry.done.cancel()
                raise

    async def _group(self, entries: Sequence[_Entry[Job, Result]]) -> None:
        try:
            results = await self._do([entry.job for entry in entries]) if entries else []
        except Exception as exc:
            # The edge of the task: the callers get the error. It may be the fault of one job, whatever its
            # class says, so each is repeated alone.
            if len(entries) == 1:
                return entries[0].fail(exc)
            for entry in entries:
                await self._group([entry])
        else:
            for entry, result in zip(entries, results, strict=True):
                entry.finish(result)
