"""Flood control and network latency, both off by default.

Telegram publishes about 30 messages/s overall, 1/s to a chat with short bursts, 20/min to a group. The silent
hold follows the Bot API server's NetQueryDelayer: it waits and tries again by itself until the waits of one
request would add up to more than 8 s, and only then answers 429.
"""

import math
import random
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from tests.emulators.base import Sleep
from tests.emulators.telegram.faults import too_many

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a strict server. Channels count as groups, and every item of an album counts."""

    overall: int = 30
    """Messages in any one second."""
    private: int = 3
    """Messages at once to a private chat, where one more is allowed each second."""
    group: int = 20
    """Messages to a group or channel in any 60 seconds."""
    hold: int = 8
    """Seconds of flood wait for which a request is held without an answer."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds of a round trip between client and server. `jitter` is the maximum of a uniform extra delay."""

    round_trip: float = 0.0
    jitter: float = 0.0
    seed: int = 0


@dataclass(slots=True)
class Flood:
    """The state of the limits. Windows slide. A chat uses memory after its first message."""

    limits: Limits
    clock: Clock
    sleep: Sleep
    holds: int = 0
    """Requests that were held without an answer."""
    refusals: int = 0
    """Requests that were answered 429."""
    _overall: deque[float] = field(init=False)
    _groups: dict[Hashable, deque[float]] = field(init=False, default_factory=dict)
    _private: dict[Hashable, float] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._overall = deque(maxlen=self.limits.overall)

    async def admit(self, chat: Hashable, *, private: bool, cost: int = 1) -> None:
        """Wait until `cost` messages may go to the chat. Raises ApiError 429 if that takes too long."""
        held = 0
        while (wait := self._wait(chat, private, cost)) > 0:
            seconds = max(1, math.ceil(wait))
            if held + seconds > self.limits.hold:
                self.refusals += 1
                raise too_many(seconds)
            self.holds += not held
            held += seconds
            await self.sleep(seconds)
        self._count(chat, private, cost)

    def _wait(self, chat: Hashable, private: bool, cost: int) -> float:
        now = self.clock()
        overall = _until_free(self._overall, self.limits.overall, 1.0, cost, now)
        if private:
            return max(overall, self._private.get(chat, now) + cost - self.limits.private - now)
        group = self._groups.get(chat)
        if group is None:
            return overall
        return max(overall, _until_free(group, self.limits.group, 60.0, cost, now))

    def _count(self, chat: Hashable, private: bool, cost: int) -> None:
        now = self.clock()
        stamps = [now] * cost
        self._overall.extend(stamps)
        if private:
            self._private[chat] = max(self._private.get(chat, now), now) + cost
        else:
            self._groups.setdefault(chat, deque(maxlen=self.limits.group)).extend(stamps)


def _until_free(stamps: deque[float], size: int, span: float, cost: int, now: float) -> float:
    """Seconds until `cost` more messages fit into a window of `size` messages in `span` seconds."""
    if len(stamps) + cost <= size:
        return 0.0
    return stamps[min(len(stamps) + cost - size, len(stamps)) - 1] + span - now if stamps else 0.0


@dataclass(slots=True)
class Line:
    """The network between client and server, with its latency."""

    latency: Latency
    sleep: Sleep
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.latency.seed)

    async def cross(self) -> None:
        """Wait for the latency of one direction."""
        seconds = self.latency.round_trip / 2 + self._random.uniform(0, self.latency.jitter) / 2
        if seconds > 0:
            await self.sleep(seconds)
