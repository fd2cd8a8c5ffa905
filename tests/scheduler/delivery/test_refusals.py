"""Requests that a platform refuses or limits are repeated, and fail with their reason in the end."""

from datetime import timedelta

from scheduler.errors import RateScope, Refused
from scheduler.retry import MAX_ATTEMPTS, MAX_REFUSED
from scheduler.types import Limits, Place, Rate
from tests.fakes import Fault
from tests.scheduler.conftest import World
from tests.scheduler.delivery.builders import limited, many_waiting, until_quiet, waiting


async def test_a_refused_send_is_tried_again_and_given_up_with_its_reason(world: World) -> None:
    chat = await waiting(world, "hello")
    world.platform.faults = [Fault(Refused("connection refused"))] * (MAX_ATTEMPTS - 1)
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat) == ["hello"]
    assert world.sql("SELECT sum(unknowns) FROM delivery_parts") == [(0,)]

    await world.publish("hello", "next")
    # All attempts but the last three are behind it.
    world.sql("UPDATE deliveries SET attempts = ? WHERE state = 'pending'", MAX_REFUSED - 3)
    world.platform.faults = [Fault(Refused("connection refused"))] * 3
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat) == ["hello"]
    reason = f"given up after {MAX_REFUSED} attempts: connection refused"
    assert world.deliveries(chat)[1] == ("failed", reason)
    assert world.ledger(chat)["next"] == "failed"


async def test_a_rate_limit_is_waited_for_and_counts_as_no_attempt(world: World) -> None:
    chat = await waiting(world, "hello")
    world.platform.faults = [Fault(limited(30))] * (MAX_ATTEMPTS + 2)
    dispatcher = world.dispatcher()
    start = world.clock.monotonic()
    while not world.platform.arrived:
        await dispatcher.drain()
        world.clock.advance(10)
    assert world.platform.texts(chat) == ["hello"]
    assert world.platform.arrived[0].at - start >= 30 * (MAX_ATTEMPTS + 2)
    assert world.sql("SELECT attempts FROM deliveries") == [(0,)]


async def test_a_chat_that_has_to_wait_long_goes_back_to_the_outbox(world: World) -> None:
    await world.source()
    slow, quick = await world.chat("1"), await world.chat("2")
    world.pacer.limited("1", timedelta(seconds=20), RateScope.CHAT)
    await world.publish("hello")
    dispatcher = world.dispatcher()
    await dispatcher.drain()
    assert world.platform.texts(quick) == ["hello"] and world.platform.texts(slow) == []
    assert world.deliveries(slow) == [("pending", "the chat's rate limit")]
    world.clock.advance(20)
    await dispatcher.drain()
    assert world.platform.texts(slow) == ["hello"]


async def test_a_limit_of_the_platform_holds_all_chats(world: World) -> None:
    await many_waiting(world, 3, "hello")
    world.platform.faults = [Fault(limited(7, RateScope.PLATFORM), Place("fake", "0"))]
    start = world.clock.monotonic()
    dispatcher = world.dispatcher()
    await dispatcher.drain()
    await world.publish("hello", "later")
    await until_quiet(dispatcher, world)
    later = [seen for seen in world.platform.arrived if seen.text == "later"]
    assert len(later) == 3 and all(seen.at >= start + 7 for seen in later)


async def test_parts_written_ahead_before_a_long_hold_wait_again_and_are_not_unknown(world: World) -> None:
    world.pace(Limits(Rate(1), {}))
    chats = await many_waiting(world, 3, "hello")
    world.platform.faults = [Fault(limited(30, RateScope.PLATFORM))]
    dispatcher = world.dispatcher()
    await dispatcher.drain()
    assert len(world.platform.attempts) == 1
    states = {tuple(row) for row in world.sql("SELECT state, reason FROM delivery_parts")}
    assert ("pending", "the platform's rate limit") in states
    assert {state for state, _ in states} == {"pending"}
    await until_quiet(dispatcher, world)
    assert all(world.platform.texts(chat) == ["hello"] for chat in chats)
    assert world.sql("SELECT sum(unknowns), max(attempts) FROM delivery_parts, deliveries") == [(0, 0)]
