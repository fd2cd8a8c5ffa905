"""Parts of which nobody knows whether they arrived: sent again, looked up or held, and counted."""

import asyncio
from contextlib import suppress

import pytest

from scheduler.errors import Ambiguous, ChatPaused, ContentRejected, Refused, SendError
from scheduler.ports import DeliveryFilter
from scheduler.types import Sent
from tests.fakes import Fault
from tests.scheduler.conftest import World
from tests.scheduler.delivery.builders import LATER, killed, until_quiet, waiting


@pytest.mark.parametrize("arrived", [True, False])
async def test_an_ambiguous_send_is_repeated_by_default(world: World, arrived: bool) -> None:
    chat = await waiting(world, "hello")
    world.platform.faults = [Fault(Ambiguous("read time-out"), arrived=arrived)]
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat) == ["hello"] * (2 if arrived else 1)
    assert len(set(world.platform.attempts)) == 1 and len(world.platform.attempts) == 2
    assert world.sql("SELECT unknowns FROM delivery_parts") == [(1,)]
    async with world.store.read() as work:
        assert await work.outbox.unknowns() == 1


async def test_an_ambiguous_send_is_held_where_the_chat_wants_that(world: World) -> None:
    chat = await waiting(world, "hello")
    world.hold_unknown(chat)
    world.platform.faults = [Fault(Ambiguous("read time-out"), arrived=True)]
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat) == ["hello"]
    assert world.deliveries(chat) == [("held", "it may have arrived: read time-out")]
    await world.publish("hello", "next")  # a held delivery is closed: others go on
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat) == ["hello", "next"]


@pytest.mark.parametrize("hold", [True, False])
async def test_a_platform_that_deduplicates_gets_the_same_key(world: World, hold: bool) -> None:
    chat = await waiting(world, "hello")
    if hold:
        world.hold_unknown(chat)
    world.platform.deduplicates = True
    world.platform.faults = [Fault(Ambiguous("reset"), arrived=True), Fault(Ambiguous("reset"))]
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat) == ["hello"]
    assert len(world.platform.attempts) == 3 and len(set(world.platform.attempts)) == 1
    assert world.ledger(chat) == {"hello": "sent"}
    assert world.sql("SELECT unknowns FROM delivery_parts") == [(2,)]


@pytest.mark.parametrize("policy", ["resend", "hold", "deduplicates"])
async def test_a_kill_during_a_send_is_an_unknown_outcome(world: World, policy: str) -> None:
    chat = await waiting(world, "hello")
    world.platform.deduplicates = policy == "deduplicates"
    if policy != "resend":
        world.hold_unknown(chat)
    world.platform.faults = [killed()]
    with pytest.raises(asyncio.CancelledError):
        await world.dispatcher(1).drain()
    assert world.ledger(chat) == {"hello": "reserved"}
    assert world.sql("SELECT state FROM delivery_parts") == [("sending",)]

    later = world.dispatcher(2)
    assert await later.recover() == 1
    await until_quiet(later, world)
    assert world.platform.texts(chat) == ["hello"] * (2 if policy == "resend" else 1)
    assert world.deliveries(chat)[0][0] == ("held" if policy == "hold" else "sent")
    assert world.sql("SELECT unknowns FROM delivery_parts") == [(1,)]


async def test_a_kill_during_the_recovery_does_not_lose_the_policy(world: World) -> None:
    chat = await waiting(world, "hello")
    world.hold_unknown(chat)
    world.platform.faults = [killed()]
    with pytest.raises(asyncio.CancelledError):
        await world.dispatcher(1).drain()
    begun = world.store.writes

    async def kill() -> None:
        if world.store.writes > begun:  # whatever there is to write after the first time
            raise asyncio.CancelledError

    world.store.on_write = kill
    with suppress(asyncio.CancelledError):
        await world.dispatcher(2).recover()
    world.store.on_write = None
    last = world.dispatcher(3)
    await last.recover()
    await until_quiet(last, world)
    assert world.platform.texts(chat) == ["hello"]
    assert world.deliveries(chat)[0][0] == "held"


