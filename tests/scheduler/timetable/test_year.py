"""A year of digests, quiet hours and clocks that change, in simulated time.

Each slot runs once, none in quiet hours; each post comes once, none is lost. In between, the process starts
anew and dies before commits. The suite plays the days around each change of a clock, with the process off
between them; `YEAR=1 pytest tests/scheduler/timetable/test_year.py` plays every day.
"""

import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from content.errors import StoreBusy
from content.types import Source
from scheduler.actions import digests as actions
from scheduler.actions import quiet
from scheduler.actions.audit import COMMAND_LINE
from scheduler.ports import UnitOfWork
from scheduler.timetable import schedules
from scheduler.timetable.digests import Digests
from scheduler.timetable.quiet import Quiet
from scheduler.types import Chat, Digest, Rest, WhenEmpty
from storage.unit_of_work import SqlStore
from tests.builders import new_post
from tests.conftest import open_migrated
from tests.contracts.world import World
from tests.fakes import FakeClock

WHOLE = bool(os.environ.get("YEAR"))
BEGIN, END = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2027, 3, 1, 12, tzinfo=UTC)
# Few, so that posts wait for the next edition; in a month of a whole year there are many more.
MAX_POSTS = 60 if WHOLE else 5
# The days on which a clock changes, played from the evening before. The process is off on all others.
LOUD = 17  # an hour, in UTC, that is quiet nowhere
CHANGES = ((3, 8), (3, 29), (4, 4), (10, 3), (10, 25), (11, 1))


@dataclass(frozen=True)
class Life:
    """A chat: its zone, its quiet hours, and its digests with what comes with each."""

    zone: str
    quiet: str
    digests: dict[str, tuple[str, str]]


LIVES = {
    "1": Life(
        "Europe/Berlin",  # 02:30 is skipped in March, and comes twice in October
        "22:00-07:30",
        {"night": ("daily 02:30 and 18:00", "a"), "monthly": ("monthly 1,29 23:15", "b")},
    ),
    "2": Life(
        "America/New_York",
        "01:15-09:00",
        {"often": ("every 6h", "a"), "cron": ("30 2 * * SUN", "b")},
    ),
    "3": Life("Asia/Shanghai", "13:00-14:00", {"noon": ("weekdays 09:00 and 13:30", "b")}),
    "4": Life(
        "Australia/Lord_Howe",  # half an hour, at two o'clock
        "23:00-02:15",
        {"two": ("daily 02:00", "a"), "ten": ("mon,thu 10:00", "b")},
    ),
}


@dataclass
class Dying:
    """A unit of work of a process that dies before some commits."""

    work: UnitOfWork
    rng: random.Random

    def __getattr__(self, name: str) -> Any:
        return getattr(self.work, name)

    async def commit(self) -> None:
        if self.rng.random() < 0.1:
            raise StoreBusy("the process has died")
        await self.work.commit()


@dataclass
class Mortal:
    """A store whose writers may die."""

    store: SqlStore
    rng: random.Random

    def read(self) -> Any:
        return self.store.read()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        async with self.store.write() as work:
            yield Dying(work, self.rng)


@dataclass
class Year:
    """The store, the clock, and the keys of what was published. All chats follow all sources."""

    world: World
    clock: FakeClock
    rng: random.Random
    sources: dict[str, Source] = field(default_factory=dict)
    chats: dict[str, Chat] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(10**6)))

    async def begin(self) -> None:
        for name in "abc":
            self.sources[name] = await self.world.source(name)
        for address, life in LIVES.items():
            chat = await self.world.follower(*self.sources.values(), address=address)
            async with self.world.store.write() as work:
                await quiet.set_quiet_hours(work, COMMAND_LINE, chat, life.quiet, life.zone, BEGIN)
                self.chats[address] = await work.chats.get(chat.id) or chat
                for name, (schedule, source) in life.digests.items():
                    wanted = actions.Wanted(
                        schedule,
                        name,
                        max_posts=MAX_POSTS,
                        rest=Rest.NEXT,
                        when_empty=WhenEmpty.SAY,
                        sources=[self.sources[source]],
                    )
                    await actions.add(work, COMMAND_LINE, self.chats[address], wanted, life.zone, BEGIN)
                await work.commit()

    async def publish(self) -> None:
        """One post more, sometimes in two sources."""
        key = str(next(self.numbers))
        for name in self.rng.sample("abc", self.rng.choice((1, 1, 2))):
            post = new_post(f"{name}{key}", key=key)
            await self.world.publish(self.sources[name], post, now=self.clock.now())
            self.keys.add(key)

    async def play(self, until: datetime) -> None:
        """Run what is due until a moment, and publish something every now and then."""
        next_post = self.clock.now()
        while True:
            due = min(await self._due(), next_post)
            if due >= until:
                break
            self.clock.advance(max((due - self.clock.now()).total_seconds(), 0))
            if due == next_post:
                await self.publish()
                next_post += timedelta(hours=self.rng.uniform(4, 16))
            await self.tick()
        self.clock.advance((until - self.clock.now()).total_seconds())

    async def tick(self) -> None:
        """A tick, in a process that may die, and is started again."""
        store = Mortal(self.world.store, self.rng)  # type: ignore[arg-type]
        while True:
            ticks = Quiet(store, self.clock, lambda: None), Digests(store, self.clock, lambda: None)
            try:
                for one in ticks:
                    if self.rng.random() < 0.05:
                        await one.refresh()
                    await one.run_due()
                return
            except StoreBusy:
                continue

    async def _due(self) -> datetime:
        async with self.world.store.read() as work:
            runs = [digest.next_run_at for digest in await work.digests.all()]
            ends = [chat.quiet_until for chat in await work.chats.all() if chat.quiet_until]
        return min(runs + ends)


