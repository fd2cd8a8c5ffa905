"""When to try again. Pure: chance is an argument."""

import random
from datetime import datetime, timedelta

# A delivery fails after this many faults of its own, or unknown outcomes …
MAX_ATTEMPTS = 8
# … but only after this many refused requests: with the waits between them, more than half a day.
MAX_REFUSED = 60
SEND_BASE, SEND_CAP = timedelta(seconds=2), timedelta(minutes=30)
PAUSE_BASE, PAUSE_CAP = timedelta(hours=1), timedelta(days=1)


def _doubled(base: timedelta, times: int, cap: timedelta) -> timedelta:
    # 2^16 times the shortest base exceeds every cap, and times the longest it is still a valid timedelta.
    return min(cap, base * (1 << min(times, 16)))


def send_backoff(attempts: int, rng: random.Random) -> timedelta:
    """The wait after the n-th fault: random between zero and a bound that doubles ("full jitter")."""
    return _doubled(SEND_BASE, attempts, SEND_CAP) * rng.random()


def pause_backoff(attempts: int) -> timedelta:
    """The wait before a chat without rights is tried again: Discord blocks addresses that keep trying."""
    return _doubled(PAUSE_BASE, attempts, PAUSE_CAP)


def next_poll(due: datetime | None, started: datetime, wait: timedelta) -> datetime:
    """When a source is due again, after a read that was due at `due` and began at `started`.

    Counted from when it was due, so that the time a read had to wait does not lengthen the interval.
    """
    on_time = due is not None and due <= started < due + wait
    return (due if due is not None and on_time else started) + wait