@pytest.mark.parametrize("policy", ["resend", "hold", "deduplicates"])
async def test_a_bug_during_a_send_is_an_unknown_outcome(world: World, policy: str) -> None:
    chat = await waiting(world, "hello")
    world.platform.deduplicates = policy == "deduplicates"
    if policy != "resend":
        world.hold_unknown(chat)
    world.platform.faults = [Fault(ValueError("a bug"), arrived=True)]
    dispatcher = world.dispatcher()
    await until_quiet(dispatcher, world)
    assert world.platform.texts(chat) == ["hello"] * (2 if policy == "resend" else 1)
    assert world.sql("SELECT unknowns FROM delivery_parts") == [(1,)]
    ended = world.deliveries(chat)
    if policy != "hold":
        assert ended[0][0] == "sent"
        return
    assert ended == [("held", "it may have arrived: an internal error while it was being sent")]
    async with world.store.write() as work:  # an admin decides to send it again
        await work.outbox.retry(DeliveryFilter(chat_id=chat.id), world.clock.now())
        await work.commit()
    await until_quiet(dispatcher, world)
    assert world.platform.texts(chat) == ["hello", "hello"]
    assert world.deliveries(chat)[0][0] == "sent"


async def test_an_unknown_part_is_looked_up_although_a_later_attempt_was_refused(world: World) -> None:
    """After an outage the platform has forgotten the nonce: only looking it up tells."""
    chat = await waiting(world, "hello")
    world.platform.faults = [Fault(Ambiguous("reset"), arrived=True), Fault(Refused("no connection"))]
    dispatcher = world.dispatcher()
    for _ in range(2):
        await dispatcher.drain()
        world.clock.advance(LATER)
    world.platform.recalls = Sent("1", ("7",))
    await dispatcher.drain()
    assert world.platform.texts(chat) == ["hello"]
    assert world.ledger(chat) == {"hello": "sent"}


@pytest.mark.parametrize("error", [Refused("no connection"), Ambiguous("reset"), ContentRejected("bad")])
async def test_a_lookup_that_fails_is_repeated_and_nothing_is_sent_meanwhile(
    world: World, error: SendError
) -> None:
    chat = await waiting(world, "hello")
    world.platform.faults = [Fault(Ambiguous("reset"), arrived=True)]
    dispatcher = world.dispatcher()
    await dispatcher.drain()
    world.platform.recalls = error
    for _ in range(3):
        world.clock.advance(LATER)
        await dispatcher.drain()
    assert len(world.platform.attempts) == 1
    assert world.sql("SELECT state, unknowns FROM delivery_parts") == [("pending", 1)]
    world.platform.recalls = Sent("1", ("7",))
    world.clock.advance(LATER)
    await dispatcher.drain()
    assert world.platform.texts(chat) == ["hello"]
    assert world.ledger(chat) == {"hello": "sent"}


@pytest.mark.parametrize(("policy", "texts", "state"), [("resend", 2, "sent"), ("hold", 1, "held")])
async def test_the_chats_policy_decides_where_the_bot_may_not_look(
    world: World, policy: str, texts: int, state: str
) -> None:
    chat = await waiting(world, "hello")
    world.platform.deduplicates = True  # so that it is not held at once
    world.platform.faults = [Fault(Ambiguous("reset"), arrived=True)]
    if policy == "hold":
        world.hold_unknown(chat)
    dispatcher = world.dispatcher()
    await dispatcher.drain()
    world.platform.deduplicates = False  # the platform has forgotten the key
    world.platform.recalls = ChatPaused("may not read")
    world.clock.advance(LATER)
    await dispatcher.drain()
    assert len(world.platform.texts(chat)) == texts
    assert world.deliveries(chat)[0][0] == state
