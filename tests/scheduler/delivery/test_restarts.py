"""A process that ends, restarts or is replaced: nothing is lost, and nothing is sent twice by it."""

import asyncio

import pytest

from tests.scheduler.conftest import World
from tests.scheduler.delivery.builders import sends_end, until_quiet, waiting


async def test_a_restart_sends_nothing_again(world: World) -> None:
    chat = await waiting(world, "hello")
    await world.dispatcher(1).drain()
    later = world.dispatcher(2)
    assert await later.recover() == 0
    await world.publish("hello")
    await until_quiet(later, world)
    assert world.platform.texts(chat) == ["hello"]


async def test_what_was_only_claimed_is_sent_after_a_crash(world: World) -> None:
    chat = await waiting(world, "hello")
    async with world.store.write() as work:
        claimed = await work.outbox.claim("fake", world.clock.now(), 10, 1)
        await work.commit()
    assert len(claimed) == 1
    later = world.dispatcher(2)
    assert await later.recover() == 0
    await later.drain()
    assert world.platform.texts(chat) == ["hello"]
    assert world.sql("SELECT unknowns FROM delivery_parts") == [(0,)]


async def test_a_kill_between_parts_repeats_only_the_one_in_flight(world: World) -> None:
    chat = await waiting(world, "a\nb\nc")
    world.platform.per_message = 1
    sends_end(world, None, asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await world.dispatcher(1).drain()
    later = world.dispatcher(2)
    await later.recover()
    await until_quiet(later, world)
    assert world.platform.texts(chat) == ["a", "b", "c"]


async def test_an_older_process_may_send_nothing_more(world: World) -> None:
    chat = await waiting(world, "hello")

    async def take_over() -> None:
        """Runs when the old process has claimed and is about to write ahead."""
        if world.sql("SELECT state FROM deliveries") == [("claimed",)]:
            world.store.on_write = None
            await world.dispatcher(2).recover()
            async with world.store.write() as work:
                assert len(await work.outbox.claim("fake", world.clock.now(), 10, 2)) == 1
                await work.commit()

    world.store.on_write = take_over
    await world.dispatcher(1).drain()
    assert world.platform.attempts == []
    new = world.dispatcher(3)
    await new.recover()
    await new.drain()
    assert world.platform.texts(chat) == ["hello"]
