"""The platform never gets more requests than it allows, and replies go first."""

from bisect import bisect_right
from collections import defaultdict
from heapq import heapify, heappop, heappush
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.delivery.limits import FORGET_ABOVE, TOLERANCE, Lane, Limiter, Ticket
from scheduler.types import ChatKind, Limits, Rate

LIMITS = Limits(
    Rate(30), {ChatKind.PRIVATE: Rate(1, guard=0.05), ChatKind.GROUP: Rate(20, 60, burst=3)}, reply_burst=3
)
KINDS = {"a": ChatKind.PRIVATE, "b": ChatKind.PRIVATE, "g": ChatKind.GROUP, "t": ChatKind.TERMINAL}


def ticket(address: str = "t", lane: Lane = Lane.BROADCAST) -> Ticket:
    return Ticket(lane, address, KINDS.get(address, ChatKind.TERMINAL))


def drained(limiter: Limiter, now: float) -> list[tuple[float, Ticket]]:
    """All waiting requests, with the times at which they may be sent."""
    given_out = []
    while len(limiter):
        found = limiter.next(now)
        if isinstance(found, Ticket):
            given_out.append((now, found))
        else:
            assert found > now, "it would never end"
            now = found
    return given_out


def most(times: list[float], seconds: float) -> int:
    """The largest number of requests in any window of that length."""
    return max((bisect_right(times, t + seconds - 1e-9) - n for n, t in enumerate(times)), default=0)


ASKED = st.lists(
    st.tuples(st.floats(0, 5), st.sampled_from(sorted(KINDS)), st.sampled_from(Lane)), max_size=120
)


def simulated(limiter: Limiter, asked: list[tuple[float, str, Lane]]) -> list[tuple[float, Ticket]]:
    """What is sent, and when. As in the dispatcher, a private chat's broadcasts come one after another."""
    events = [(sum(pause for pause, _, _ in asked[: n + 1]), n) for n in range(len(asked))]
    begun: set[int] = set()
    behind: dict[str, list[int]] = {}
    sent, look = list[tuple[float, Ticket]](), inf
    heapify(events)
    while events or look < inf:
        now = min(look, events[0][0] if events else inf)
        while events and events[0][0] <= now:
            _, n = heappop(events)
            _, address, lane = asked[n]
            if lane is Lane.REPLY or n in begun:
                limiter.offer(ticket(address, lane))
            elif address in behind:
                behind[address].append(n)
            else:
                begun.add(n)
                if address in "ab":
                    behind[address] = []
                turn = limiter.reserve(address, KINDS[address], now, inf)
                assert turn is not None
                heappush(events, (turn, n))
        while isinstance(found := limiter.next(now), Ticket):
            sent.append((now, found))
            if found.lane is not Lane.REPLY:
                for n in behind.pop(found.address, []):
                    heappush(events, (now, n))
        look = found
    return sent


@given(ASKED)
def test_no_window_sees_more_than_the_limits(asked: list[tuple[float, str, Lane]]) -> None:
    sent = simulated(Limiter(LIMITS), asked)
    assert len(sent) == len(asked)
    assert most([at for at, _ in sent], 1.0) <= 30
    by_address = defaultdict(list)
    for at, one in sent:
        if one.lane is not Lane.REPLY:
            by_address[one.address].append(at)
    for address in ("a", "b"):
        assert most(by_address[address], 1.0) <= 1
    assert most(by_address["g"], 60.0) <= 20


def test_what_is_new_goes_before_edits_and_replies_before_both() -> None:
    limiter = Limiter(LIMITS)
    for lane in reversed(Lane):
        limiter.offer(ticket(str(lane), lane))
    assert [one.lane for _, one in drained(limiter, 0.0)] == [Lane.REPLY, Lane.BROADCAST, Lane.EDIT]


def test_the_limit_is_used() -> None:
    limiter = Limiter(LIMITS)
    for _ in range(301):
        limiter.offer(ticket())
    times = [at for at, _ in drained(limiter, 0.0)]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(300 / (30 * 0.96), abs=3 * TOLERANCE)


def test_permits_that_a_late_timer_missed_are_caught_up() -> None:
    limiter = Limiter(Limits(Rate(1000, guard=0.05), {}))
    for _ in range(2000):
        limiter.offer(ticket())
    now, given_out = 0.0, 0
    while now < 1.0:
        while isinstance(limiter.next(now), Ticket):
            given_out += 1
        now += 0.003  # three slots pass between two looks
    assert 940 <= given_out <= 960


