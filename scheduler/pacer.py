"""Waiting for the limiter: whoever wants to send stands in its queue, one task gives the slots out."""

import asyncio
from collections import deque
from datetime import timedelta
from math import inf, isfinite

from scheduler.errors import RateScope
from scheduler.limits import Lane, Limiter, Limits, Ticket
from scheduler.ports import Clock
from scheduler.types import ChatKind

# What is written ahead waits for company, so many seconds for each message a second: 1.5 ms at 30, 50 ms at
# 1000. A platform without limits, the terminal, has nobody to wait for.
GATHER = 50e-6
# What a commit takes, seconds; and how long before it leaves a part is written ahead at most.
COMMIT, MOST_AHEAD = 0.015, 0.05
# Seconds over which the use of the limit is shown.
WINDOW = 60.0


class Pacer:
    """The one gate of a platform: every attempt at a request passes through `slot`."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self.limits = limits
        pace = limits.overall.count / limits.overall.seconds
        self.gather = pace * GATHER if isfinite(pace) else 0.0
        self._limiter, self._clock = Limiter(limits, min(MOST_AHEAD, self.gather + COMMIT)), clock
        self._waiting: dict[int, tuple[Lane, asyncio.Future[bool]]] = {}
        self._next_look = inf
        self._pump: asyncio.Task[None] | None = None  # kept, for the loop itself would not
        self._closed = False
        self._given: deque[float] = deque()

    async def slot(self, address: str, kind: ChatKind, lane: Lane) -> Ticket | None:
        """Wait for a slot; None if no broadcast may leave any more.

        A reply may leave then. A broadcast is told ahead, to be written ahead meanwhile, and has to `leave`.
        """
        if self._closed and lane is Lane.BROADCAST:
            return None
        ticket = Ticket(lane, address, kind)
        granted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[id(ticket)] = lane, granted
        self._limiter.offer(ticket)
        self._look()
        try:
            return ticket if await granted else None
        finally:
            self._waiting.pop(id(ticket), None)

    async def leave(self, ticket: Ticket) -> None:
        """Wait for the time of a slot."""
        now = self._clock.monotonic()
        await self._clock.sleep(self._limiter.leave(ticket, now) - now)

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

    def _look(self) -> None:
        """Give out the slots that are there, and look again when the next one is."""
        due = self._give()
        if due is not None and due < self._next_look:
            self._next_look = due
            self._pump = asyncio.create_task(self._run(due))

    def _give(self) -> float | None:
        """Give out the slots that are there; when the next one is, None when nobody waits."""
        while len(self._limiter):
            now = self._clock.monotonic()
            found = self._limiter.next(now)
            if isinstance(found, float):
                return found
            _, granted = self._waiting.get(id(found), (None, None))
            if granted is not None and not granted.done():
                granted.set_result(True)
                self._given.append(now)
        return None

    async def _run(self, due: float) -> None:
        await self._clock.sleep(due - self._clock.monotonic())
        if due == self._next_look:  # else an earlier look has taken this one's place
            self._next_look = inf
            self._look()
            self._forget()

    def _forget(self) -> None:
        horizon = self._clock.monotonic() - WINDOW
        while self._given and self._given[0] < horizon:
            self._given.popleft()
