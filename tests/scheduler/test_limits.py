"""The platform never sees more than it allows, whatever is asked of the limiter."""

from bisect import bisect_right
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.limits import FORGET_ABOVE, Limiter, Limits, Rate
from scheduler.types import ChatKind

LIMITS = Limits(Rate(0.25, burst=2), {ChatKind.PRIVATE: Rate(1.0), ChatKind.GROUP: Rate(3.0, burst=3)})
EPSILON = 1e-6

KINDS = {"a": ChatKind.PRIVATE, "b": ChatKind.GROUP, "c": ChatKind.GROUP, "d": ChatKind.TERMINAL}
PAUSES = st.floats(0, 4)
CALLS = st.lists(st.tuples(PAUSES, st.sampled_from("abcd"), st.booleans()), max_size=60)


def conforms(times: Sequence[float], rate: Rate) -> bool:
    """In no window of any length are there more than the burst and one for each interval."""
    ordered = sorted(times)
    return all(
        bisect_right(ordered, end) - first <= rate.burst + (end - start) / rate.interval + EPSILON
        for first, start in enumerate(ordered)
        for end in ordered[first:]
    )


@given(CALLS)
def test_no_window_holds_more_broadcasts_than_its_limit(calls: list[tuple[float, str, bool]]) -> None:
    limiter, now = Limiter(LIMITS), 0.0
    sent: list[tuple[float, str]] = []
    for pause, address, _ in calls:
        now += pause
        sent.append((now + limiter.take(address, KINDS[address], now), address))
    assert conforms([at for at, _ in sent], LIMITS.overall)
    for address, kind in KINDS.items():
        if rate := LIMITS.per_chat.get(kind):
            assert conforms([at for at, to in sent if to == address], rate)


@given(CALLS)
def test_a_broadcast_makes_room_for_the_replies_before_it(calls: list[tuple[float, str, bool]]) -> None:
    """Each broadcast leaves as late as the limit wants, with all earlier sends counted, replies too."""
    limiter, now = Limiter(LIMITS), 0.0
    for pause, address, is_reply in calls:
        now += pause
        if is_reply:
            assert limiter.reply(address, KINDS[address], now) == 0
        else:
            free = limiter.chat_wait(address, KINDS[address], now)
            assert limiter.take(address, KINDS[address], now) >= free
    reply_burst = 40
    for _ in range(reply_burst):
        limiter.reply("a", ChatKind.PRIVATE, now)
    assert limiter.chat_wait("a", ChatKind.PRIVATE, now) >= reply_burst - 1
    assert limiter.take("d", ChatKind.TERMINAL, now) >= (reply_burst - 2) * 0.25


def test_a_reply_never_waits_behind_broadcasts() -> None:
    limiter = Limiter(LIMITS)
    waits = [limiter.take(str(n), ChatKind.PRIVATE, 0.0) for n in range(200)]
    assert waits[-1] > 40
    assert limiter.reply("0", ChatKind.PRIVATE, 0.0) == 0


def taken(limiter: Limiter, address: str, kind: ChatKind, count: int) -> list[float]:
    """When sends to one address leave that are asked for as soon as they may."""
    now, times = 0.0, []
    for _ in range(count):
        now += limiter.chat_wait(address, kind, now)
        now += limiter.take(address, kind, now)
        times.append(now)
    return times


def test_limits_count_for_each_address() -> None:
    limiter = Limiter(Limits(Rate(0.0), LIMITS.per_chat))
    assert taken(limiter, "g", ChatKind.GROUP, 5) == [0, 0, 0, 3, 6]
    assert limiter.chat_wait("h", ChatKind.GROUP, 0.0) == 0
    assert taken(Limiter(Limits(Rate(0.0), LIMITS.per_chat)), "a", ChatKind.PRIVATE, 3) == [0, 1, 2]
    assert taken(Limiter(Limits(Rate(0.0), LIMITS.per_chat)), "t", ChatKind.TERMINAL, 3) == [0, 0, 0]


@pytest.mark.parametrize("kind", [ChatKind.PRIVATE, ChatKind.GROUP, ChatKind.TERMINAL])
def test_a_held_address_waits_and_others_do_not(kind: ChatKind) -> None:
    limiter = Limiter(LIMITS)
    limiter.hold("a", kind, 30.0)
    limiter.hold("a", kind, 20.0)  # a shorter one does not undo it
    assert limiter.chat_wait("a", kind, 10.0) == 20
    assert limiter.chat_wait("b", kind, 10.0) == 0
    assert limiter.take("b", kind, 10.0) == 0
    assert limiter.chat_wait("a", kind, 30.0) == 0


def test_a_held_platform_lets_nothing_leave() -> None:
    limiter = Limiter(LIMITS)
    limiter.hold_all(30.0)
    limiter.hold_all(20.0)
    assert limiter.take("a", ChatKind.PRIVATE, 10.0) == 20
    assert limiter.reply("b", ChatKind.PRIVATE, 10.0) == 20
    assert limiter.reply("b", ChatKind.PRIVATE, 40.0) == 0


def test_only_what_has_passed_is_forgotten() -> None:
    limiter = Limiter(Limits(Rate(0.0), {ChatKind.PRIVATE: Rate(1.0), ChatKind.GROUP: Rate(40.0)}))
    limiter.take("group", ChatKind.GROUP, 0.0)
    limiter.hold("late", ChatKind.PRIVATE, 50.0)
    for n in range(FORGET_ABOVE + 10):
        limiter.take(str(n), ChatKind.PRIVATE, 0.0)
    limiter.take("late", ChatKind.PRIVATE, 10.0)  # books at 50, when most have passed, but it is 10 now
    limiter.take("x", ChatKind.PRIVATE, 10.0)
    assert limiter.chat_wait("group", ChatKind.GROUP, 10.0) == 30
    assert len(limiter._by_address) < 100
