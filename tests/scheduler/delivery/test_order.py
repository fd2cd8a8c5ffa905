"""Each chat gets its deliveries in order, and no chat delays another."""

import asyncio
from datetime import timedelta

from scheduler.delivery.dispatch import FEWEST
from scheduler.errors import Ambiguous, ChatGone, ChatMoved, ChatPaused, ContentRejected, RateScope, Refused
from scheduler.types import Chat, ChatKind, Limits, Message, Rate
from tests.fakes import FakeClock, Fault
from tests.scheduler.conftest import World
from tests.scheduler.delivery.builders import limited, many_waiting, until_quiet, waiting

FAILURES = (
    Refused("no"),
    Ambiguous("perhaps"),
    limited(60),
    ChatGone("blocked"),
    ChatPaused("no rights"),
    ContentRejected("bad"),
    ChatMoved("moved", address="77"),
    ValueError("a bug"),
)


async def test_a_failure_of_one_chat_delays_and_drops_nothing_for_another(world: World) -> None:
    """Each failure that there is, in a chat of its own between two that are well."""
    await world.source()
    failing, well = dict[int, Exception](), [await world.chat("well")]
    for error in FAILURES:
        failing[(await world.chat(type(error).__name__)).id] = error
        well.append(await world.chat(f"after {type(error).__name__}"))
    await world.publish("one", "two")

    async def fail(chat: Chat, message: Message, key: str) -> None:
        if error := failing.get(chat.id):
            raise error

    world.platform.on_send = fail
    start = world.clock.monotonic()
    await world.dispatcher().drain()
    assert {chat.place: world.platform.texts(chat) for chat in well} == {
        chat.place: ["one", "two"] for chat in well
    }
    assert world.clock.monotonic() == start
    assert len(world.platform.arrived) == 2 * len(well)


async def test_a_chat_gets_its_posts_in_order_whatever_fails(world: World) -> None:
    chat = await waiting(world, "one", "two", "three")
    world.platform.faults = [Fault(Refused("no")), Fault(limited(5)), Fault(Refused("no"))]
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(chat) == ["one", "two", "three"]


async def test_chats_that_wait_for_their_own_limit_delay_no_other(world: World) -> None:
    world.clock = world.platform.clock = clock = FakeClock(manual=True)
    world.pace(Limits(Rate(30), {ChatKind.PRIVATE: Rate(1)}))
    await world.source()
    waiting = [await world.chat(str(n)) for n in range(2 * FEWEST)]
    quick = await world.chat("quick")
    for chat in waiting:
        world.pacer.limited(chat.place.address, timedelta(seconds=0.9), RateScope.CHAT)
    await world.publish("hello")
    arrived = asyncio.Event()

    async def tell(chat: Chat, message: Message, key: str) -> None:
        arrived.set()

    world.platform.on_send = tell
    draining = asyncio.create_task(world.dispatcher().drain())
    async with asyncio.timeout(10):
        await arrived.wait()  # although no time passes
    assert [seen.place for seen in world.platform.arrived] == [quick.place]
    while not draining.done():
        clock.advance(0.1)
        await asyncio.sleep(0)
    assert [world.platform.texts(chat) for chat in waiting] == [["hello"]] * len(waiting)


async def test_no_more_parts_are_in_flight_than_a_crash_may_duplicate(world: World) -> None:
    world.pace(Limits(Rate(30), {}))
    await many_waiting(world, 3 * FEWEST, "hello")
    answered, all_out = asyncio.Event(), asyncio.Event()

    async def hang(chat: Chat, message: Message, key: str) -> None:
        if len(world.platform.attempts) == FEWEST:
            all_out.set()
        await answered.wait()

    world.platform.on_send = hang
    draining = asyncio.create_task(world.dispatcher().drain())
    async with asyncio.timeout(10):
        await all_out.wait()
    for _ in range(3 * FEWEST):  # writes take turns: whatever else would begin does so
        async with world.store.write() as work:
            await work.commit()
    assert world.sql("SELECT count(*) FROM delivery_parts WHERE state = 'sending'") == [(FEWEST,)]
    answered.set()
    assert await draining == 3 * FEWEST
