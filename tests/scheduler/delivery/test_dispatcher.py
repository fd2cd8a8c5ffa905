"""The dispatcher as a task: it runs, stops, and survives a store that does not answer."""

import asyncio

import pytest

from content.errors import StoreBusy, StoreUnreachable
from scheduler.delivery.journal import STORE_RETRY
from scheduler.errors import PlatformStopped
from scheduler.types import Chat, Message
from tests.fakes import Fault
from tests.scheduler.conftest import World
from tests.scheduler.delivery.builders import many_waiting, waiting


async def test_it_runs_until_it_is_told_to_stop(world: World) -> None:
    await world.source()
    chat = await world.chat()
    dispatcher = world.dispatcher()
    sent = asyncio.Event()

    async def tell(*_: object) -> None:
        sent.set()

    world.platform.on_send = tell
    running = asyncio.create_task(dispatcher.run())
    await world.publish("hello")
    dispatcher.wake()
    await sent.wait()
    dispatcher.stop()
    await running
    assert world.platform.texts(chat) == ["hello"] and world.ledger(chat) == {"hello": "sent"}


async def test_a_refused_token_stops_the_platform_and_loses_nothing(world: World) -> None:
    await many_waiting(world, 40, "hello")
    world.platform.faults = [Fault(PlatformStopped("the token is refused"))]
    dispatcher = world.dispatcher()
    await dispatcher.run()
    assert str(dispatcher.stopped) == "the token is refused"
    left = 40 - len(world.platform.arrived)
    assert left > 0
    assert world.sql("SELECT count(*) FROM deliveries WHERE state = 'pending'") == [(left,)]
    await world.dispatcher(2).drain()
    assert len({seen.place for seen in world.platform.arrived}) == len(world.platform.arrived) == 40


async def test_cancelling_leaves_no_task_running(world: World) -> None:
    await world.source()
    await world.chat()
    await world.publish("hello")
    begun = asyncio.Event()

    async def never(*_: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    world.platform.on_send = never
    draining = asyncio.create_task(world.dispatcher().drain())
    await begun.wait()
    draining.cancel()
    async with asyncio.timeout(10):
        await asyncio.wait({draining})
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_store_that_fails_delays_and_loses_nothing(world: World) -> None:
    chat = await waiting(world, "hello")
    world.store.outages = [StoreUnreachable("the database is away") for _ in range(3)]
    dispatcher = world.dispatcher()
    sent = asyncio.Event()

    async def fail_once_more(*_: object) -> None:
        world.store.outages = [StoreUnreachable("the database is away") for _ in range(3)]
        sent.set()

    world.platform.on_send = fail_once_more
    running = asyncio.create_task(dispatcher.run())
    await sent.wait()
    dispatcher.stop()
    await running
    assert world.store.outages == []
    assert world.platform.texts(chat) == ["hello"] and world.ledger(chat) == {"hello": "sent"}


async def test_a_store_that_fails_while_others_send_waits_for_them(world: World) -> None:
    chats = await many_waiting(world, 3, "hello")
    release, ready = asyncio.Event(), asyncio.Barrier(3)

    async def slow(chat: Chat, message: Message, key: str) -> None:
        await ready.wait()
        if chat.place.address != "0":
            await release.wait()
            return
        # The next writer, which records this send, works; the claim after it does not.
        world.store.on_write = fail_next

    async def fail_next() -> None:
        async def fail() -> None:
            world.store.on_write = None
            release.set()
            raise StoreUnreachable("the database is away")

        world.store.on_write = fail

    world.platform.on_send = slow
    with pytest.raises(StoreUnreachable):
        await world.dispatcher().drain()
    assert all(world.platform.texts(chat) == ["hello"] for chat in chats)
    assert all(world.ledger(chat) == {"hello": "sent"} for chat in chats)


async def test_an_outage_of_the_store_costs_a_delivery_no_attempt(world: World) -> None:
    """However long it lasts, no delivery fails because of it."""
    chat = await waiting(world, "hello")
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