def is_quiet(life: Life, instant: datetime) -> bool:
    """By the clock on the wall."""
    start, end = (time.fromisoformat(word) for word in life.quiet.split("-"))
    now = instant.astimezone(ZoneInfo(life.zone)).time()
    return start <= now < end if start < end else now >= start or now < end


def slots_between(life: Life, schedule: str, begin: datetime, end: datetime) -> Sequence[datetime]:
    """When a digest runs: at its occurrences, or at the first minute after them that is not quiet."""
    recurrence, _ = schedules.parse(schedule)
    slots = []
    occurrences = schedules.occurrences(recurrence, life.zone, begin)
    for instant in takewhile(lambda one: one < end, occurrences):
        while is_quiet(life, instant):
            instant += timedelta(minutes=1)
        if instant < end and instant not in slots:
            slots.append(instant)
    return slots


@pytest.fixture
async def year(sqlite_url: str) -> AsyncIterator[Year]:
    store = open_migrated(sqlite_url)
    yield Year(World(store), FakeClock(), random.Random(11))
    await store.close()


async def test_a_year(year: Year) -> None:
    await year.begin()
    spans = [(BEGIN, END)] if WHOLE else [_span(*change) for change in CHANGES]
    for begin, end in spans:
        year.clock.advance((begin - year.clock.now()).total_seconds())
        await year.tick()  # what was missed while the process was off
        await year.play(end)
    await _check_slots(year, spans)
    for month in range(1, 13):  # until nothing waits any more
        later = END.replace(year=END.year + 1, month=month, day=2, hour=LOUD)
        year.clock.advance((later - year.clock.now()).total_seconds())
        await year.tick()
        if not await _waiting(year):
            break
    await _check_posts(year)


def _span(month: int, day: int) -> tuple[datetime, datetime]:
    begin = datetime(2026, month, day, LOUD, tzinfo=UTC) - timedelta(days=1)
    return begin, begin + timedelta(hours=30)


async def _check_slots(year: Year, spans: Sequence[tuple[datetime, datetime]]) -> None:
    async with year.world.store.read() as work:
        found = {(digest.chat_id, digest.name): digest for digest in await work.digests.all()}
    for address, life in LIVES.items():
        for name, (schedule, _) in life.digests.items():
            ran = await _slots(year, found[year.chats[address].id, name])
            assert len(ran) == len(set(ran))
            for begin, end in spans:
                expected = slots_between(life, schedule, begin, end)
                assert [slot for slot in ran if begin < slot < end] == expected, (address, name)


async def _waiting(year: Year) -> bool:
    async with year.world.store.read() as work:
        return any([await work.digests.unsent(chat.id) for chat in year.chats.values()])


async def _slots(year: Year, digest: Digest) -> Sequence[datetime]:
    deliveries = await year.world.found()
    mine = (one.broadcast for one in deliveries if one.broadcast.digest_id == digest.id)
    return sorted(broadcast.slot for broadcast in mine if broadcast.slot)


async def _check_posts(year: Year) -> None:
    deliveries = await year.world.found()
    assert len(deliveries) > 60 and not await _waiting(year)
    for address, life in LIVES.items():
        chat = year.chats[address]
        mine = [one for one in deliveries if one.chat.id == chat.id]
        assert [one.due_at for one in mine if is_quiet(life, one.due_at)] == []
        async with year.world.store.read() as work:
            posts = await work.posts.by_ids([post for one in mine for post in one.posts])
        came = Counter(post.key for post in posts)
        assert set(came) == year.keys, address
        assert set(came.values()) == {1}
