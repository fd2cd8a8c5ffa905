"""The rate limiter: how long a send has to wait so that the platform never says 429.

Each limit is a GCRA: one number, the theoretical arrival time, says when the next request conforms. Limits
count per address, so topics of a group share one. Pure: the clock (monotonic seconds) is an argument.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from scheduler.types import ChatKind

# Beyond this many addresses the ones that have nothing to remember are forgotten.
FORGET_ABOVE = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """One request each `interval` seconds on the long run, of which `burst` may come at once."""

    interval: float
    burst: int = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a platform: over all chats, and for one address by the kind of chat."""

    overall: Rate
    per_chat: Mapping[ChatKind, Rate]


@dataclass(slots=True)
class Limiter:
    """Books slots. A limit that a 429 taught holds until it has passed."""

    limits: Limits
    _overall: float = float("-inf")
    _by_address: dict[str, float] = field(default_factory=dict)
    _held_until: float = float("-inf")

    def chat_wait(self, address: str, kind: ChatKind, now: float) -> float:
        """Seconds until this address itself may be sent to, whatever the rest does."""
        rate = self.limits.per_chat.get(kind)
        arrival = self._by_address.get(address, float("-inf"))
        slack = 0.0 if rate is None else rate.interval * (rate.burst - 1)
        return max(0.0, arrival - slack - now)

    def take(self, address: str, kind: ChatKind, now: float) -> float:
        """Book the next slot for a broadcast; the caller sends after the returned seconds.

        A caller whose address has to wait by itself waits first: a slot booked ahead holds back all others.
        """
        ready = now + self.chat_wait(address, kind, now)
        slack = self.limits.overall.interval * (self.limits.overall.burst - 1)
        at = max(ready, self._overall - slack, self._held_until)
        self._book(address, kind, at, now)
        return at - now

    def reply(self, address: str, kind: ChatKind, now: float) -> float:
        """Book a slot for a reply, which never waits behind broadcasts: these make room for it."""
        wait = max(0.0, self._held_until - now)
        self._book(address, kind, now + wait, now)
        return wait

    def hold_all(self, until: float) -> None:
        """Let nothing leave before `until`."""
        self._held_until = max(self._held_until, until)

    def hold(self, address: str, kind: ChatKind, until: float) -> None:
        """Let nothing leave for one address before `until`."""
        rate = self.limits.per_chat.get(kind)
        slack = 0.0 if rate is None else rate.interval * (rate.burst - 1)
        self._by_address[address] = max(self._by_address.get(address, until), until + slack)

    def _book(self, address: str, kind: ChatKind, at: float, now: float) -> None:
        self._overall = max(self._overall, at) + self.limits.overall.interval
        if rate := self.limits.per_chat.get(kind):
            self._by_address[address] = max(self._by_address.get(address, at), at) + rate.interval
        if len(self._by_address) > FORGET_ABOVE:
            self._by_address = {key: tat for key, tat in self._by_address.items() if tat > now}
