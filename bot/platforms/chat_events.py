"""A queue that records a platform's news about its chats, one at a time and in order of arrival."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from content.errors import StoreError
from scheduler.delivery.journal import STORE_RETRY
from scheduler.log import Logger
from scheduler.ports import Clock

log = Logger(__name__)

# Longest wait for events to be recorded, seconds. Commands must still be answered when the disk is full.
PATIENCE = 5.0

Event = Callable[[], Awaitable[None]]


class ChatEvents:
    """A queue of events, recorded while its `async with` block runs.

    The order matters: "blocked the bot" then "unblocked it" means the opposite when swapped. Each event is
    retried until the store takes it, because the platform sends it only once.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: asyncio.Queue[Event] = asyncio.Queue()
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

    def put(self, event: Event) -> None:
        """Queue a event; it is recorded after all earlier ones."""
        self._told.put_nowait(event)

    async def recorded(self, patience: float = PATIENCE) -> bool:
        """Wait until all queued events are recorded, at most `patience` seconds; returns whether they are."""
        try:
            async with asyncio.timeout(patience):
                await self._told.join()
        except TimeoutError:
            return False
        return True

    async def _record_all(self) -> None:
        while True:
            event = await self._told.get()
            try:
                await self._record(event)
            except Exception:
                # The edge of the task: an event that fails must not stop the recording of the others.
                log.exception("chat.broken")
            self._told.task_done()

    async def _record(self, event: Event) -> None:
        while True:
            try:
                return await event()
            except StoreError as exc:
                log.error("store.unavailable", reason=str(exc), next_step="what chats tell waits for it")
                await self._clock.sleep(STORE_RETRY)
