"""When to try again. Pure: randomness is an argument."""

import random
from datetime import datetime, timedelta

# A delivery is given up after this many faults of its own, or outcomes that nobody knows …
MAX_ATTEMPTS = 8
# … but only after this many requests that did not leave: with the waits between them, more than half a day.
MAX_REFUSED = 60
SEND_BASE, SEND_CAP = timedelta(seconds=2), timedelta(minutes=30)
PAUSE_BASE, PAUSE_CAP = timedelta(hours=1), timedelta(days=1)
POLL_CAP = timedelta(hours=12)
# A source that is slow to read is read less often: reading it may take a tenth of the time.
SLOW_POLL = 10
# A source whose reading had to be ended by force is not tried again before.
KILLED_WAIT = timedelta(hours=1)


def _doubled(base: timedelta, times: int, cap: timedelta) -> timedelta:
    # 2^16 of the shortest base is beyond every cap, and of the longest still a timedelta.
    return min(cap, base * (1 << min(times, 16)))


def send_backoff(attempts: int, rng: random.Random) -> timedelta:
    """The wait after the n-th fault: anywhere between nothing and a bound that doubles ("full jitter")."""
    return _doubled(SEND_BASE, attempts, SEND_CAP) * rng.random()


def pause_backoff(attempts: int) -> timedelta:
    """The wait before a chat without rights is tried again: Discord blocks those who keep asking."""
    return _doubled(PAUSE_BASE, attempts, PAUSE_CAP)


def poll_backoff(interval: timedelta, failures: int, retry_after: timedelta | None) -> timedelta:
    """The wait after the n-th failed poll in a row, never shorter than the server asked for."""
    return max(_doubled(interval, failures - 1, max(POLL_CAP, interval)), retry_after or timedelta())


def poll_wait(interval: timedelta, seconds: float) -> timedelta:
    """From one read of a source to the next, when a read takes so many seconds."""
    return max(interval, min(timedelta(seconds=SLOW_POLL * seconds), POLL_CAP))


def next_poll(due: datetime | None, started: datetime, wait: timedelta) -> datetime:
    """When a source is due again after a read that was due and started at these moments.

    Counted from when it was due, so that intervals do not grow by the time that a read has to wait.
    """
    on_time = due is not None and due <= started < due + wait
    return (due if due is not None and on_time else started) + wait