@given(st.integers(1, 40), st.integers(1, 5))
def test_replies_go_first_in_order(broadcasts: int, replies: int) -> None:
    limiter = Limiter(LIMITS)
    for _ in range(broadcasts):
        limiter.offer(ticket())
    waiting = [ticket("t", Lane.REPLY) for _ in range(replies)]
    for one in waiting:
        limiter.offer(one)
    order = [one for _, one in drained(limiter, 0.0)]
    assert all(found is one for found, one in zip(order, waiting, strict=False))


def test_a_chat_at_its_own_limit_is_parked_and_holds_back_nobody() -> None:
    limiter = Limiter(LIMITS)
    for address in "aaaaattt":
        limiter.offer(ticket(address, Lane.REPLY))
    order = [(at, one.address) for at, one in drained(limiter, 0.0)]
    assert [address for _, address in order] == list("aaatttaa")
    assert order[5][0] < 0.3


def test_a_broadcast_waits_for_its_chats_limit_before_it_begins() -> None:
    limiter = Limiter(LIMITS)
    assert limiter.reserve("a", ChatKind.PRIVATE, 5.0, 1.0) == 5.0
    second = limiter.reserve("a", ChatKind.PRIVATE, 5.0, 1.1)
    assert second == pytest.approx(5.0 + 1 / 0.95)
    assert limiter.reserve("a", ChatKind.PRIVATE, 5.0, 1.1) is None  # too far off, and nothing is booked
    assert limiter.chat_ready("a", ChatKind.PRIVATE, Lane.BROADCAST) == pytest.approx(5.0 + 2 / 0.95)
    assert limiter.reserve("b", ChatKind.PRIVATE, 5.0, 0.0) == 5.0


def test_a_chats_limit_counts_from_when_its_broadcast_was_sent() -> None:
    limiter = Limiter(LIMITS)
    limiter.reserve("a", ChatKind.PRIVATE, 0.0, 0.0)
    limiter.offer(ticket("a"))
    assert isinstance(limiter.next(0.4), Ticket)  # it took so long to write it ahead
    assert limiter.chat_ready("a", ChatKind.PRIVATE, Lane.BROADCAST) == pytest.approx(0.4 + 1 / 0.95)


def test_parked_chats_cost_the_others_nothing() -> None:
    limiter = Limiter(Limits(Rate(inf), LIMITS.per_chat))
    for number in range(1000):
        limiter.hold(str(number), 0.0, 1000.0)
        limiter.offer(Ticket(Lane.REPLY, str(number), ChatKind.PRIVATE))
    assert isinstance(limiter.next(0.0), float)  # parks them
    looked_at = len(limiter._ready)
    limiter.offer(ticket())
    assert isinstance(limiter.next(0.0), Ticket)
    assert looked_at == len(limiter._ready) == 0


def test_a_reply_may_come_soon_after_a_broadcast() -> None:
    limiter = Limiter(LIMITS)
    limiter.offer(ticket("a"))
    assert isinstance(limiter.next(0.0), Ticket)
    limiter.offer(ticket("a", Lane.REPLY))
    assert isinstance(limiter.next(0.1), Ticket)
    assert limiter.chat_ready("a", ChatKind.PRIVATE, Lane.BROADCAST) > 1.5


def test_a_429_for_a_chat_holds_that_chat_alone() -> None:
    limiter = Limiter(LIMITS)
    limiter.hold("a", 0.0, 30.0)
    limiter.hold("a", 0.0, 20.0)  # a shorter one does not undo it
    for address in "ab":
        limiter.offer(ticket(address, Lane.REPLY))
    order = [(at, one.address) for at, one in drained(limiter, 0.0)]
    assert order == [(0.0, "b"), (30.0, "a")]
    assert limiter.reserve("a", ChatKind.PRIVATE, 0.0, 29.0) is None


@pytest.mark.parametrize("lane", Lane)
def test_a_429_for_the_bot_holds_everybody(lane: Lane) -> None:
    limiter = Limiter(LIMITS)
    limiter.hold_all(0.0, 7.0)
    limiter.offer(ticket("a", lane))
    assert [at for at, _ in drained(limiter, 0.0)] == [7.0]


def test_the_rate_recovers_after_a_429() -> None:
    limiter = Limiter(LIMITS)
    before = limiter._pace.at(0.0)
    limiter.hold_all(0.0, 1.0)
    assert limiter._pace.at(1.0) == pytest.approx(0.7 * before)
    assert limiter._pace.at(16.0) == pytest.approx(0.85 * before)
    assert limiter._pace.at(40.0) == before
    for second in range(20):
        limiter.hold_all(40.0 + second, 1.0)
    assert limiter._pace.at(60.0) == pytest.approx(0.1 * before)


def test_429s_to_requests_in_flight_count_once() -> None:
    limiter = Limiter(LIMITS)
    before = limiter._pace.at(0.0)
    for milliseconds in range(50):
        limiter.hold_all(milliseconds / 1000, 3.0)
    assert limiter._pace.at(3.049) == pytest.approx(0.7 * before)
    assert limiter.overall_ready() == 3.049


