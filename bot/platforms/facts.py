"""What a platform tells of its chats: recorded one after the other, in the order in which it was told."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import structlog

from content.errors import StoreError
from scheduler.delivery.journal import STORE_RETRY
from scheduler.ports import Clock

log = structlog.get_logger(__name__)

# How long people wait for facts that cannot be recorded, seconds: a full disk must not silence /latest.
PATIENCE = 5.0

Fact = Callable[[], Awaitable[None]]


class Facts:
    """A queue of facts, recorded while its block runs; each is tried until the store takes it.

    That somebody blocked the bot and let it in again would mean the opposite the other way round, and a
    platform tells it once.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: asyncio.Queue[Fact] = asyncio.Queue()
        self._recording: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._recording = asyncio.create_task(self._record_all())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._recording is not None
        await self.recorded()
        self._recording.cancel()
        await asyncio.wait({self._recording})

    def put(self, fact: Fact) -> None:
        """Have something recorded after all that was told before."""
        self._told.put_nowait(fact)

    async def recorded(self, patience: float = PATIENCE) -> bool:
        """Wait until all of them are recorded, so many seconds at most; returns whether they are."""
        try:
            async with asyncio.timeout(patience):
                await self._told.join()
        except TimeoutError:
            return False
        return True

    async def _record_all(self) -> None:
        while True:
            fact = await self._told.get()
            try:
                await self._record(fact)
            except Exception:
                # The edge of the task: one fact must not end the others.
                log.exception("chat.broken")
            self._told.task_done()

    async def _record(self, fact: Fact) -> None:
        while True:
            try:
                return await fact()
            except StoreError as exc:
                log.error("store.unavailable", reason=str(exc), next_step="what chats tell waits for it")
                await self._clock.sleep(STORE_RETRY)
