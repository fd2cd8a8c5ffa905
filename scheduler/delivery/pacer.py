"""Waiting for the limiter: whoever wants to send stands in its queue, one task gives the slots out.

A broadcast waits three times: for its turn at the chat, with nothing written; for one of the few places in
which parts are written ahead; and for its slot, which it takes at the moment it leaves.
"""

import asyncio
from collections import deque
from datetime import timedelta
from math import ceil, inf, isfinite

from scheduler.delivery.limits import Lane, Limiter, Limits, Ticket
from scheduler.errors import RateScope
from scheduler.ports import Clock
from scheduler.types import ChatKind

# What is written ahead waits for company, so many seconds for each message a second: 1.5 ms at 30, 50 ms at
# 1000. A platform without limits, the terminal, has nobody to wait for.
GATHER = 50e-6
# What a commit takes, seconds. As many are written ahead as leave while that goes on, within bounds.
COMMIT = 0.02
FEWEST_AHEAD, MOST_AHEAD = 2, 100
# Who would have to wait longer for a chat or for the whole platform gives its place to others, seconds.
PATIENCE = 1.0
# Replies that wait for one address, and for a platform in all; beyond that, who asks later gets none.
REPLIES_OF_CHAT, REPLIES = 10, 1_000
# Seconds over which the use of the limit is shown.
WINDOW = 60.0


class Pacer:
    """The one gate of a platform: every attempt at a request passes through `slot`.

    `ahead` are the places of those that are written ahead and have not left.
    """

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self.limits = limits
        pace = limits.overall.count / limits.overall.seconds
        self.gather = pace * GATHER if isfinite(pace) else 0.0
        leaving = pace * (self.gather + COMMIT)
        self.ahead = asyncio.Semaphore(ceil(min(MOST_AHEAD, max(FEWEST_AHEAD, leaving))))
        self._limiter, self._clock = Limiter(limits), clock
        self._waiting: dict[int, tuple[Lane, asyncio.Future[bool]]] = {}
        self._replies: dict[tuple[str, str], Ticket] = {}  # that wait, by address and who asked
        self._next_look = inf
        self._pump: asyncio.Task[None] | None = None  # kept, for the loop itself would not
        self._closing = asyncio.Event()
        self._given: deque[float] = deque()

    async def turn(self, address: str, kind: ChatKind) -> bool:
        """Wait until a broadcast may be begun for an address; False if others should go first."""
        now = self._clock.monotonic()
        at = self._limiter.turn(address, kind, now, PATIENCE)
        if at is not None and (wait := max(at - now, self.hold_wait())) > 0:
            await self._sleep(wait)
        return at is not None and not self._closing.is_set()

    async def slot(self, address: str, kind: ChatKind, lane: Lane) -> bool:
        """Wait until a request to this address may leave; False if no broadcast may, or not for a while."""
        if lane is Lane.BROADCAST and (self._closing.is_set() or self.hold_wait() > PATIENCE):
            return False
        return await self._granted(Ticket(lane, address, kind))

    async def reply_slot(self, address: str, kind: ChatKind, asked: str) -> bool:
        """Wait until a reply may leave; False if it is no longer wanted, or if too many wait already.

        `asked` is who wants what: of the replies that wait for the same, only the newest leaves, in the place
        of the first.
        """
        key = address, asked
        ticket = self._replies.get(key)
        if ticket is None or id(ticket) not in self._waiting:
            if self._is_full(address):
                return False
            ticket = self._replies[key] = Ticket(Lane.REPLY, address, kind)
        try:
            return await self._granted(ticket)
        finally:
            if id(ticket) not in self._waiting and self._replies.get(key) is ticket:
                del self._replies[key]

    def _is_full(self, address: str) -> bool:
        here = sum(other == address for other, _ in self._replies)
        return here >= REPLIES_OF_CHAT or len(self._replies) >= REPLIES

    async def _granted(self, ticket: Ticket) -> bool:
        """Wait for a ticket's slot; who waited with the same ticket is told that it is not theirs."""
        granted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        _, earlier = self._waiting.get(id(ticket), (None, None))
        self._waiting[id(ticket)] = ticket.lane, granted
        if earlier is None:
            self._limiter.offer(ticket)
            self._look()
        elif not earlier.done():
            earlier.set_result(False)
        try:
            return await granted
        finally:
            if self._waiting.get(id(ticket), (None, None))[1] is granted:
                del self._waiting[id(ticket)]

    def chat_wait(self, address: str, kind: ChatKind) -> float:
        """Seconds until a broadcast may go to this address, whatever the rest does."""
        now = self._clock.monotonic()
        return self._limiter.turn_ready(address, kind, now) - now

    def hold_wait(self) -> float:
        """Seconds for which the platform has asked everybody to wait."""
        return max(0.0, self._limiter.held_until - self._clock.monotonic())

    def limited(self, address: str, wait: timedelta, scope: RateScope) -> None:
        """The platform has asked to wait: slow down exactly what it names."""
        now, seconds = self._clock.monotonic(), wait.total_seconds()
        if scope is RateScope.CHAT:
            self._limiter.hold(address, now, seconds)
            return
        self._limiter.hold_all(now, seconds)
        if self.hold_wait() > PATIENCE:
            self._turn_away()

    def used(self) -> float:
        """The share of the published overall limit that was used in the last minute."""
        self._forget()
        rate = self.limits.overall
        return len(self._given) / WINDOW * rate.seconds / rate.count

    def close(self) -> None:
        """Turn broadcasts away, those too that wait; replies still get their slots."""
        self._closing.set()
        self._turn_away()

    def _turn_away(self) -> None:
        for lane, granted in self._waiting.values():
            if lane is Lane.BROADCAST and not granted.done():
                granted.set_result(False)

    async def _sleep(self, seconds: float) -> None:
        """Sleep, but not beyond the closing."""
        tasks = [asyncio.create_task(self._clock.sleep(seconds)), asyncio.create_task(self._closed())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    async def _closed(self) -> None:
        await self._closing.wait()

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
            _, granted = self._waiting.pop(id(found), (None, None))
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