def test_a_lower_rate_spreads_the_requests() -> None:
    limiter = Limiter(Limits(Rate(10, guard=0), {}))
    limiter.hold_all(0.0, 0.0)
    for _ in range(3):
        limiter.offer(ticket())
    times = [at for at, _ in drained(limiter, 0.0)]
    assert times[2] - times[1] == pytest.approx(0.1 / 0.7, rel=0.05)


def test_without_an_address_only_the_overall_limit_counts() -> None:
    limiter = Limiter(LIMITS)
    for _ in range(5):
        limiter.offer(Ticket(Lane.BROADCAST, "", ChatKind.PRIVATE))
    assert drained(limiter, 0.0)[-1][0] < 0.2


def test_what_has_passed_is_forgotten_and_what_counts_is_kept() -> None:
    limiter = Limiter(Limits(Rate(inf), {ChatKind.PRIVATE: Rate(1)}))
    limiter.hold("held", 0.0, 5000.0)
    for number in range(FORGET_ABOVE + 10):
        limiter.offer(Ticket(Lane.BROADCAST, str(number), ChatKind.PRIVATE))
        assert isinstance(limiter.next(number / 10), Ticket)
    assert len(limiter._arrivals) < 100
    assert limiter.chat_ready("held", ChatKind.PRIVATE, Lane.BROADCAST) == 5000.0


# A delivery that comes back is claimed first, seconds; replies that wait are looked at meanwhile.
CLAIMING = 0.05


def waits_in_a_flood(replies: list[float], broadcasts: list[float]) -> list[float]:
    """How long each broadcast to a group waits while members ask; refused, it comes back when it is due."""
    limiter, waits = Limiter(LIMITS), list[float]()
    lanes = {Lane.REPLY: replies, Lane.BROADCAST: broadcasts}
    events = [(at, at, lane) for lane, times in lanes.items() for at in times]
    look = inf
    heapify(events)
    while events:
        now = min(look, events[0][0])
        while events and events[0][0] <= now:
            _, asked, lane = heappop(events)
            if lane is Lane.REPLY:
                limiter.offer(ticket("g", lane))
                continue
            turn = limiter.reserve("g", ChatKind.GROUP, now, 1.0)
            if turn is None:
                back = limiter.broadcast_ready("g", ChatKind.GROUP, now) + CLAIMING
                heappush(events, (back, asked, lane))
            else:
                waits.append(turn - asked)
        while isinstance(found := limiter.next(now), Ticket):
            pass
        look = found
    return waits


def test_a_flood_of_commands_delays_a_groups_posts_by_seconds() -> None:
    waits = waits_in_a_flood([n / 2 for n in range(120)], [30.0, 60.0, 61.0, 62.0, 120.0])
    assert len(waits) == 5
    interval = LIMITS.per_chat[ChatKind.GROUP].interval
    assert max(waits) <= 7 * interval  # three at once need some of their own
    assert waits[0] <= 2 * interval


def test_replies_get_their_share_while_broadcasts_wait() -> None:
    limiter = Limiter(LIMITS)
    replies, broadcasts, now, interval = 0, 0, 0.0, LIMITS.per_chat[ChatKind.GROUP].interval
    while now < 600:
        while len(limiter) < 3:
            limiter.offer(ticket("g", Lane.REPLY))
        broadcasts += limiter.reserve("g", ChatKind.GROUP, now, 0.0) is not None
        while isinstance(limiter.next(now), Ticket):
            replies += 1
        now += 0.05
    assert replies + broadcasts <= 600 / interval + 3
    assert broadcasts >= 0.45 * 600 / interval
    assert replies >= 0.35 * 600 / interval


def test_replies_get_all_of_a_chats_limit_while_no_broadcast_waits() -> None:
    limiter = Limiter(LIMITS)
    for _ in range(30):
        limiter.offer(ticket("g", Lane.REPLY))
    last, _ = drained(limiter, 0.0)[-1]
    assert last == pytest.approx(27 * LIMITS.per_chat[ChatKind.GROUP].interval, rel=0.01)


def test_the_address_that_was_answered_least_of_late_goes_first() -> None:
    limiter = Limiter(LIMITS)
    for _ in range(3):
        limiter.offer(ticket("g", Lane.REPLY))
    flooded = drained(limiter, 0.0)
    assert len(flooded) == 3
    now = flooded[-1][0] + 30.0
    for address in ("g", "g", "a"):
        limiter.offer(ticket(address, Lane.REPLY))
    assert [one.address for _, one in drained(limiter, now)] == ["a", "g", "g"]
