"""Troubles that come together: an outcome that is unknown and then a refusal, a delivery and no store."""

from datetime import timedelta

import pytest

from content.errors import StoreBusy
from scheduler.delivery.journal import STORE_RETRY
from scheduler.errors import Ambiguous, ChatPaused, ContentRejected, Refused, SendError
from scheduler.types import Sent
from tests.fakes import Fault
from tests.scheduler.conftest import World

LATER = timedelta(hours=1).total_seconds()


async def test_what_may_have_arrived_is_looked_up_although_a_later_attempt_was_refused(world: World) -> None:
    """After an outage the platform's memory of the nonce has passed: only a look tells."""
    await world.source()
    chat = await world.chat()
    world.platform.faults = [Fault(Ambiguous("reset"), arrived=True), Fault(Refused("no connection"))]
    await world.publish("hello")
    dispatcher = world.dispatcher()
    for _ in range(2):
        await dispatcher.drain()
        world.clock.advance(LATER)
    world.platform.recalls = Sent("1", ("7",))
    await dispatcher.drain()
    assert world.platform.texts(chat) == ["hello"]
    assert world.ledger(chat) == {"hello": "sent"}


async def test_that_the_store_did_not_answer_is_no_fault_of_a_delivery(world: World) -> None:
    """However long it lasts, nothing is given up for it."""
    await world.source()
    chat = await world.chat()
    await world.publish("hello")
    writes = 0

    async def busy_after_the_claim() -> None:
        nonlocal writes
        writes += 1
        if writes == 2:
            raise StoreBusy("locked")

    world.store.on_write = busy_after_the_claim
    dispatcher = world.dispatcher()
    await dispatcher.drain()
    assert world.sql("SELECT state, attempts, reason FROM deliveries") == [("pending", 0, "")]
    world.clock.advance(STORE_RETRY)
    await dispatcher.drain()
    assert world.platform.texts(chat) == ["hello"]


@pytest.mark.parametrize("error", [Refused("no connection"), Ambiguous("reset"), ContentRejected("bad")])
async def test_a_look_that_fails_is_repeated_and_nothing_is_sent_meanwhile(
    world: World, error: SendError
) -> None:
    await world.source()
    chat = await world.chat()
    world.platform.faults = [Fault(Ambiguous("reset"), arrived=True)]
    await world.publish("hello")
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
async def test_where_the_bot_may_not_look_the_chat_s_policy_decides(
    world: World, policy: str, texts: int, state: str
) -> None:
    await world.source()
    chat = await world.chat()
    world.platform.deduplicates = True  # so that it is not held at once
    world.platform.faults = [Fault(Ambiguous("reset"), arrived=True)]
    world.sql("UPDATE chats SET on_unknown = ? WHERE id = ?", policy, chat.id)
    await world.publish("hello")
    dispatcher = world.dispatcher()
    await dispatcher.drain()
    world.platform.deduplicates = False  # the platform has forgotten the key
    world.platform.recalls = ChatPaused("may not read")
    world.clock.advance(LATER)
    await dispatcher.drain()
    assert len(world.platform.texts(chat)) == texts
    assert world.deliveries(chat)[0][0] == state
