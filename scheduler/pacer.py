"""Waiting for the limiter: whoever wants to send stands in its queue, one task gives the slots out."""

import asyncio
from collections import deque
from datetime import timedelta

from scheduler.errors import RateScope
from scheduler.limits import Lane, Limiter, Limits, Ticket
from scheduler.ports import Clock
from scheduler.types import ChatKind

# The longest sleep between two looks at the queue, seconds: so long waits a reply that comes meanwhile.
LOOK = 0.02
# Seconds over which the use of the limit is shown.
WINDOW = 60.0


class Pacer:
    """The one gate of a platform: every attempt at a request passes through `slot`."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self.limits = limits
        self._limiter, self._clock = Limiter(limits), clock
        self._waiting: dict[int, tuple[Lane, asyncio.Future[bool]]] = {}
        self._pump: asyncio.Task[None] | None = None
        self._closed = False
        self._given: deque[float] = deque()

    async def slot(self, address: str, kind: ChatKind, lane: Lane) -> bool:
        """Wait until a request to this address may leave; False if no broadcast may leave any more."""
        if self._closed and lane is Lane.BROADCAST:
            return False
        ticket = Ticket(lane, address, kind)
        granted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[id(ticket)] = lane, granted
        self._limiter.offer(ticket)
        if self._pump is None or self._pump.done():
            # Mostly there is no queue: then no task is needed either.
            wait = self._give()
            if wait is not None:
                self._pump = asyncio.create_task(self._run(wait))
        try:
            return await granted
        finally:
            self._waiting.pop(id(ticket), None)

    def chat_wait(self, address: str, kind: ChatKind) -> float:
        """Seconds until a broadcast may go to this address, whatever the rest does."""
        return max(0.0, self._limiter.chat_ready(address, kind, Lane.BROADCAST) - self._clock.monotonic())

    def limited(self, address: str, wait: timedelta, scope: RateScope) -> None:
        """The platform has asked to wait: slow down exactly what it names."""
        now, seconds = self._clock.monotonic(), wait.total_seconds()
        if scope is RateScope.PLATFORM:
            self._limiter.hold_all(now, seconds)
        else:
            self._limiter.hold(address, now, seconds)

    def used(self) -> float:
        """The share of the published overall limit that was used in the last minute."""
        self._forget()
        rate = self.limits.overall
        return len(self._given) / WINDOW * rate.seconds / rate.count

    def close(self) -> None:
        """Turn broadcasts away, those too that wait; replies still get their slots."""
        self._closed = True
        for lane, granted in self._waiting.values():
            if lane is Lane.BROADCAST and not granted.done():
                granted.set_result(False)

    def _give(self) -> float | None:
        """Give out the slots that are there; seconds until the next, None when nobody waits."""
        while len(self._limiter):
            now = self._clock.monotonic()
            found = self._limiter.next(now)
            if isinstance(found, float):
                return min(found - now, LOOK)
            _, granted = self._waiting.get(id(found), (None, None))
            if granted is not None and not granted.done():
                granted.set_result(True)
                self._given.append(now)
        return None

    async def _run(self, wait: float | None) -> None:
        while wait is not None:
            await self._clock.sleep(max(wait, 0.0))
            wait = self._give()
            self._forget()

    def _forget(self) -> None:
        horizon = self._clock.monotonic() - WINDOW
        while self._given and self._given[0] < horizon:
            self._given.popleft()
