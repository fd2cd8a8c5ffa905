"""Which sources are read when: places, intervals, and what slow ones do to the others."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.errors import FetchError, StoreBusy
from content.types import Source, SourceState, Visibility
from scheduler.intake.polling import STORE_PAUSE, Poller
from scheduler.intake.storing import PollResult
from scheduler.intake.turns import SLOW, ReadLimits, Turns
from scheduler.retry import next_poll
from tests.builders import after
from tests.builders import source as a_source
from tests.fakes import FakeClock
from tests.scheduler.conftest import FEED, World, json_feed

PATIENCE = 90.0
SMALL = ReadLimits(quick=4, slow=2, host=2, owner=1, total=5)


def host_of(source: Source) -> str:
    return urlsplit(source.url).netloc


def of(number: int, *, host: str = "", owner: str = "", seconds: float = 0.0) -> Source:
    url = f"https://{host or f'host{number}.example.org'}/feed"
    return replace(a_source(number, url=url), added_by=owner, read_seconds=seconds)


def ids(sources: Iterable[Source]) -> list[int]:
    return [source.id for source in sources]


def chosen(due: Sequence[Source], running: Sequence[Source] = (), seconds: float = 0.0) -> list[int]:
    """Who is read next while others have been read for some seconds."""
    turns = Turns(SMALL)
    turns.wait(running)
    turns.take(-seconds)
    turns.wait(due)
    return ids(turns.take(0.0))


# Who gets a place


def test_the_longest_overdue_come_first_as_far_as_there_are_places() -> None:
    assert chosen([of(n) for n in range(9)]) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "url",
    [
        "https://Example.org/feed",
        "https://example.org?feed=1",
        "http://example.org#feed",
        "https://user:pass@example.org/feed",
        "https://user@example.org/a//b@c",
    ],
)
def test_urls_of_one_host_share_its_places_however_they_are_written(url: str) -> None:
    others = [of(1, host="example.org"), of(2, host="example.org"), of(3)]
    assert chosen([*others, replace(of(4), url=url)]) == [1, 2, 3]


@pytest.mark.parametrize(
    "url",
    ["/home/me/posts//example.org", "git@example.org:posts", "https://example.org:8443/", "https://[::1]/"],
)
def test_urls_of_no_host_or_another_one_do_not(url: str) -> None:
    others = [of(1, host="example.org"), of(2, host="example.org")]
    assert chosen([*others, replace(of(4), url=url)]) == [1, 2, 4]


def test_slow_ones_leave_the_places_of_quick_ones_alone() -> None:
    due = [*(of(n, seconds=15) for n in range(50)), *(of(n) for n in range(50, 53))]
    assert chosen(due) == [0, 1, 50, 51, 52]


def test_a_read_that_takes_long_gives_its_quick_place_up() -> None:
    hanging = [of(n) for n in range(2)]
    due = [of(9, seconds=15), *(of(n) for n in range(10, 14))]
    assert chosen(due, hanging, SLOW) == [10, 11, 12]
    assert chosen(due, hanging, SLOW - 0.1) == [9, 10, 11]


def test_there_is_an_end_to_them_all() -> None:
    assert chosen([of(10), of(11)], [of(n) for n in range(4)], SLOW) == [10]


def test_a_host_has_a_share_of_the_places() -> None:
    due = [*(of(n, host="big.example.org") for n in range(9)), of(10)]
    assert chosen(due) == [0, 1, 10]


def test_an_owner_has_a_share_and_the_operator_has_none() -> None:
    due = [*(of(n, owner="telegram:1") for n in range(5)), of(6, owner="telegram:2"), of(7), of(8)]
    assert chosen(due) == [0, 6, 7, 8]


def test_folders_have_no_host() -> None:
    folders = [replace(a_source(n, url=f"/srv/posts/{n}"), kind="markdown") for n in range(4)]
    assert len(chosen(folders)) == 4


def test_a_good_source_on_the_host_of_slow_ones_is_read() -> None:
    slow = [of(n, host="big.example.org", seconds=15) for n in range(2)]
    assert chosen([of(3, host="big.example.org")], slow, 1) == [3]


def test_who_was_stopped_by_a_host_goes_on_when_that_has_room() -> None:
    turns = Turns(SMALL)
    turns.wait([*(of(n, host="big.example.org") for n in range(4)), of(5), of(6), of(7)])
    assert ids(turns.take(0)) == [0, 1, 5, 6]
    turns.end(5)
    assert ids(turns.take(0)) == [7]
    turns.end(1)
    assert ids(turns.take(0)) == [2]
    assert ids(turns.clear()) == [3] and not turns.waiting


sources = st.builds(
    lambda number, host, owner, slow: of(number, host=host, owner=owner, seconds=slow * 9.0),
    st.integers(0, 40),
    st.sampled_from(["", "a.example.org", "b.example.org"]),
    st.sampled_from(["", "telegram:1", "telegram:2"]),
    st.booleans(),
)


@given(due=st.lists(sources, max_size=60), seconds=st.lists(st.floats(0, 9), max_size=60))
def test_no_limit_is_ever_exceeded_and_everybody_is_read_once(
    due: list[Source], seconds: list[float]
) -> None:
    """Reads end one after the other, each after some seconds; nobody waits who might be read."""
    turns, now, running, read = Turns(SMALL), 0.0, dict[int, tuple[Source, float]](), list[int]()
    turns.wait(due)
    pauses = iter(seconds)
    while True:
        for source in turns.take(now):
            running[source.id] = source, now
            read.append(source.id)
        assert turns.running == frozenset(running)
        assert len(running) <= SMALL.total
        slow = {source.id for source, since in running.values() if source.read_seconds or now - since >= SLOW}
        assert sum(one not in slow for one in running) <= SMALL.quick
        for names, limit in ((host_of, SMALL.host), (lambda source: source.added_by, SMALL.owner)):
            used = Counter(names(source) for one, (source, _) in running.items() if one not in slow)
            assert all(count <= limit for name, count in used.items() if name)
        if not running:
            break
        turns.end(running.popitem()[0])
        now += next(pauses, 0.0)
    assert sorted(read) == sorted({source.id for source in due})


# When a source is due again


@pytest.mark.parametrize(
    ("due", "started", "expected"),
    [
        (0, 0.2, 5),  # a little late: the next one is not
        (0, 4.9, 5),
        (0, 5, 10),  # later than a whole interval: from now on
        (0, 60, 65),
        (10, 2, 7),  # asked for before it was due
        (None, 2, 7),
    ],
)
def test_intervals_hold_however_long_a_read_had_to_wait(
    due: float | None, started: float, expected: float
) -> None:
    known = None if due is None else after(due)
    assert next_poll(known, after(started), timedelta(minutes=5)) == after(expected)


async def test_what_a_read_took_is_recorded_and_kept_to(world: World) -> None:
    await world.source()

    async def slow(url: str) -> None:
        world.clock.advance(40)

    world.fetcher.on_fetch = slow
    world.clock.advance(300)
    started = world.clock.now()
    (result,) = await world.poll_due()
    assert result.source.read_seconds == 40
    assert result.source.next_poll_at == started + timedelta(seconds=400)
    world.clock.advance(360)
    world.fetcher.faults[FEED] = FetchError("it timed out")
    (result,) = await world.poll_due()
    assert result.source.read_seconds == 40
    assert result.source.next_poll_at == world.clock.now() + timedelta(seconds=400)


@pytest.mark.parametrize(("interval", "tick"), [(60, 14), (3, 0.75)])
async def test_an_interval_of_a_minute_is_a_minute(world: World, interval: int, tick: float) -> None:
    """Ticks come when they come; the source is read as often as there are intervals."""
    world.interval = timedelta(seconds=interval)
    source = await world.source()

    async def read(url: str) -> None:
        world.clock.advance(0.2)

    world.fetcher.on_fetch = read
    begun = world.clock.now()
    async with world.store.write() as work:
        await work.sources.save(replace(source, next_poll_at=begun + world.interval))
        await work.commit()
    reads = 0
    while reads < 20:
        world.clock.advance(tick)
        reads += len(await world.poll_due())
    last = (world.clock.now() - begun).total_seconds()
    assert 20 * interval <= last < 20 * interval + tick + 0.2


# The reads


class Gate:
    """Where all reads hang."""

    def __init__(self, world: World) -> None:
        self.reached: Counter[str] = Counter()
        world.fetcher.on_fetch = self._pass

    async def _pass(self, url: str) -> None:
        self.reached[url] += 1
        await asyncio.Event().wait()


async def add(world: World, *urls: str, seconds: float = 0.0) -> None:
    """Sources that are due now, each with one known post; their last read took so many seconds."""
    async with world.store.write() as work:
        for url in urls:
            world.fetcher.pages[url] = json_feed("old", site=url)
            added = await work.sources.add("feed", url, url, Visibility.PUBLIC)
            now = world.clock.now()
            known = replace(added, polled_at=now, next_poll_at=now)
            await work.sources.save(replace(known, read_seconds=seconds))
        await work.commit()


def poller(world: World, results: list[PollResult]) -> Poller:
    return Poller(world.store, world.ingest, world.clock, results.append)


# While nobody knows of any that it is slow, they take one round of the places there are.
@pytest.mark.parametrize(
    ("known_to_be_slow", "seconds", "reads_at_least"), [(True, 60, 11), (False, 120, 13)]
)
async def test_a_hundred_slow_feeds_leave_the_interval_of_a_good_one_alone(
    world: World, known_to_be_slow: bool, seconds: int, reads_at_least: int
) -> None:
    """Each takes 15 seconds; the good one is to be read every five. The time passes second by second."""
    clock = world.clock = FakeClock(manual=True)
    slow = [f"https://slow{n}.example.org/feed" for n in range(100)]
    world.interval = timedelta(seconds=5)
    await add(world, *slow, seconds=15.0 if known_to_be_slow else 0.0)
    clock.advance(1)  # they are first
    await add(world, FEED)
    reads: list[float] = []
    being_read: Counter[str] = Counter()

    async def fetch(url: str) -> None:
        being_read[url] += 1
        assert being_read[url] == 1, "none is read twice at once"
        if url == FEED:
            reads.append(clock.monotonic())
        else:
            await clock.sleep(15)
        being_read[url] -= 1

    world.fetcher.on_fetch = fetch
    reading = poller(world, [])
    async with asyncio.timeout(PATIENCE):
        for _ in range(seconds):
            await reading.poll_due()
            while reading.running > clock.sleeping:  # all that can go on has gone on
                await asyncio.sleep(0.001)
            clock.advance(1)
    await reading.stop()
    gaps = [later - earlier for earlier, later in pairwise(reads)]
    assert len(reads) >= reads_at_least
    assert max(gaps) <= 6


async def test_a_place_that_is_free_is_taken_without_waiting_for_the_next_tick(world: World) -> None:
    urls = [f"https://host{n}.example.org/feed" for n in range(70)]
    await add(world, *urls)
    results: list[PollResult] = []
    reading = poller(world, results)
    await reading.poll_due()
    await reading.idle()
    assert sorted(result.source.url for result in results) == sorted(urls)


async def test_sources_that_have_not_changed_are_saved_together(world: World) -> None:
    urls = [f"https://host{n}.example.org/feed" for n in range(30)]
    await add(world, *urls)
    await world.poll_due()
    world.clock.advance(400 * 24 * 3600)
    writes = world.store.writes
    results = await world.poll_due()
    assert len(results) == 30 and world.store.writes == writes + 1
    async with world.store.read() as work:
        assert {source.polled_at for source in await work.sources.all()} == {world.clock.now()}
        assert not await work.sources.due(world.clock.now())


async def test_what_cannot_be_saved_is_kept_and_people_may_change_it_meanwhile(world: World) -> None:
    await add(world, FEED)
    await world.poll_due()
    world.clock.advance(400 * 24 * 3600)
    reading = poller(world, [])
    await reading.poll_due()
    while reading.running:
        await asyncio.sleep(0)
    async with world.store.write() as work:
        (source,) = await work.sources.all()
        await work.sources.save(replace(source, title="Another title"))
        await work.commit()
    world.store.outages.append(StoreBusy("locked"))
    with pytest.raises(StoreBusy):
        await reading.poll_due()
    world.clock.advance(STORE_PAUSE)
    await reading.poll_due()
    await reading.idle()
    async with world.store.read() as work:
        (source,) = await work.sources.all()
    assert source.title == "Another title" and not source.failures
    assert source.polled_at == world.clock.now() - timedelta(seconds=STORE_PAUSE)
    assert world.fetcher.calls.count(FEED) == 2, "it was not read again"


async def test_a_tick_returns_at_once_and_a_stop_waits_for_what_it_cancels(world: World) -> None:
    await add(world, FEED)
    gate, results = Gate(world), list[PollResult]()
    reading = poller(world, results)
    await reading.poll_due()
    await reading.poll_due()
    async with asyncio.timeout(PATIENCE):
        while not gate.reached:
            await asyncio.sleep(0)
        await reading.poll_due()
        await reading.stop()
    assert gate.reached[FEED] == 1 and results == []
    async with world.store.read() as work:
        assert [source.url for source in await work.sources.due(world.clock.now())] == [FEED]


async def test_each_source_that_is_asked_for_gives_a_result(world: World) -> None:
    urls = [f"https://host.example.org/{n}" for n in range(30)]
    await add(world, *urls)
    world.fetcher.faults[urls[3]] = FetchError("it is gone")
    async with world.store.read() as work:
        wanted = await work.sources.all()
    results = [result async for result in poller(world, []).poll_each(wanted)]
    assert sorted(result.source.url for result in results) == sorted(urls)
    assert [result.error for result in results if result.error] == ["it is gone"]


async def test_servers_are_not_asked_while_nothing_can_be_recorded(world: World) -> None:
    await add(world, FEED)
    results: list[PollResult] = []
    reading = poller(world, results)
    world.store.outages += [StoreBusy("locked")] * 2
    for expected in (1, 1, 2):
        await reading.poll_due()
        await reading.idle()
        assert len(world.fetcher.calls) == expected
        world.clock.advance(STORE_PAUSE / 2 + 1)
    assert [bool(result.error) for result in results] == [True, False]


async def test_each_source_gives_a_result_also_if_none_can_be_recorded(world: World) -> None:
    urls = [f"https://host.example.org/{n}" for n in range(30)]
    await add(world, *urls)
    world.store.outages += [StoreBusy("locked")] * 60
    async with world.store.read() as work:
        wanted = await work.sources.all()
    async with asyncio.timeout(PATIENCE):
        results = [result async for result in poller(world, []).poll_each(wanted)]
    assert [result.error for result in results] == ["locked"] * 30


async def test_a_bug_is_the_sources_own(world: World) -> None:
    await add(world, FEED)

    async def trip(url: str) -> None:
        raise ValueError("a bug")

    world.fetcher.on_fetch = trip
    (result,) = await world.poll_due()
    assert result.error == "internal error: ValueError"
    async with world.store.read() as work:
        (source,) = await work.sources.all()
    assert source.failures == 1 and source.state is SourceState.ACTIVE
