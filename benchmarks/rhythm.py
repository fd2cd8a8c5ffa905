"""A simulated year of 500 sources: how many requests the rhythm of sources saves, and what it costs in delay.

The times of posts and the intervals that sources state are made up; the decisions are those of the real code.
"""

import asyncio
import json
import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from statistics import fmean

from benchmarks.results import Result, at_most
from content.types import NO_RHYTHM
from scheduler.rhythm import Bounds, learned, wait_after_read

SAVED = Path(__file__).parent / "rhythm.json"
BOUNDS = Bounds(timedelta(minutes=5), timedelta(hours=6))
START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
HOUR, DAY, YEAR = 3600.0, 86400.0, 364 * 86400.0
SEED = 1
# What half of the sources state of themselves: an hour, as blogs do by default, 15 minutes, a day.
STATED = [None] * 10 + [HOUR] * 5 + [HOUR / 4] * 3 + [DAY] * 2

Times = list[float]  # seconds since START


def _within(rng: random.Random, hour: float, spread: float) -> float:
    """A time of day around an hour, in seconds after midnight."""
    return rng.gauss(hour, spread) % 24 * HOUR


def _days(rng: random.Random, a_day: Callable[[int], float], hour: float, spread: float) -> Iterator[float]:
    """Posts by day: their mean number on a weekday, at times around an hour."""
    for day in range(364):
        count = sum(1 for _ in takewhile(lambda past: past < 1, _waits(rng, a_day(day % 7))))
        yield from (day * DAY + _within(rng, hour, spread) for _ in range(count))


def _waits(rng: random.Random, rate: float) -> Iterator[float]:
    """The instants of events that come at a mean rate, independent of each other."""
    at = 0.0
    while rate:
        yield (at := at + rng.expovariate(rate))


def newspaper(rng: random.Random) -> Iterator[float]:
    """20 to 80 posts a weekday, half as many on others, mostly within twelve hours."""
    much = rng.uniform(20, 80)
    return _days(rng, lambda day: much if day < 5 else much / 2, rng.uniform(0, 24), 4)


def hourly(rng: random.Random) -> Iterator[float]:
    minute = rng.random() * HOUR
    return (hour * HOUR + minute + rng.uniform(0, 300) for hour in range(364 * 24))


def weekdays(rng: random.Random) -> Iterator[float]:
    """At the same time from Monday to Friday, ± 10 minutes."""
    hour = rng.uniform(0, 24)
    return (day * DAY + hour * HOUR + rng.gauss(0, 600) for day in range(364) if day % 7 < 5)


def blog(rng: random.Random) -> Iterator[float]:
    """Two to seven posts a week, on weekdays."""
    much = rng.uniform(2, 7) / 5
    return _days(rng, lambda day: much if day < 5 else 0.0, rng.uniform(0, 24), 3)


def weekly(rng: random.Random) -> Iterator[float]:
    """On the same day at about the same time, with a week left out now and then."""
    at = rng.uniform(0, 7 * DAY)
    return (week * 7 * DAY + at + rng.gauss(0, 0.7 * HOUR) for week in range(52) if rng.random() < 0.95)


def bursts(rng: random.Random) -> Iterator[float]:
    """5 to 30 posts within a day or two, after weeks of silence."""
    for start in takewhile(lambda at: at < YEAR, _waits(rng, 1 / (25 * DAY))):
        at = start
        for _ in range(rng.randint(5, 30)):
            yield (at := at + rng.expovariate(1 / (1.5 * HOUR)))


def monthly(rng: random.Random) -> Iterator[float]:
    hour = rng.uniform(0, 24)
    for at in takewhile(lambda at: at < YEAR, _waits(rng, 1 / (30 * DAY))):
        yield at // DAY * DAY + _within(rng, hour, 4)


def ended(rng: random.Random) -> Iterator[float]:
    """Nothing, or one last post."""
    return iter([rng.random() * YEAR] if rng.random() < 0.3 else [])


KINDS: Mapping[str, tuple[Callable[[random.Random], Iterator[float]], int]] = {
    "newspaper": (newspaper, 30),
    "hourly": (hourly, 10),
    "on weekdays": (weekdays, 60),
    "blog": (blog, 150),
    "weekly": (weekly, 80),
    "in bursts": (bursts, 40),
    "monthly": (monthly, 80),
    "ended": (ended, 50),
}

# The wait after a read at a time that found posts of these times.
Policy = Callable[[float, Times], float]


def rhythm(stated: float | None) -> Policy:
    """Skywave's rule; the source states an interval."""
    known, asked = NO_RHYTHM, None if stated is None else timedelta(seconds=stated)

    def wait(at: float, posts: Times) -> float:
        nonlocal known
        now = START + timedelta(seconds=at)
        if posts or known.last is None:
            known = learned(known, [START + timedelta(seconds=post) for post in posts], now)
        return wait_after_read(known, now, BOUNDS, asked=asked, seconds=0.5, pushed=False).total_seconds()

    return wait


