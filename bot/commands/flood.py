"""Rate limits for people: commands and presses per minute in all chats, and a fair queue for the work.

Each person has a leaky bucket (the GCRA of `scheduler/delivery/limits.py`). A person who overfills it is told
once, and then gets no answer until it is half empty: refusals would cost as much as answers.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from heapq import heappop, heappush

from bot.commands.types import Reply, Request
from content import present
from scheduler.log import Logger
from scheduler.ports import Clock

log = Logger(__name__)

# Discord asks for completions at each keystroke; this many count as one command.
COMPLETIONS = 10
# People whose buckets are remembered; beyond that, the least recently active are forgotten.
REMEMBERED = 10_000
MINUTE = 60.0
# Who has asked so much lately, in seconds until the bucket is empty, leaves one place to others.
BUSY = MINUTE / 4
# Concurrent commands. They share one event loop, so more would only delay each other.
AT_ONCE = 2
SEARCHES = 2  # a search may take seconds in the database, so searches have a queue of their own
ROUNDING = 1e-6  # seconds, for sums of floats that should be equal


class Pace(Enum):
    """What a person gets: an answer, the one refusal, or nothing."""

    ANSWERED = auto()
    REFUSED = auto()
    IGNORED = auto()


@dataclass(slots=True)
class _Bucket:
    """`empty_at`: when the bucket will be empty. `quiet_until`: no answers before then. Monotonic seconds."""

    empty_at: float = 0.0
    quiet_until: float = 0.0


@dataclass(slots=True)
class Flood:
    """The buckets of all people; a bucket holds a minute's commands."""

    per_minute: int
    clock: Clock
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many people are remembered."""
        return len(self._buckets)

    def asked(self, actor: str) -> Pace:
        """Count a command or a press of a person."""
        now, bucket = self.clock.monotonic(), self._bucket(actor)
        if now < bucket.quiet_until:
            return Pace.IGNORED
        if self._fill(bucket, now, 1.0):
            return Pace.ANSWERED
        bucket.quiet_until = now + MINUTE / 2
        log.warning("person.flooding", actor=actor, per_minute=self.per_minute)
        return Pace.REFUSED

    def typed(self, actor: str) -> bool:
        """Count a completion; False to offer none. Completions fill half a bucket, so commands still pass."""
        now, bucket = self.clock.monotonic(), self._bucket(actor)
        return now >= bucket.quiet_until and self._fill(bucket, now, 1 / COMPLETIONS, MINUTE / 2)

    def asked_lately(self, actor: str) -> float:
        """Seconds until a person's bucket is empty."""
        bucket = self._buckets.get(actor)
        return max(0.0, bucket.empty_at - self.clock.monotonic()) if bucket else 0.0

    def _bucket(self, actor: str) -> _Bucket:
        bucket = self._buckets.pop(actor, None) or _Bucket()
        self._buckets[actor] = bucket  # the dictionary's order is that of the last use
        if len(self._buckets) > REMEMBERED:
            del self._buckets[next(iter(self._buckets))]
        return bucket

    def _fill(self, bucket: _Bucket, now: float, amount: float, size: float = MINUTE) -> bool:
        full = max(bucket.empty_at, now) + amount * MINUTE / self.per_minute
        if full > now + size + ROUNDING:
            return False
        bucket.empty_at = full
        return True


class FairQueue:
    """Limits concurrent commands. Of the waiting people, the one with the emptiest bucket goes first.

    So a person who floods the bot waits for everybody else. Those who do never have all places, so others
    need not even wait until one of their commands has ended.
    """

    def __init__(self, at_once: int) -> None:
        self._free, self._number = at_once, 0
        self._kept = min(1, at_once - 1)
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def turn(self, asked_lately: float) -> AsyncIterator[None]:
        """Wait for a free place, and hold it while the block runs."""
        if self._has_place(asked_lately):
            self._free -= 1
        else:
            await self._wait(asked_lately)
        try:
            yield
        finally:
            self._leave()

    async def _wait(self, asked_lately: float) -> None:
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._number += 1
        heappush(self._waiting, (asked_lately, self._number, granted))
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():  # granted at the same moment: pass it on
                self._leave()
            raise

    def _has_place(self, asked_lately: float) -> bool:
        return self._free > (self._kept if asked_lately > BUSY else 0)

    def _leave(self) -> None:
        self._free += 1
        while self._waiting and self._has_place(self._waiting[0][0]):
            _, _, granted = heappop(self._waiting)
            if not granted.done():
                self._free -= 1
                granted.set_result(None)


def refusal(request: Request) -> Reply:
    """The one refusal that a person gets for too many commands."""
    t = request.translator.t
    text = t("Too many commands at once. Please wait {seconds} seconds.", seconds=int(MINUTE / 2))
    return Reply(present.error(text), private=True)
