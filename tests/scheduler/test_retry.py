import random
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from scheduler.retry import (
    PAUSE_BASE,
    PAUSE_CAP,
    SEND_CAP,
    pause_backoff,
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
