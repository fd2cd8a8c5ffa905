"""Which sources are read now: those that wait, the reads in progress, and the limits. Pure: time is given."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from operator import itemgetter
from typing import NamedTuple

from content.types import Source

# A source is slow if its last read, or the one in progress, takes this many seconds.
SLOW = 3.0


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Limits of concurrent reads: of quick and slow sources, for one host, for one owner, and in total.

    The limits for a host and an owner apply to quick and slow sources separately. Sources of the operator
    have no owner.
    """

    quick: int = 40
    slow: int = 10
    host: int = 5
    owner: int = 5
    total: int = 60


LIMITS = ReadLimits()


class _Share(NamedTuple):
    """What a limit counts: the reads of one speed, or those of them for one host or owner."""

    is_slow: bool
    limit: str  # a field of ReadLimits
    name: str = ""


# What a read counts against. Sources with the same shares wait in one line.
_Shares = tuple[_Share, ...]


@dataclass(slots=True)
class _Reading:
    source: Source
    since: float
    shares: _Shares
    is_slow: bool


class Turns:
    """Gives each waiting source its turn as soon as the limits allow, the longest overdue first.

    A source takes the same time however many wait: sources that count against the same limits stand in one
    line, and a line that a limit stops is looked at again when that limit has room.
    """

    def __init__(self, limits: ReadLimits = LIMITS) -> None:
        self._limits = limits
        self._running: dict[int, _Reading] = {}
        self._young: deque[_Reading] = deque()  # those that may turn out to be slow, oldest first
        self._used: dict[_Share, int] = {}
        self._lines: dict[_Shares, deque[tuple[int, Source]]] = {}
        # By speed: the lines that may have a turn, each with the place of its first source.
        self._ready: dict[bool, list[tuple[int, _Shares]]] = {False: [], True: []}
        self._stopped: dict[_Share, list[tuple[int, _Shares]]] = {}

    @property
    def running(self) -> frozenset[int]:
        """The ids of the sources that are being read."""
        return frozenset(self._running)

    @property
    def waiting(self) -> bool:
        """Whether any source waits."""
        return bool(self._lines)

    def wait(self, sources: Iterable[Source]) -> None:
        """From now on these sources wait, in this order, and no others."""
        self.clear()
        unique = {source.id: source for source in sources if source.id not in self._running}
        for place, source in enumerate(unique.values()):
            self._lines.setdefault(_shares(source, _is_slow(source)), deque()).append((place, source))
        for shares, line in self._lines.items():
            self._ready[shares[0].is_slow].append((line[0][0], shares))
        for ready in self._ready.values():
            heapify(ready)

    def clear(self) -> list[Source]:
        """Forget the sources that wait; returns them."""
        waiting = [source for line in self._lines.values() for _, source in line]
        self._lines, self._stopped = {}, {}
        self._ready = {False: [], True: []}
        return waiting

    def take(self, now: float) -> list[Source]:
        """The sources whose reads start now. `now`: monotonic seconds."""
        self._notice_slow(now)
        chosen = [one for is_slow in self._ready if self._ready[is_slow] for one in self._take(is_slow, now)]
        return [source for _, source in sorted(chosen, key=itemgetter(0))]

    def end(self, source_id: int) -> None:
        """A read has ended."""
        self._release(self._running.pop(source_id).shares)

    def _take(self, is_slow: bool, now: float) -> Iterator[tuple[int, Source]]:
        ready, speed = self._ready[is_slow], _SPEEDS[is_slow]
        while ready and not self._is_full(speed) and len(self._running) < self._limits.total:
            place, shares = heappop(ready)
            if full := [share for share in shares if self._is_full(share)]:
                self._stopped.setdefault(full[0], []).append((place, shares))
                continue
            line = self._lines[shares]
            _, source = line.popleft()
            if line:
                heappush(ready, (line[0][0], shares))
            else:
                del self._lines[shares]
            self._start(_Reading(source, now, shares, is_slow))
            yield place, source

    def _start(self, reading: _Reading) -> None:
        self._running[reading.source.id] = reading
        self._use(reading.shares)
        if not reading.is_slow:
            self._young.append(reading)

    def _notice_slow(self, now: float) -> None:
        """Count reads that have taken long as slow ones from now on."""
        while self._young and now - self._young[0].since >= SLOW:
            reading = self._young.popleft()
            if self._running.get(reading.source.id) is reading:
                self._release(reading.shares)
                reading.shares, reading.is_slow = _shares(reading.source, True), True
                self._use(reading.shares)

    def _use(self, shares: _Shares) -> None:
        for share in shares:
            self._used[share] = self._used.get(share, 0) + 1

    def _release(self, shares: Iterable[_Share]) -> None:
        for share in shares:
            self._used[share] -= 1
            if not self._used[share]:
                del self._used[share]
            for line in self._stopped.pop(share, ()):
                heappush(self._ready[share.is_slow], line)

    def _is_full(self, share: _Share) -> bool:
        limit: int = getattr(self._limits, share.limit)
        return self._used.get(share, 0) >= limit


def _is_slow(source: Source) -> bool:
    return source.read_seconds >= SLOW


# Of a URL that was checked when it was added: the part after "//" and a user's name.
_HOST = re.compile(r"[^/?#]*//(?:[^/?#]*@)?([^/?#]*)")
_SPEEDS = {False: _Share(False, "quick"), True: _Share(True, "slow")}


def _shares(source: Source, is_slow: bool) -> _Shares:
    shares = [_SPEEDS[is_slow]]
    if host := host_of(source.url):
        shares.append(_Share(is_slow, "host", host))
    if source.added_by:
        shares.append(_Share(is_slow, "owner", source.added_by))
    return tuple(shares)


def host_of(url: str) -> str:
    """The host of a URL with its port; empty for a folder, and for what is no URL."""
    found = _HOST.match(url)
    return found[1].lower() if found else ""
