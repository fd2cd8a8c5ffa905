"""Waiting for permits: in order, replies first, and no broadcast waits at a closed gate."""

import asyncio
from datetime import timedelta
from math import inf

import pytest

from scheduler.delivery.limits import Lane
from scheduler.delivery.pacer import REPLIES_OF_CHAT, Pacer
from scheduler.errors import RateScope
from scheduler.types import ChatKind, Limits, Rate
from tests.fakes import FakeClock

SLOW = Limits(Rate(1, guard=0), {ChatKind.PRIVATE: Rate(1, 10, guard=0)})


async def settled() -> None:
    """Let every task run as far as it can while no time passes."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_request_alone_does_not_wait() -> None:
    clock = FakeClock()
    pacer = Pacer(SLOW, clock)
    before = clock.monotonic()
    assert await pacer.permit("a", ChatKind.TERMINAL, Lane.BROADCAST)
    assert clock.monotonic() == before


async def test_permits_come_at_the_rate_of_the_limit() -> None:
    clock = FakeClock()
    pacer = Pacer(SLOW, clock)
    before = clock.monotonic()
    await asyncio.gather(*(pacer.permit("a", ChatKind.TERMINAL, Lane.BROADCAST) for _ in range(5)))
    assert clock.monotonic() - before == pytest.approx(4, abs=0.1)


async def test_a_reply_overtakes_broadcasts_that_wait() -> None:
    clock = FakeClock(manual=True)
    pacer, order = Pacer(SLOW, clock), []

    async def wait(name: str, lane: Lane) -> None:
        await pacer.permit(name, ChatKind.TERMINAL, lane)
        order.append(name)

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        for name in ("first", "second", "third"):
            group.create_task(wait(name, Lane.BROADCAST))
        await asyncio.sleep(0)
        group.create_task(wait("reply", Lane.REPLY))
        while len(order) < 4:
            clock.advance(0.02)
            await asyncio.sleep(0)
    assert order == ["first", "reply", "second", "third"]


async def test_a_wait_for_one_chat_does_not_delay_later_requests() -> None:
    clock = FakeClock(manual=True)
    pacer = Pacer(Limits(Rate(inf), SLOW.per_chat), clock)
    assert await pacer.wait_for_chat("a", ChatKind.PRIVATE)
    clock.advance(9.5)
    again = asyncio.create_task(pacer.wait_for_chat("a", ChatKind.PRIVATE))
    await settled()
    assert await pacer.wait_for_chat("b", ChatKind.PRIVATE)
    assert await pacer.permit("b", ChatKind.PRIVATE, Lane.BROADCAST)
    assert not again.done()
    clock.advance(0.5)
    assert await again


async def test_a_long_wait_for_a_chat_is_refused_at_once() -> None:
    clock = FakeClock()
    pacer = Pacer(SLOW, clock)
    assert await pacer.wait_for_chat("a", ChatKind.PRIVATE)
    before = clock.monotonic()
    assert not await pacer.wait_for_chat("a", ChatKind.PRIVATE)
    assert clock.monotonic() == before
    assert pacer.chat_wait("a", ChatKind.PRIVATE) == pytest.approx(10)


async def test_a_long_hold_of_the_platform_is_waited_out_before_writing_ahead() -> None:
    """A part that is written ahead already is refused."""
    clock = FakeClock(manual=True)
    pacer = Pacer(SLOW, clock)
    await pacer.permit("a", ChatKind.TERMINAL, Lane.BROADCAST)
    written = asyncio.create_task(pacer.permit("b", ChatKind.TERMINAL, Lane.BROADCAST))
    await settled()
    pacer.limited("a", timedelta(seconds=300), RateScope.PLATFORM)
    assert not await written
    assert not await pacer.permit("c", ChatKind.TERMINAL, Lane.BROADCAST)
    turn = asyncio.create_task(pacer.wait_for_chat("d", ChatKind.TERMINAL))
    await settled()
    clock.advance(299)
    await settled()
    assert not turn.done()
    clock.advance(2)
    assert await turn


async def test_closing_ends_the_wait_for_a_chat() -> None:
    pacer = Pacer(SLOW, FakeClock(manual=True))
    pacer.limited("", timedelta(seconds=300), RateScope.PLATFORM)
    turn = asyncio.create_task(pacer.wait_for_chat("a", ChatKind.TERMINAL))
    await settled()
    pacer.close()
    async with asyncio.timeout(10):
        assert not await turn


async def test_a_429_is_learnt_for_what_it_names() -> None:
    clock = FakeClock()
    pacer = Pacer(Limits(Rate(inf), SLOW.per_chat), clock)
    pacer.limited("a", timedelta(seconds=50), RateScope.CHAT)
    assert pacer.chat_wait("a", ChatKind.PRIVATE) == pytest.approx(50)
    assert pacer.chat_wait("b", ChatKind.PRIVATE) == 0
    pacer.limited("a", timedelta(seconds=5), RateScope.PLATFORM)
    before = clock.monotonic()
    await pacer.permit("b", ChatKind.PRIVATE, Lane.REPLY)
    assert clock.monotonic() - before == pytest.approx(5, abs=0.1)


async def test_a_closed_gate_refuses_broadcasts_and_lets_replies_through() -> None:
    clock = FakeClock(manual=True)
    pacer = Pacer(SLOW, clock)
    await pacer.permit("a", ChatKind.TERMINAL, Lane.BROADCAST)
    waiting = asyncio.create_task(pacer.permit("b", ChatKind.TERMINAL, Lane.BROADCAST))
    reply = asyncio.create_task(pacer.permit("c", ChatKind.TERMINAL, Lane.REPLY))
    await asyncio.sleep(0)
    pacer.close()
    assert await waiting is False
    assert await pacer.permit("d", ChatKind.TERMINAL, Lane.BROADCAST) is False
    async with asyncio.timeout(10):
        while not reply.done():
            clock.advance(0.1)
            await asyncio.sleep(0)
    assert await reply


async def test_the_use_of_the_limit_is_that_of_the_last_minute() -> None:
    clock = FakeClock()
    pacer = Pacer(Limits(Rate(1, guard=0), {}), clock)
    for _ in range(30):
        await pacer.permit("a", ChatKind.TERMINAL, Lane.BROADCAST)
    assert pacer.used() == pytest.approx(0.5)
    clock.advance(120)
    assert pacer.used() == 0


async def test_the_newest_reply_to_a_person_takes_the_place_of_the_first() -> None:
    clock, order = FakeClock(manual=True), list[str]()
    pacer = Pacer(SLOW, clock)
    await pacer.reply_permit("a", ChatKind.TERMINAL, "first of all")

    async def ask(name: str, person: str) -> None:
        if await pacer.reply_permit("a", ChatKind.TERMINAL, person):
            order.append(name)

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        for name in ("ann 1", "bob 1", "ann 2", "ann 3"):
            group.create_task(ask(name, name[:3]))
            await settled()
        while len(order) < 2:
            clock.advance(0.1)
            await asyncio.sleep(0)
    assert order == ["ann 3", "bob 1"]
    assert not pacer._replies and not pacer._waiting


async def test_replies_that_wait_for_a_chat_are_bounded() -> None:
    pacer = Pacer(SLOW, FakeClock(manual=True))
    await pacer.reply_permit("a", ChatKind.TERMINAL, "first of all")
    asking = [
        asyncio.create_task(pacer.reply_permit("a", ChatKind.TERMINAL, str(person))) for person in range(200)
    ]
    await settled()
    assert [task.result() for task in asking if task.done()] == [False] * (200 - REPLIES_OF_CHAT)
    others = asyncio.create_task(pacer.reply_permit("b", ChatKind.TERMINAL, "0"))
    await settled()
    assert not others.done()
    for task in (*asking, others):
        task.cancel()
    await asyncio.wait({*asking, others})
    assert not pacer._replies and not pacer._waiting
