"""One person asks too much: told once, then nothing, and nobody else notices."""

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from bot.commands.flood import COMPLETIONS, REMEMBERED, FairQueue, Flood, Pace
from bot.commands.router import Router
from tests.bot.conftest import OPERATOR, Desk, shown
from tests.bot.test_afar import Admins
from tests.fakes import FakeClock

PER_MINUTE = 6
TOLD = "⚠ Too many commands at once. Please wait 30 seconds."


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(manual=True)


@pytest.fixture
def flooded(desk: Desk, clock: FakeClock) -> Desk:
    """A desk where a person has few commands a minute, and time stands still."""
    desk.router = Router(desk.services, {OPERATOR}, Flood(PER_MINUTE, clock))
    return desk


async def test_a_flood_of_commands_gets_one_refusal(flooded: Desk) -> None:
    await flooded.source("one")
    replies = [await flooded.say("/latest") for _ in range(5 * PER_MINUTE)]
    answered = [reply for reply in replies if reply is not None]
    assert len(answered) == PER_MINUTE + 1
    assert shown(answered[-1]) == TOLD and answered[-1].private
    assert "one" in shown(await flooded.say("/latest", actor="fake:8"))


async def test_what_is_ignored_costs_nothing(flooded: Desk) -> None:
    for _ in range(PER_MINUTE + 1):
        await flooded.say("/help")
    store, asked = flooded.store, list(flooded.asked)
    used = store.reads, store.writes
    for place in range(50):
        assert await flooded.say("/subscribe", place=str(place + 100), reach=Admins()) is None
    assert (store.reads, store.writes, flooded.asked) == (*used, asked)


async def test_presses_count_and_are_refused_once(flooded: Desk) -> None:
    replies = [await flooded.press("l:0:1:0") for _ in range(3 * PER_MINUTE)]
    assert [shown(reply) for reply in replies if reply is not None and reply.private] == [TOLD]
    assert await flooded.say("/help") is None


async def test_a_chinese_person_is_refused_in_chinese(flooded: Desk) -> None:
    said = [await flooded.say("/help", locale="zh") for _ in range(PER_MINUTE + 1)]
    assert shown(said[-1]) == "⚠ 操作过于频繁，请等待 30 秒后再试。"


async def test_operators_are_never_refused(flooded: Desk) -> None:
    for _ in range(3 * PER_MINUTE):
        assert TOLD not in shown(await flooded.say("/help", actor=OPERATOR))


async def test_completions_count_softly(flooded: Desk) -> None:
    await flooded.source("one")
    call = flooded.call("/latest")
    offered = [await flooded.router.complete("source", "", call) for _ in range(2 * PER_MINUTE * COMPLETIONS)]
    assert sum(bool(names) for names in offered) == PER_MINUTE * COMPLETIONS // 2
    assert await flooded.router.complete("source", "", replace(call, actor="fake:8"))
    assert TOLD not in shown(await flooded.say("/help"))


def test_who_waits_is_answered_again_and_the_operator_sees_one_line(clock: FakeClock) -> None:
    flood = Flood(PER_MINUTE, clock)
    with capture_logs() as events:
        verdicts = [flood.asked("a") for _ in range(100)]
    assert verdicts.count(Pace.REFUSED) == 1
    assert [event["event"] for event in events] == ["person.flooding"]
    clock.advance(29)
    assert flood.asked("a") is Pace.IGNORED
    clock.advance(1)
    again = [flood.asked("a") for _ in range(100)]
    assert again.count(Pace.ANSWERED) == PER_MINUTE // 2


def test_a_long_flood_is_refused_twice_a_minute_at_most(clock: FakeClock) -> None:
    flood, verdicts = Flood(PER_MINUTE, clock), list[Pace]()
    for _ in range(1200):
        verdicts.append(flood.asked("a"))
        clock.advance(0.5)
    assert verdicts.count(Pace.REFUSED) <= 20
    assert verdicts.count(Pace.ANSWERED) <= 11 * PER_MINUTE


def test_an_even_pace_within_the_limit_is_never_refused(clock: FakeClock) -> None:
    flood = Flood(PER_MINUTE, clock)
    for _ in range(1000):
        assert flood.asked("a") is Pace.ANSWERED
        clock.advance(60 / PER_MINUTE)


def test_the_memory_is_bounded(clock: FakeClock) -> None:
    flood = Flood(PER_MINUTE, clock)
    for number in range(REMEMBERED + 500):
        flood.asked(str(number))
    assert len(flood) == REMEMBERED


async def test_many_new_chats_are_stored_together(desk: Desk) -> None:
    chats = 20

    async def until_all_have_asked() -> None:
        while desk.store.reads < chats:
            await asyncio.sleep(0)

    desk.store.on_write = until_all_have_asked
    async with asyncio.timeout(10):
        answers = [desk.say("/help", place=str(n), actor=f"fake:{n}") for n in range(chats)]
        assert all(await asyncio.gather(*answers))
    assert desk.store.writes <= chats / 4


async def test_those_who_asked_much_leave_a_place_to_others() -> None:
    queue, begun, end = FairQueue(at_once=2), list[str](), asyncio.Event()

    async def ask(name: str, asked_lately: float) -> None:
        async with queue.turn(asked_lately):
            begun.append(name)
            await end.wait()

    people = {"flood": 60.0, "another": 50.0, "good": 0.0}
    tasks = [asyncio.create_task(ask(name, asked_lately)) for name, asked_lately in people.items()]
    await asyncio.sleep(0)
    assert begun == ["flood", "good"], "the good one need not wait for an end"
    end.set()
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks)
        assert begun[-1] == "another"
        async with queue.turn(0.0), queue.turn(0.0):
            pass  # no place was lost


async def test_who_has_asked_least_is_next() -> None:
    queue, order = FairQueue(at_once=1), list[str]()

    async def ask(name: str, asked_lately: float) -> None:
        async with queue.turn(asked_lately):
            order.append(name)
            await asyncio.sleep(0)

    async with queue.turn(0.0):
        tasks = [
            asyncio.create_task(ask(name, n)) for name, n in (("flood", 60.0), ("less", 9.0), ("good", 3.0))
        ]
        await asyncio.sleep(0)
        gone = asyncio.create_task(ask("gone", 1.0))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait({gone})
    await asyncio.gather(*tasks)
    assert order == ["good", "less", "flood"]
    async with asyncio.timeout(5), queue.turn(0.0):
        pass  # no place was lost
