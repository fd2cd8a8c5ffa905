"""The rate limiter: who may send when, so that the platform never says 429. Pure: the clock is an argument.

Each limit is a GCRA (the generic cell rate algorithm): one number, the theoretical arrival time, says when
the next request conforms. Limits count per address, so topics of a group share one. Who waits stands in one
of two lanes, and replies go first. Whose own address is at its limit is parked aside and costs the others
nothing.

While a broadcast waits for an address, replies leave room for it: they get REPLY_SHARE of that address's
limit, after their burst. Otherwise whoever asks the bot enough would keep a group's posts away.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from heapq import heappop, heappush

from scheduler.types import ChatKind

# How late a timer may be without a slot being lost, seconds: slots missed by no more than this are caught up.
TOLERANCE = 0.005
# What a 429 makes of a rate, how low that goes, and how fast it is eased back up, in shares a second.
SLOWER, SLOWEST, EASE = 0.7, 0.1, 0.01
# Addresses with nothing to remember are forgotten when there are this many, and each time they have doubled.
FORGET_ABOVE = 10_000

# The share of an address's limit that replies get while a broadcast waits for it.
REPLY_SHARE = 0.5
# A broadcast that has to wait returns when its time has come; so many intervals later it is not expected.
EXPECTED = 2

NEVER = float("-inf")


class Lane(IntEnum):
    """Who goes first."""

    REPLY = 0
    BROADCAST = 1


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` requests in `seconds`, as published; `burst` of them may come at once.

    `guard` is the share that is left unused, for what the network does to the distances between requests.
    """

    count: float
    seconds: float = 1.0
    burst: int = 1
    guard: float = 0.04

    @property
    def interval(self) -> float:
        """Seconds between two requests on the long run: no window of `seconds` sees more than `count`."""
        return self.seconds / (self.count * (1 - self.guard) - (self.burst - 1))


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a platform: over all chats, and for one address by the kind of chat.

    `reply_burst` replies may leave at once for one address although a broadcast would have to wait.
    """

    overall: Rate
    per_chat: Mapping[ChatKind, Rate]
    reply_burst: int = 3


@dataclass(slots=True)
class Ticket:
    """Somebody who waits for a slot; without an address only the overall limit counts."""

    lane: Lane
    address: str
    kind: ChatKind


@dataclass(slots=True)
class _Pace:
    """A rate that 429s have slowed down: a share of it, eased back up since."""

    share: float = 1.0
    since: float = NEVER

    def at(self, now: float) -> float:
        return min(1.0, self.share + max(0.0, now - self.since) * EASE) if self.share < 1 else 1.0

    def slow_down(self, now: float, until: float) -> None:
        if now >= self.since:  # else it left before the last 429 was known, and teaches nothing new
            self.share = max(SLOWEST, self.at(now) * SLOWER)
        self.since = max(self.since, until)


@dataclass(slots=True)
class Limiter:
    """Gives out slots in order. All times are monotonic seconds."""

    limits: Limits
    _arrival: float = NEVER
    _by_address: dict[str, float] = field(default_factory=dict)
    _replies: dict[str, float] = field(default_factory=dict)  # the same of replies alone, at their share
    _asking: Counter[str] = field(default_factory=Counter)  # replies that wait
    _wanted: dict[str, float] = field(default_factory=dict)  # until when a broadcast is expected
    _held: dict[str, float] = field(default_factory=dict)
    held_until: float = NEVER
    _pace: _Pace = field(default_factory=_Pace)
    _paces: dict[str, _Pace] = field(default_factory=dict)
    _ready: list[tuple[Lane, float, int, Ticket]] = field(default_factory=list)
    _parked: list[tuple[float, int, Ticket]] = field(default_factory=list)
    _count: int = 0
    _forget_at: int = FORGET_ABOVE

    def __len__(self) -> int:
        """How many wait."""
        return len(self._ready) + len(self._parked)

    def offer(self, ticket: Ticket) -> None:
        """Take somebody into the queue."""
        self._count += 1
        if ticket.lane is Lane.REPLY:
            self._asking[ticket.address] += 1
        self._make_ready(self._count, ticket)

    def _make_ready(self, number: int, ticket: Ticket) -> None:
        """Among replies, those go first whose address was answered least of late."""
        reply = ticket.lane is Lane.REPLY
        answered = self._replies.get(ticket.address, NEVER) if reply else NEVER
        heappush(self._ready, (ticket.lane, answered, number, ticket))

    def next(self, now: float) -> Ticket | float:
        """Who may send now, with the slot booked; or when to look again (infinity: when somebody comes)."""
        while self._parked and self._parked[0][0] <= now:
            _, number, ticket = heappop(self._parked)
            self._make_ready(number, ticket)
        overall = self.overall_ready()
        if overall > now:
            return overall if len(self) else float("inf")
        while self._ready:
            _, _, number, ticket = heappop(self._ready)
            own = self._own(ticket)
            if own <= now:
                self._book(ticket, now)
                return ticket
            heappush(self._parked, (own, number, ticket))
        return self._parked[0][0] if self._parked else float("inf")

    def _own(self, ticket: Ticket) -> float:
        """When the address lets it go; a broadcast has waited for its turn there before."""
        if ticket.lane is not Lane.REPLY:
            return NEVER
        address, kind = ticket.address, ticket.kind
        expected = self._wanted.get(address, NEVER)  # a broadcast, until then
        return max(
            self.chat_ready(address, kind, Lane.REPLY), min(expected, self._share_ready(address, kind))
        )

    def _share_ready(self, address: str, kind: ChatKind) -> float:
        """When another reply is within the replies' share."""
        rate, arrival = self.limits.per_chat.get(kind), self._replies.get(address, NEVER)
        return (
            NEVER if rate is None else arrival - rate.interval / REPLY_SHARE * (self.limits.reply_burst - 1)
        )

    def turn(self, address: str, kind: ChatKind, now: float, patience: float) -> float | None:
        """When a broadcast may go to this address, with its turn there taken; None if that is too far off."""
        at, rate = self.turn_ready(address, kind, now), self.limits.per_chat.get(kind)
        if rate is not None and at > now:
            self._wanted[address] = at + EXPECTED * rate.interval
        if at > now + patience:
            return None
        self._take_turn(address, kind, at, self._by_address.get(address, NEVER))
        return at

    def turn_ready(self, address: str, kind: ChatKind, now: float) -> float:
        """When the next broadcast to this address may be begun: after a reply that waits within its share."""
        at, rate = max(now, self.chat_ready(address, kind, Lane.BROADCAST)), self.limits.per_chat.get(kind)
        yields = rate is not None and address in self._asking and self._share_ready(address, kind) <= at
        return at + rate.interval if rate is not None and yields else at

    def overall_ready(self) -> float:
        """When the next request may leave, whoever it is."""
        return max(self._arrival - TOLERANCE, self.held_until)

    def chat_ready(self, address: str, kind: ChatKind, lane: Lane) -> float:
        """When an address itself may be sent to, whatever the rest does."""
        held = self._held.get(address, NEVER)
        rate, arrival = self.limits.per_chat.get(kind), self._by_address.get(address, NEVER)
        if rate is None or arrival == NEVER:
            return held
        burst = max(rate.burst, self.limits.reply_burst) if lane is Lane.REPLY else rate.burst
        return max(held, arrival - rate.interval * (burst - 1))

    def hold(self, address: str, now: float, seconds: float) -> None:
        """A 429 for one address: nothing leaves for it that long, and less often for a while after."""
        until = now + seconds
        self._held[address] = max(self._held.get(address, NEVER), until)
        self._paces.setdefault(address, _Pace()).slow_down(now, until)

    def hold_all(self, now: float, seconds: float) -> None:
        """A 429 for the bot as a whole."""
        self.held_until = max(self.held_until, now + seconds)
        self._pace.slow_down(now, now + seconds)

    def share(self, now: float) -> float:
        """The share of the published rate that is aimed at, after what 429s have taught."""
        return (1 - self.limits.overall.guard) * self._pace.at(now)

    def _book(self, ticket: Ticket, now: float) -> None:
        interval = self.limits.overall.interval / self._pace.at(now)
        self._arrival = max(self._arrival, now - TOLERANCE) + interval
        before = self._by_address.get(ticket.address, NEVER) if ticket.lane is Lane.REPLY else NEVER
        if ticket.lane is Lane.REPLY:
            self._take_share(ticket, now)
        self._take_turn(ticket.address, ticket.kind, now, before)

    def _take_share(self, ticket: Ticket, now: float) -> None:
        """Book a reply on the replies' share. What went beyond it while no broadcast waited is forgiven."""
        self._asking[ticket.address] -= 1
        if not self._asking[ticket.address]:
            del self._asking[ticket.address]
        rate = self.limits.per_chat.get(ticket.kind)
        if rate is None or not ticket.address:
            return
        interval = rate.interval / REPLY_SHARE
        arrival = max(self._replies.get(ticket.address, NEVER), now) + interval
        self._replies[ticket.address] = min(arrival, now + self.limits.reply_burst * interval)

    def _take_turn(self, address: str, kind: ChatKind, at: float, before: float) -> None:
        """Book what is sent to an address at a time; `before`: its arrival time of what was sent till then.

        A broadcast takes its turn when it is begun, and once more when it leaves, if that is later.
        """
        rate = self.limits.per_chat.get(kind)
        if rate is None or not address:
            return
        pace = self._paces.get(address)
        arrival = max(before, at) + rate.interval / (pace.at(at) if pace else 1.0)
        self._by_address[address] = max(self._by_address.get(address, NEVER), arrival)
        if len(self._by_address) >= self._forget_at:
            self._forget(at)

    def _forget(self, now: float) -> None:
        """Drop what has passed; rarely enough to cost nothing per request."""
        self._by_address = {key: arrival for key, arrival in self._by_address.items() if arrival > now}
        self._replies = {key: arrival for key, arrival in self._replies.items() if arrival > now}
        self._wanted = {key: until for key, until in self._wanted.items() if until > now}
        self._held = {key: until for key, until in self._held.items() if until > now}
        self._paces = {key: pace for key, pace in self._paces.items() if pace.at(now) < 1}
        self._forget_at = max(FORGET_ABOVE, 2 * len(self._by_address))
