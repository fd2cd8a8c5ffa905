"""Permits for requests: they queue for the limiter, and one task grants the permits.

A broadcast waits three times: first for the chat's own limit, before anything is written; then for one of the
few places for parts that are written ahead; last for its permit, right before it is sent.
"""

import asyncio
from collections import deque
from datetime import timedelta
from math import ceil, inf, isfinite

from scheduler.delivery.limits import Lane, Limiter, Ticket
from scheduler.errors import RateScope
from scheduler.ports import Clock
from scheduler.types import ChatKind, Limits

# Group-commit delay: 50 µs × messages per second, so 1.5 ms at 30 and 50 ms at 1000. A platform without
# limits, the terminal, has none.
GATHER = 50e-6
# Duration of a commit, seconds. Parts written ahead = rate × (group-commit delay + commit), clamped to
# FEWEST_AHEAD..MOST_AHEAD: more in flight means more possible duplicates after a crash.
COMMIT = 0.02
FEWEST_AHEAD, MOST_AHEAD = 2, 100
# Longest wait for a limit before the delivery goes back to the outbox, seconds.
PATIENCE = 1.0
# Most replies that may wait for one address, and for the platform as a whole; any more are dropped.
REPLIES_OF_CHAT, REPLIES = 10, 1_000
# The use of the limit is averaged over this time, seconds.
WINDOW = 60.0


class Pacer:
    """The gate of a platform: every request, retries too, takes a permit here.

    `ahead` limits the parts that are written ahead and not sent yet. `gather` is the group-commit delay in
    seconds.
    """

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self.limits = limits
        rate = limits.overall.count / limits.overall.seconds
        self.gather = rate * GATHER if isfinite(rate) else 0.0
        sent_meanwhile = rate * (self.gather + COMMIT)
        self.ahead = asyncio.Semaphore(ceil(min(MOST_AHEAD, max(FEWEST_AHEAD, sent_meanwhile))))
        self._limiter, self._clock = Limiter(limits), clock
        self._waiting: dict[int, tuple[Lane, asyncio.Future[bool]]] = {}
        self._replies: dict[tuple[str, str], Ticket] = {}  # waiting replies, by address and `asked`
        self._next_look = inf
        self._pump: asyncio.Task[None] | None = None  # the event loop keeps only weak references to tasks
        self._closing = asyncio.Event()
        self._given: deque[float] = deque()

    async def wait_for_chat(self, address: str, kind: ChatKind) -> bool:
        """Book a broadcast on a chat's own limit and wait for it; False if that would take too long."""
        now = self._clock.monotonic()
        at = self._limiter.reserve(address, kind, now, PATIENCE)
        if at is None:
            return False
        wait = max(at - now, self.hold_wait())
        if wait > 0:
            await self._sleep(wait)
        return not self._closing.is_set()

    async def permit(self, address: str, kind: ChatKind, lane: Lane) -> bool:
        """Wait until a request to this address may be sent; False if broadcasts are refused for a while."""
        if lane is not Lane.REPLY and (self._closing.is_set() or self.hold_wait() > PATIENCE):
            return False
        return await self._granted(Ticket(lane, address, kind))

    async def reply_permit(self, address: str, kind: ChatKind, asked: str) -> bool:
        """Wait until a reply may be sent; False if a newer one replaces it, or if too many wait already.

        `asked` names the person and the topic: of the waiting replies with the same name only the newest is
        sent, and it takes the place of the first in the queue.
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
        of_chat = sum(other == address for other, _ in self._replies)
        return of_chat >= REPLIES_OF_CHAT or len(self._replies) >= REPLIES

    async def _granted(self, ticket: Ticket) -> bool:
        """Wait for a ticket's permit; an earlier waiter with the same ticket gets False at once."""
        granted: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        _, earlier = self._waiting.get(id(ticket), (None, None))
        self._waiting[id(ticket)] = ticket.lane, granted
        if earlier is None:
            self._limiter.offer(ticket)
            self._give_and_schedule()
        elif not earlier.done():
            earlier.set_result(False)
        try:
            return await granted
        finally:
            if self._waiting.get(id(ticket), (None, None))[1] is granted:
                del self._waiting[id(ticket)]

    def chat_wait(self, address: str, kind: ChatKind) -> float:
        """Seconds until the chat's own limit allows a broadcast."""
        now = self._clock.monotonic()
        return self._limiter.broadcast_ready(address, kind, now) - now

    def hold_wait(self) -> float:
        """Seconds until the end of a wait that the platform demanded for all requests."""
        return max(0.0, self._limiter.held_until - self._clock.monotonic())

    def limited(self, address: str, wait: timedelta, scope: RateScope) -> None:
        """The platform answered 429: wait and slow down, for the chat or the whole platform (`scope`)."""
        now, seconds = self._clock.monotonic(), wait.total_seconds()
        if scope is RateScope.CHAT:
            self._limiter.hold(address, now, seconds)
            return
        self._limiter.hold_all(now, seconds)
        if self.hold_wait() > PATIENCE:
            self._refuse_broadcasts()

    def used(self) -> float:
        """The share of the published overall limit that was used in the last minute."""
        self._forget()
        rate = self.limits.overall
        return len(self._given) / WINDOW * rate.seconds / rate.count

    def close(self) -> None:
        """Refuse broadcasts, waiting ones too; replies still get permits."""
        self._closing.set()
        self._refuse_broadcasts()

    def _refuse_broadcasts(self) -> None:
        for lane, granted in self._waiting.values():
            if lane is not Lane.REPLY and not granted.done():
                granted.set_result(False)

    async def _sleep(self, seconds: float) -> None:
        """Sleep until the time has passed or the pacer is closed."""
        tasks = [asyncio.create_task(self._clock.sleep(seconds)), asyncio.create_task(self._closed())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    async def _closed(self) -> None:
        await self._closing.wait()

    def _give_and_schedule(self) -> None:
        """Grant the permits that are ready, and schedule the next check."""
        due = self._give()
        if due is not None and due < self._next_look:
            self._next_look = due
            self._pump = asyncio.create_task(self._run(due))

    def _give(self) -> float | None:
        """Grant the permits that are ready; returns when the next one is ready, None if no request waits."""
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
        if due == self._next_look:  # otherwise an earlier check was scheduled meanwhile
            self._next_look = inf
            self._give_and_schedule()
            self._forget()

    def _forget(self) -> None:
        horizon = self._clock.monotonic() - WINDOW
        while self._given and self._given[0] < horizon:
            self._given.popleft()
