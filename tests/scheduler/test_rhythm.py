"""How long a source waits: within bounds, longer in silence, short again after a post."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from content.types import NO_RHYTHM, Rhythm
from scheduler.rhythm import (
    CAP,
    MOST,
    PUSHED_WAIT,
    Bounds,
    learned,
    usual_wait,
    wait_after_failure,
    wait_after_read,
)

MONDAY = datetime(2026, 7, 13, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BOUNDS = Bounds(5 * MINUTE, 6 * HOUR)
EVER = st.datetimes(timezones=st.just(UTC))
LATELY = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC))
BEFORE = st.lists(LATELY, max_size=40)


def every(gap: timedelta, times: int, start: datetime = MONDAY) -> Rhythm:
    """The rhythm of a source that was read at `start`, and after that posted this often."""
    rhythm = learned(NO_RHYTHM, [], start)
    for n in range(1, times + 1):
        rhythm = learned(rhythm, [start + n * gap], start + n * gap)
    return rhythm


def reads_in(rhythm: Rhythm, start: datetime, end: datetime) -> list[datetime]:
    """When a source is read that posts nothing from `start` to `end`."""
    reads, now = [], start
    while (now := now + usual_wait(rhythm, now, BOUNDS)) < end:
        reads.append(now)
    return reads


class TestWaits:
    @given(st.lists(LATELY | EVER, max_size=40), LATELY | EVER, st.timedeltas(timedelta(), 99 * DAY))
    @example([], MONDAY, HOUR)
    def test_are_within_the_bounds(self, posts: list[datetime], now: datetime, silence: timedelta) -> None:
        rhythm = learned(NO_RHYTHM, posts, now)
        later = now + min(silence, datetime.max.replace(tzinfo=UTC) - now)
        for bounds in (Bounds(5 * MINUTE, 7 * MINUTE), BOUNDS, Bounds(DAY, 9 * DAY), Bounds(HOUR, HOUR)):
            assert bounds.shortest <= usual_wait(rhythm, later, bounds) <= bounds.longest

    @given(BEFORE, LATELY, st.integers(0, 50))
    def test_grow_in_silence(self, posts: list[datetime], now: datetime, weeks: int) -> None:
        # At the same hour of the week, because hours at which the source usually posts are read more.
        rhythm = learned(NO_RHYTHM, posts, now)
        waits = [usual_wait(rhythm, now + after * timedelta(weeks=1), BOUNDS) for after in (weeks, weeks + 1)]
        assert waits == sorted(waits)

    @given(BEFORE, LATELY, st.timedeltas(HOUR, 300 * DAY))
    def test_are_short_after_a_post_whatever_was_before(
        self, posts: list[datetime], now: datetime, silence: timedelta
    ) -> None:
        rhythm, woken = learned(NO_RHYTHM, posts, now), now + silence
        after = learned(rhythm, [woken], woken)
        assert usual_wait(after, woken, BOUNDS) == BOUNDS.shortest
        assert usual_wait(after, woken + 2 * MINUTE, BOUNDS) <= usual_wait(rhythm, woken, BOUNDS)

    @pytest.mark.parametrize(
        ("gap", "times", "fewest", "most"),
        [(HOUR, 200, 60, 160), (DAY, 60, 15, 60), (7 * DAY, 30, 4, 20), (30 * DAY, 12, 4, 9)],
    )
    def test_fit_the_source(self, gap: timedelta, times: int, fewest: int, most: int) -> None:
        rhythm = every(gap, times)
        assert rhythm.last is not None
        middle = rhythm.last + gap / 2
        assert fewest <= len(reads_in(rhythm, middle, middle + DAY)) <= most

    def test_of_a_new_source_are_short_whatever_its_dates(self) -> None:
        for dates in ([], [MONDAY - 900 * DAY], [MONDAY - n * DAY for n in range(500)]):
            rhythm = learned(NO_RHYTHM, dates, MONDAY)
            assert usual_wait(rhythm, MONDAY, BOUNDS) == BOUNDS.shortest
            assert usual_wait(rhythm, MONDAY + HOUR, BOUNDS) < HOUR
        assert usual_wait(NO_RHYTHM, MONDAY, BOUNDS) == BOUNDS.shortest

    def test_follow_the_hours_and_days_of_a_source(self) -> None:
        rhythm = learned(NO_RHYTHM, [], MONDAY)
        for n in (day for day in range(1, 60) if day % 7 < 5):
            nine = MONDAY + n * DAY + 9 * HOUR
            rhythm = learned(rhythm, [nine], nine)
        friday, saturday = MONDAY + 60 * DAY, MONDAY + 61 * DAY  # the last post was on Thursday
        at_nine = reads_in(rhythm, friday + 8.5 * HOUR, friday + 9.5 * HOUR)
        at_night = reads_in(rhythm, friday + 1.5 * HOUR, friday + 2.5 * HOUR)
        on_saturday = reads_in(rhythm, saturday + 8.5 * HOUR, saturday + 9.5 * HOUR)
        assert len(at_nine) >= 2 > max(len(at_night), len(on_saturday))

    def test_become_long_at_the_end_of_a_source(self) -> None:
        rhythm = every(DAY, 60)
        assert rhythm.last is not None
        assert len(reads_in(rhythm, rhythm.last + 90 * DAY, rhythm.last + 91 * DAY)) <= 6

    def test_survive_a_clock_that_was_wrong_for_a_while(self) -> None:
        future = MONDAY + 5000 * DAY
        wrong = learned(every(DAY, 30, MONDAY - 30 * DAY), [future], future)
        right = learned(wrong, [MONDAY], MONDAY)
        assert right.last == MONDAY
        assert HOUR / 3 < usual_wait(right, MONDAY + 12 * HOUR, BOUNDS) <= BOUNDS.longest


class TestLearning:
    def test_posts_that_come_together_are_one(self) -> None:
        together = [MONDAY + n * timedelta(seconds=1) for n in range(100)]
        known = every(DAY, 5, MONDAY - 6 * DAY)
        assert learned(known, together, MONDAY + HOUR) == learned(known, together[:1], MONDAY + HOUR)

    def test_a_post_of_the_future_counts_as_of_now(self) -> None:
        known = every(DAY, 5, MONDAY - 6 * DAY)
        assert learned(known, [datetime.max.replace(tzinfo=UTC)], MONDAY) == learned(known, [MONDAY], MONDAY)

    def test_a_long_archive_is_cut(self) -> None:
        posts = [MONDAY - n * HOUR for n in range(5 * MOST)]
        assert learned(NO_RHYTHM, posts, MONDAY) == learned(NO_RHYTHM, posts[:MOST], MONDAY)


def after_read(
    rhythm: Rhythm, now: datetime, asked: timedelta | None, seconds: float = 0.2, pushed: bool = False
) -> timedelta:
    return wait_after_read(rhythm, now, BOUNDS, asked=asked, seconds=seconds, pushed=pushed)


class TestAfterARead:
    def test_what_the_source_asks_for_is_kept(self) -> None:
        weekly = every(7 * DAY, 20)
        assert weekly.last is not None
        soon = weekly.last + 10 * MINUTE
        assert after_read(weekly, soon, None) < 30 * MINUTE
        assert after_read(weekly, soon, HOUR) == HOUR

    @pytest.mark.parametrize("lie", [DAY, 3650 * DAY, timedelta.max])
    def test_but_not_against_its_posts_or_the_bounds(self, lie: timedelta) -> None:
        hourly, monthly = every(HOUR, 100), every(30 * DAY, 10)
        assert hourly.last is not None and monthly.last is not None
        assert after_read(hourly, hourly.last, lie) < 16 * MINUTE
        assert after_read(monthly, monthly.last, lie) == BOUNDS.longest

    @pytest.mark.parametrize("asked", [None, timedelta(), -DAY])
    def test_what_asks_for_nothing_changes_nothing(self, asked: timedelta | None) -> None:
        daily = every(DAY, 20)
        now = MONDAY + 20.3 * DAY
        assert after_read(daily, now, asked) == usual_wait(daily, now, BOUNDS)

    def test_a_slow_source_is_read_for_a_tenth_of_the_time(self) -> None:
        waits = [after_read(NO_RHYTHM, MONDAY, None, seconds) for seconds in (0.2, 60, 1e6)]
        assert waits == [5 * MINUTE, 10 * MINUTE, CAP]

    def test_a_pushed_source_is_read_rarely(self) -> None:
        assert after_read(NO_RHYTHM, MONDAY, None, pushed=True) == PUSHED_WAIT


def failed(failures: int, asked: timedelta | None = None, bounds: Bounds = BOUNDS) -> timedelta:
    return wait_after_failure(bounds, failures, asked=asked, seconds=0.2)


class TestAfterAFailure:
    @given(st.integers(1, 10**6), st.integers(1, 10**6), st.none() | st.integers(0, 10**6))
    def test_a_wait_is_within_its_bounds(self, interval: int, failures: int, asked: int | None) -> None:
        shortest = timedelta(seconds=interval)
        retry_after = None if asked is None else timedelta(seconds=asked)
        wait = failed(failures, retry_after, Bounds(shortest, max(shortest, DAY)))
        assert max(shortest, retry_after or shortest) <= wait <= max(CAP, shortest, retry_after or shortest)

    def test_the_wait_doubles(self) -> None:
        minute = Bounds(MINUTE, HOUR)
        assert [failed(n, bounds=minute) / MINUTE for n in (1, 2, 3, 30)] == [1, 2, 4, 720]


def test_numbers_stay_small() -> None:
    """What is stored of a busy source."""
    busy = every(7 * MINUTE, 1000)
    assert max(*busy.hours, *busy.days, busy.posts) < 100
    assert busy.seconds < 10 * DAY.total_seconds()
