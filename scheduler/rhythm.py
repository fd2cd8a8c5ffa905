"""How long a source is left alone between two reads, from how often and when it posts. Pure functions.

The best wait is in proportion to the square root of the time between two posts: with as many reads, no other
makes the sum of all delays smaller. The rate of posts is estimated from the last ten or so, and from the
silence since; hours of the day and days of the week in which the source usually posts count more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import sqrt

from content.types import Rhythm

HOUR, DAY = 3600.0, 86400.0  # seconds
# A source that posts hourly is read at twice the shortest wait.
HOURLY = 2
# How much the earlier posts count in the rate, and the earlier hours in the profile, after one more.
RATE_DECAY, PROFILE_DECAY = 0.9, 0.99
# During a silence of s seconds the rate is between these two divided by s. So a source that wakes up is read
# often at once, and one that has stopped seldom after a few of its usual intervals.
WAKING, STOPPED = 0.2, 3.0
# Posts that are closer than this came together, and count as one.
TOGETHER = timedelta(minutes=5)
MOST = 100  # earlier posts of one read change nothing
LONGEST_GAP = 30 * DAY  # a longer silence counts as this, so that the next posts soon outweigh it
# A source's own word, or its cache's, counts up to this share of the mean time between its posts: many state
# an hour by default, or a day by mistake.
BELIEVED = 0.25
# Reading a source may take at most a tenth of the time: a slow one is read less often.
SLOW = 10
# The longest wait of a source that fails or is slow.
CAP = timedelta(hours=12)
# The shortest wait of a source that tells of its posts by itself: reads only find what was missed.
PUSHED_WAIT = timedelta(hours=3)
# The wait after a source's parser had to be killed.
KILLED_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The shortest and the longest time between two reads of a source, as the operator set them."""

    shortest: timedelta
    longest: timedelta


def learned(rhythm: Rhythm, posts: Iterable[datetime], now: datetime) -> Rhythm:
    """The rhythm after a read at `now` that found new posts of these times. A new source begins quick."""
    last, count, seconds = rhythm.last, rhythm.posts, rhythm.seconds
    hours: list[datetime] = []
    for post in sorted(min(post, now) for post in posts)[-MOST:]:
        if last is not None and timedelta() <= post - last < TOGETHER:
            continue
        gap = DAY if last is None else min(max((post - last).total_seconds(), 0.0), LONGEST_GAP)
        count, seconds = count * RATE_DECAY + 1, seconds * RATE_DECAY + gap
        # Each hour counts once, so that the profile of a busy source reaches back for days.
        if last is None or _hour(post) != _hour(last):
            hours.append(post.astimezone(UTC))
        last = post
    return replace(
        rhythm,
        last=last if rhythm.last else now,
        posts=round(count, 3),
        seconds=round(seconds, 1),
        hours=_more(rhythm.hours, [hour.hour for hour in hours]),
        days=_more(rhythm.days, [hour.weekday() for hour in hours]),
    )


def _hour(time: datetime) -> int:
    return int(time.timestamp() // HOUR)


def _more(counts: tuple[float, ...], at: Sequence[int]) -> tuple[float, ...]:
    """The counts with one more at each of these places, in order: after each the others count less."""
    more = [count * PROFILE_DECAY ** len(at) for count in counts]
    for age, place in enumerate(reversed(at)):
        more[place] += PROFILE_DECAY**age
    return tuple([round(count, 2) for count in more]) if at else counts


def usual_wait(rhythm: Rhythm, now: datetime, bounds: Bounds) -> timedelta:
    """The wait after a read at `now`, as the rhythm of the source alone suggests."""
    if rhythm.last is None:
        return bounds.shortest
    silence = max((now - rhythm.last).total_seconds(), 1.0)
    rate = rhythm.posts / (rhythm.seconds + silence)
    rate = min(max(rate, WAKING / silence), STOPPED / silence)
    even = HOURLY * bounds.shortest.total_seconds() / sqrt(rate * HOUR)
    return timedelta(seconds=_shaped(rhythm, now.timestamp(), even, bounds))


def _shaped(rhythm: Rhythm, start: float, even: float, bounds: Bounds) -> float:
    """`even`, the wait of a source without habits, shortened by hours in which it posts much: seconds.

    Each hour that passes uses up its share of the wait, a busy hour more of it.
    """
    shortest, longest = bounds.shortest.total_seconds(), bounds.longest.total_seconds()
    mean = (sum(rhythm.hours) / 24 + 1) * (sum(rhythm.days) / 7 + 1)
    left, at = 1.0, start
    while at - start < longest:
        wait = max(even / sqrt(_business(rhythm, at) / mean), shortest)
        room = HOUR - at % HOUR
        if left * wait <= room:
            return min(at - start + left * wait, longest)
        left -= room / wait
        at += room
    return longest


def _business(rhythm: Rhythm, at: float) -> float:
    """How busy the source usually is in the hour at `at` (POSIX time)."""
    hours = rhythm.hours
    hour, day = int(at // HOUR) % 24, int(at // DAY + 3) % 7  # the first day of POSIX time was a Thursday
    # The hours beside it count too, as posts are not on the minute, and one more everywhere: few say little.
    near = hours[hour] / 2 + (hours[hour - 1] + hours[(hour + 1) % 24]) / 4
    return (near + 1) * (rhythm.days[day] + 1)


def wait_after_read(
    rhythm: Rhythm, now: datetime, bounds: Bounds, *, asked: timedelta | None, seconds: float, pushed: bool
) -> timedelta:
    """The wait after a read that succeeded, took `seconds`, and whose answer asked for a wait of `asked`.

    `pushed`: the source tells of its posts by itself.
    """
    believed = timedelta(seconds=BELIEVED * rhythm.seconds / rhythm.posts)
    polite = max(min(asked or timedelta(), believed), PUSHED_WAIT if pushed else timedelta())
    wait = max(usual_wait(rhythm, now, bounds), polite)
    return max(min(wait, bounds.longest), _slow(seconds))


def wait_after_failure(
    bounds: Bounds, failures: int, *, asked: timedelta | None, seconds: float
) -> timedelta:
    """The wait after the n-th failed read in a row: it doubles, and is at least what the server asks for."""
    first = max(bounds.shortest, _slow(seconds))
    # 2^16 times the shortest wait, a second, exceeds the cap, and times the longest it is a valid timedelta.
    doubled = first * (1 << min(failures - 1, 16))
    return max(min(doubled, max(CAP, first)), asked or timedelta())


def _slow(seconds: float) -> timedelta:
    return min(timedelta(seconds=SLOW * seconds), CAP)