def halving(stated: float | None) -> Policy:
    """The usual simple rule: half the wait after a read that found posts, else 1.1 times the wait."""
    shortest, longest = BOUNDS.shortest.total_seconds(), BOUNDS.longest.total_seconds()
    last = shortest

    def wait(at: float, posts: Times) -> float:
        nonlocal last
        last = min(max(last * (0.5 if posts else 1.1), shortest), longest)
        return last

    return wait


POLICIES: Mapping[str, Callable[[float | None], Policy]] = {"rhythm": rhythm, "halving": halving}


@dataclass(frozen=True, slots=True)
class Year:
    """What a rule did with the sources of one kind: requests a day and source, delays of posts in minutes."""

    kind: str
    policy: str
    sources: int
    requests: float
    p50: float
    p95: float


Found = tuple[float, Times]  # requests, and the delays of posts


def _read(posts: Times, policy: Policy) -> Found:
    """A year of one source."""
    reads, at, seen = 0, 0.0, 0
    delays: Times = []
    while at < YEAR:
        new = posts[seen : bisect_right(posts, at, seen)]
        delays += [at - post for post in new]
        seen += len(new)
        reads += 1
        at += policy(at, new)
    return reads, delays


def _posts(kind: str, number: int) -> tuple[Times, float | None]:
    """The posts of a source, and what it states. Chance is the same for every rule."""
    rng = random.Random(f"{SEED} {kind} {number}")
    stated = rng.choice(STATED)
    return sorted(at for at in KINDS[kind][0](rng) if 0 < at < YEAR), stated


def _of_kind(kind: str, name: str) -> Found:
    """A year of all sources of a kind by a rule."""
    sources = [_posts(kind, number) for number in range(KINDS[kind][1])]
    return _joined([_read(posts, POLICIES[name](stated)) for posts, stated in sources])


def _each(kind: str, wait: float) -> Found:
    """The same with a read each so many seconds."""
    sources = [_posts(kind, number) for number in range(KINDS[kind][1])]
    return YEAR / wait * len(sources), [-post % wait for posts, _ in sources for post in posts]


def _joined(found: Sequence[Found]) -> Found:
    return sum(requests for requests, _ in found), [late for _, delays in found for late in delays]


def _year(kind: str, policy: str, sources: int, requests: float, delays: Times) -> Year:
    ordered = sorted(delays) or [0.0]
    p50, p95 = (ordered[int(share * (len(ordered) - 1))] / 60 for share in (0.5, 0.95))
    return Year(kind, policy, sources, requests / sources / (YEAR / DAY), p50, p95)


def years() -> list[Year]:
    """A year of every kind by every rule, and of all sources by each.

    `fixed` is a read each five minutes; `equal` reads all sources equally often, as much as `rhythm` in sum.
    """
    pairs = [(kind, name) for name in POLICIES for kind in KINDS]
    with ProcessPoolExecutor() as pool:
        found = dict(zip(pairs, pool.map(_of_kind, *zip(*pairs, strict=True)), strict=True))
    counts = {kind: count for kind, (_, count) in KINDS.items()}
    sources = sum(counts.values())
    requests = sum(found[kind, "rhythm"][0] for kind in KINDS)
    waits = {"fixed": BOUNDS.shortest.total_seconds(), "equal": YEAR * sources / requests}
    found |= {(kind, name): _each(kind, wait) for name, wait in waits.items() for kind in KINDS}
    for name in (*POLICIES, *waits):
        found["all", name] = _joined([found[kind, name] for kind in KINDS])
    return [_year(kind, name, (counts | {"all": sources})[kind], *one) for (kind, name), one in found.items()]


async def simulated_year() -> Sequence[Result]:
    """Simulate the year; rhythm.json, from which the documentation's plot is drawn, is updated."""
    found = await asyncio.to_thread(years)
    SAVED.write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n", encoding="utf-8")
    of = {(one.kind, one.policy): one for one in found}
    ours = of["all", "rhythm"]
    kinds = [kind for kind in KINDS if kind != "ended"]
    medians = {name: fmean(of[kind, name].p50 for kind in kinds) for name in POLICIES}
    return [
        at_most(
            "rhythm-requests",
            "a day and source, beside a read each 5 minutes",
            ours.requests,
            of["all", "fixed"].requests,
            0.2,
        ),
        Result("rhythm-p50", "minutes, beside as many reads evenly", ours.p50, of["all", "equal"].p50),
        Result("rhythm-p95", "minutes, beside as many reads evenly", ours.p95, of["all", "equal"].p95),
        Result(
            "rhythm-kinds",
            "minutes, mean of the kinds' p50, beside halving",
            medians["rhythm"],
            medians["halving"],
        ),
    ]
