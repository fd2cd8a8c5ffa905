import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from scheduler.retry import (
    PAUSE_BASE,
    PAUSE_CAP,
    POLL_CAP,
    SEND_CAP,
    pause_backoff,
    poll_backoff,
    send_backoff,
)

NUMBERS = st.integers(0, 10**6)


class Last(random.Random):
    """Chance at its upper end."""

    def random(self) -> float:
        return 1.0


@given(NUMBERS, st.randoms(use_true_random=False))
def test_a_send_waits_within_its_bounds(attempts: int, rng: random.Random) -> None:
    assert timedelta() <= send_backoff(attempts, rng) <= SEND_CAP


def test_the_bound_of_a_send_doubles() -> None:
    assert [send_backoff(n, Last()).total_seconds() for n in (0, 1, 2, 3)] == [2, 4, 8, 16]
    assert send_backoff(20, Last()) == SEND_CAP


def test_a_paused_chat_is_asked_less_and_less() -> None:
    waits = [pause_backoff(n) for n in range(8)]
    assert waits[0] == PAUSE_BASE and waits[1] == 2 * PAUSE_BASE and waits[-1] == PAUSE_CAP
    assert waits == sorted(waits)


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.none() | st.integers(0, 10**6))
def test_a_poll_waits_within_its_bounds(interval: int, failures: int, asked: int | None) -> None:
    every = timedelta(seconds=interval)
    retry_after = None if asked is None else timedelta(seconds=asked)
    wait = poll_backoff(every, failures, retry_after)
    assert wait >= every
    assert wait >= (retry_after or timedelta())
    assert wait <= max(POLL_CAP, every, retry_after or timedelta())


def test_a_poll_doubles_from_its_interval() -> None:
    minute = timedelta(minutes=1)
    assert [poll_backoff(minute, n, None) / minute for n in (1, 2, 3, 30)] == [1, 2, 4, 720]
