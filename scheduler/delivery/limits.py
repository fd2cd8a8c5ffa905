"""The rate limiter: decides which request may be sent when, so that the platform never answers 429. Pure.

Each limit is a GCRA (the generic cell rate algorithm): one number, the theoretical arrival time, says when
the next request conforms. Limits count per address, so all topics of a group share one. Requests queue in
three lanes: replies go first, edits last. A reply whose own address is at its limit is parked and delays no
other.

While a broadcast waits for an address, replies leave room for it: they get REPLY_SHARE of that address's
limit, after their burst. Otherwise people who ask the bot often enough would keep their group's posts away.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import IntEnum
from heapq import heappop, heappush

from scheduler.types import ChatKind, Limits

# The limiter makes up for a timer that fires up to this late, seconds, so that no permit is lost.
TOLERANCE = 0.005
# Factor per 429, floor, recovery per second, all as shares of the published rate.
SLOWER, SLOWEST, EASE = 0.7, 0.1, 0.01
# Past times are dropped when there are this many addresses, and again each time their number has doubled.
FORGET_ABOVE = 10_000

# The share of an address's limit that replies get while a broadcast waits for it.
REPLY_SHARE = 0.5
# A broadcast that has to wait is expected when it is due; after this many intervals it no longer is.
EXPECTED = 2

NEVER = float("-inf")


class Lane(IntEnum):
    """The order of requests: the lower number goes first."""

    REPLY = 0
    BROADCAST = 1
    EDIT = 2


@dataclass(slots=True)
class Ticket:
    """A request that waits for a permit. With an empty address only the overall limit applies."""

    lane: Lane
    address: str
    kind: ChatKind


@dataclass(slots=True)
class _Pace:
    """The share of a rate that is used after 429s; it recovers with time."""

    share: float = 1.0
    since: float = NEVER

    def at(self, now: float) -> float:
        return min(1.0, self.share + max(0.0, now - self.since) * EASE) if self.share < 1 else 1.0

    def slow_down(self, now: float, until: float) -> None:
        if now >= self.since:  # a 429 to a request sent before the last 429 was known does not count again
            self.share = max(SLOWEST, self.at(now) * SLOWER)
        self.since = max(self.since, until)


@dataclass(slots=True)
class Limiter:
    """Gives out permits in order. All times are monotonic seconds."""

    limits: Limits
    held_until: float = NEVER
    _arrival: float = NEVER  # theoretical arrival time of the overall limit
    _arrivals: dict[str, float] = field(default_factory=dict)  # the same for each address
    _reply_arrivals: dict[str, float] = field(default_factory=dict)  # and for its replies, at their share
    _waiting_replies: Counter[str] = field(default_factory=Counter)
    _expected_until: dict[str, float] = field(default_factory=dict)  # until when a broadcast is expected
    _held: dict[str, float] = field(default_factory=dict)
    _pace: _Pace = field(default_factory=_Pace)
    _paces: dict[str, _Pace] = field(default_factory=dict)
    _ready: list[tuple[Lane, float, int, Ticket]] = field(default_factory=list)
    _parked: list[tuple[float, int, Ticket]] = field(default_factory=list)
    _count: int = 0
    _forget_at: int = FORGET_ABOVE

    def __len__(self) -> int:
        """How many requests wait."""
        return len(self._ready) + len(self._parked)

    def offer(self, ticket: Ticket) -> None:
        """Put a request into the queue."""
        self._count += 1
        if ticket.lane is Lane.REPLY:
            self._waiting_replies[ticket.address] += 1
        self._make_ready(self._count, ticket)

    def _make_ready(self, number: int, ticket: Ticket) -> None:
        """Queue a request. Among replies, the address with the fewest recent replies goes first."""
        reply = ticket.lane is Lane.REPLY
        answered = self._reply_arrivals.get(ticket.address, NEVER) if reply else NEVER
        heappush(self._ready, (ticket.lane, answered, number, ticket))

    def next(self, now: float) -> Ticket | float:
        """Book and return the request that may be sent now, else return the time at which to call again.

        That time is infinite if no request waits.
        """
        while self._parked and self._parked[0][0] <= now:
            _, number, ticket = heappop(self._parked)
            self._make_ready(number, ticket)
        overall = self.overall_ready()
        if overall > now:
            return overall if len(self) else float("inf")
        while self._ready:
            _, _, number, ticket = heappop(self._ready)
            allowed_at = self._reply_ready(ticket) if ticket.lane is Lane.REPLY else NEVER
            if allowed_at <= now:
                self._book(ticket, now)
                return ticket
            heappush(self._parked, (allowed_at, number, ticket))
        return self._parked[0][0] if self._parked else float("inf")

    def _reply_ready(self, ticket: Ticket) -> float:
        """When a reply's own address allows it. A broadcast has no such check: `reserve` booked it before."""
        address, kind = ticket.address, ticket.kind
        expected = self._expected_until.get(address, NEVER)
        within_share = min(expected, self._share_ready(address, kind))
        return max(self.chat_ready(address, kind, Lane.REPLY), within_share)

    def _share_ready(self, address: str, kind: ChatKind) -> float:
        """When the replies' share of an address's limit allows another reply."""
        rate, arrival = self.limits.per_chat.get(kind), self._reply_arrivals.get(address, NEVER)
        if rate is None:
            return NEVER
        return arrival - rate.interval / REPLY_SHARE * (self.limits.reply_burst - 1)

    def reserve(self, address: str, kind: ChatKind, now: float, patience: float) -> float | None:
        """Book a broadcast to this address and return when it may begin.

        None, and nothing is booked, if that is more than `patience` seconds away.
        """
        at, rate = self.broadcast_ready(address, kind, now), self.limits.per_chat.get(kind)
        if rate is not None and at > now:
            self._expected_until[address] = at + EXPECTED * rate.interval
        if at > now + patience:
            return None
        self._book_address(address, kind, at, self._arrivals.get(address, NEVER))
        return at

    def broadcast_ready(self, address: str, kind: ChatKind, now: float) -> float:
        """When the next broadcast to this address may begin; a waiting reply within its share goes first."""
        at, rate = max(now, self.chat_ready(address, kind, Lane.BROADCAST)), self.limits.per_chat.get(kind)
        if rate is None or address not in self._waiting_replies:
            return at
        reply_goes_first = self._share_ready(address, kind) <= at
        return at + rate.interval if reply_goes_first else at

    def overall_ready(self) -> float:
        """When the overall limit allows the next request."""
        return max(self._arrival - TOLERANCE, self.held_until)

    def chat_ready(self, address: str, kind: ChatKind, lane: Lane) -> float:
        """When the address's own limit allows a request, regardless of the overall limit."""
        held = self._held.get(address, NEVER)
        rate, arrival = self.limits.per_chat.get(kind), self._arrivals.get(address, NEVER)
        if rate is None or arrival == NEVER:
            return held
        burst = max(rate.burst, self.limits.reply_burst) if lane is Lane.REPLY else rate.burst
        return max(held, arrival - rate.interval * (burst - 1))

    def hold(self, address: str, now: float, seconds: float) -> None:
        """A 429 for one address: send nothing to it for `seconds`, then at a lower rate that recovers."""
        until = now + seconds
        self._held[address] = max(self._held.get(address, NEVER), until)
        self._paces.setdefault(address, _Pace()).slow_down(now, until)

    def hold_all(self, now: float, seconds: float) -> None:
        """A 429 for the whole bot: send nothing for `seconds`, then at a lower rate that recovers."""
        self.held_until = max(self.held_until, now + seconds)
        self._pace.slow_down(now, now + seconds)

    def _book(self, ticket: Ticket, now: float) -> None:
        interval = self.limits.overall.interval / self._pace.at(now)
        self._arrival = max(self._arrival, now - TOLERANCE) + interval
        before = NEVER
        if ticket.lane is Lane.REPLY:
            before = self._arrivals.get(ticket.address, NEVER)
            self._book_reply(ticket, now)
        self._book_address(ticket.address, ticket.kind, now, before)

    def _book_reply(self, ticket: Ticket, now: float) -> None:
        """Book a reply on the replies' share.

        The arrival time is at most a burst ahead, so that no reply waits because of many earlier ones.
        """
        self._waiting_replies[ticket.address] -= 1
        if not self._waiting_replies[ticket.address]:
            del self._waiting_replies[ticket.address]
        rate = self.limits.per_chat.get(ticket.kind)
        if rate is None or not ticket.address:
            return
        interval = rate.interval / REPLY_SHARE
        arrival = max(self._reply_arrivals.get(ticket.address, NEVER), now) + interval
        self._reply_arrivals[ticket.address] = min(arrival, now + self.limits.reply_burst * interval)

    def _book_address(self, address: str, kind: ChatKind, at: float, before: float) -> None:
        """Book a request on its address's limit. `before`: arrival time to continue from.

        A broadcast is booked when it begins, and once more when it is sent, if that is later.
        """
        rate = self.limits.per_chat.get(kind)
        if rate is None or not address:
            return
        pace = self._paces.get(address)
        arrival = max(before, at) + rate.interval / (pace.at(at) if pace else 1.0)
        self._arrivals[address] = max(self._arrivals.get(address, NEVER), arrival)
        if len(self._arrivals) >= self._forget_at:
            self._forget(at)

    def _forget(self, now: float) -> None:
        """Drop times that have passed; called rarely enough to cost nothing per request."""
        self._arrivals = {key: arrival for key, arrival in self._arrivals.items() if arrival > now}
        self._reply_arrivals = {key: at for key, at in self._reply_arrivals.items() if at > now}
        self._expected_until = {key: until for key, until in self._expected_until.items() if until > now}
        self._held = {key: until for key, until in self._held.items() if until > now}
        self._paces = {key: pace for key, pace in self._paces.items() if pace.at(now) < 1}
        self._forget_at = max(FORGET_ABOVE, 2 * len(self._arrivals))
