"""Several units of work at once, of one process and of two: nothing doubled, nothing lost, no deadlock."""

import asyncio
import contextlib
from collections import Counter
from dataclasses import replace

import pytest

from scheduler.ports import Closed, DeliveryFilter, PartEnded, Store
from scheduler.types import Chat, DeliveryState, PartState, Sent
from tests.builders import NOW, after, new_post, part, place
from tests.contracts.world import World, edition

# Enough rows that two transactions overlap for a while.
MANY = 30


@pytest.fixture
def worlds(store: Store, neighbour: Store) -> tuple[World, World]:
    """Two processes on the same database. Within one, SQLite's writers wait in line before that."""
    return World(store), World(neighbour)


async def chats_of(world: World, number: int) -> list[Chat]:
    async with world.store.write() as work:
        chats = [await work.chats.ensure(place(str(n))) for n in range(number)]
        await work.commit()
    return chats


async def test_a_chat_that_both_meet_is_made_once(worlds: tuple[World, World]) -> None:
    one, two = worlds
    made = await asyncio.gather(*(world.chat(str(n)) for n in range(10) for world in (one, two)))
    assert len({chat.id for chat in made}) == 10


async def test_both_follow_and_one_is_told_that_it_was_new(worlds: tuple[World, World]) -> None:
    one, two = worlds
    source, chat = await one.source(), await one.chat()
    added = await asyncio.gather(one.follow(chat, source), two.follow(chat, source))
    assert sorted(added) == [False, True]


async def test_both_store_the_same_posts_and_each_is_stored_once(worlds: tuple[World, World]) -> None:
    one, two = worlds
    source = await one.source()
    posts = [new_post(str(n), text="antenna") for n in range(MANY)]
    stored = await asyncio.gather(one.posts(source, *posts), two.posts(source, *posts))
    assert sum(map(len, stored)) == MANY
    async with one.store.read() as work:
        assert len((await work.posts.known([source.id]))[source.id]) == MANY


async def test_both_change_different_posts_and_neither_change_is_lost(worlds: tuple[World, World]) -> None:
    one, two = worlds
    source = await one.source()
    ids = await one.posts(source, *(new_post(str(n), text="antenna") for n in range(MANY)))

    async def change(world: World, mine: list[int], text: str) -> None:
        async with world.store.write() as work:
            await work.posts.update([(post_id, new_post(text=text)) for post_id in mine], NOW)
            await work.commit()

    await asyncio.gather(change(one, ids[::2], "aerial"), change(two, ids[1::2], "mast"))
    async with one.store.read() as work:
        texts = Counter(post.text for post in await work.posts.by_ids(ids))
    assert texts == {"aerial": MANY / 2, "mast": MANY / 2}
    assert await one.search("antenna") == ()


async def test_a_lease_goes_to_one_of_them(worlds: tuple[World, World]) -> None:
    async def take(world: World, holder: str) -> int | None:
        async with world.store.write() as work:
            epoch = await work.leases.take("telegram", holder, NOW, after(1), force=False)
            await work.commit()
        return epoch

    one, two = worlds
    taken = await asyncio.gather(*(take(world, f"{n}") for n in range(5) for world in (one, two)))
    # A holder may renew: its two calls get the same epoch.
    assert {epoch for epoch in taken if epoch is not None} == {1}
    assert taken.count(1) <= 2


@pytest.mark.parametrize("reverse", [False, True])
async def test_a_post_that_comes_from_two_sources_at_once_is_reserved_once(
    worlds: tuple[World, World], reverse: bool
) -> None:
    one, two = worlds
    first, second = await one.source("first"), await one.source("second")
    chats = await chats_of(one, MANY)
    async with one.store.write() as work:
        for chat in chats:
            await work.subscriptions.add(chat.id, first.id)
        # Rows that lie in another order are locked in another order.
        for chat in reversed(chats) if reverse else chats:
            await work.subscriptions.add(chat.id, second.id)
        await work.commit()
    posts = [new_post(str(n)) for n in range(3)]
    await asyncio.gather(one.publish(first, *posts), two.publish(second, *posts))
    promised = Counter((sent.chat.id, post) for sent in await one.found() for post in sent.posts)
    assert set(promised.values()) == {1}
    assert Counter(chat for chat, _ in promised) == {chat.id: 3 for chat in chats}


async def test_reservations_in_opposite_order_do_not_deadlock(worlds: tuple[World, World]) -> None:
    one, two = worlds
    source = await one.source()
    chat = await one.follower(source)
    a, b = await one.posts(source, "a", "b")
    two_has_begun = asyncio.Event()

    async def first() -> None:
        async with one.store.write() as work:
            await work.outbox.fan_out(await edition(work, a), source, NOW)
            second_unit = asyncio.create_task(second())
            with contextlib.suppress(TimeoutError):
                # It should have to wait for us, so this is long for the broken case only.
                await asyncio.wait_for(two_has_begun.wait(), 0.1)
            await work.outbox.fan_out(await edition(work, b), source, NOW)
            await work.commit()
        await second_unit

    async def second() -> None:
        async with two.store.write() as work:
            await work.outbox.fan_out(await edition(work, b), source, NOW)
            two_has_begun.set()
            await work.outbox.fan_out(await edition(work, a), source, NOW)
            await work.commit()

    await first()
    assert sorted(await one.waiting(chat)) == [(a,), (b,)]


async def test_one_post_that_two_processes_deliver_is_reserved_once(worlds: tuple[World, World]) -> None:
    one, two = worlds
    source = await one.source()
    chats = await chats_of(one, 10)
    async with one.store.write() as work:
        for chat in chats:
            await work.subscriptions.add(chat.id, source.id)
        await work.commit()
    ids = await one.posts(source, "a")

    async def fan_out(world: World) -> int:
        async with world.store.write() as work:
            made = await work.outbox.fan_out(await edition(work, *ids), source, NOW)
            await work.commit()
        return made

    assert sum(await asyncio.gather(fan_out(one), fan_out(two))) == len(chats)
    assert Counter(delivery.chat.id for delivery in await one.found()) == {chat.id: 1 for chat in chats}


async def test_a_delivery_is_taken_by_one_of_them(worlds: tuple[World, World]) -> None:
    one, two = worlds
    chats = await chats_of(one, MANY)
    async with one.store.write() as work:
        for chat in chats:
            await work.outbox.deliver(await edition(work, body="Hello"), chat.id, NOW)
        await work.commit()
    taken = await asyncio.gather(*(world.claim(7) for world in (one, two.as_holder(2)) for _ in range(5)))
    ids = [delivery.id for batch in taken for delivery in batch]
    assert len(ids) == len(set(ids))
    rest = await one.claim()
    assert len(ids) + len(rest) == MANY


async def test_marks_and_cancellations_do_not_deadlock(worlds: tuple[World, World]) -> None:
    one, two = worlds
    source = await one.source()
    chats = await chats_of(one, MANY)
    async with one.store.write() as work:
        for chat in chats:
            await work.subscriptions.add(chat.id, source.id)
        await work.commit()
    await one.publish(source, "a")
    taken = await one.claim()
    parts = [part(delivery.id, posts=delivery.posts) for delivery in taken]
    await one.begin(*parts)
    marks = [
        mark
        for sending in reversed(parts)
        for mark in (
            PartEnded(replace(sending, state=PartState.SENT, sent=Sent("1", ("1",))), sending.posts),
            Closed(sending.delivery_id, DeliveryState.SENT),
        )
    ]
    await asyncio.gather(one.mark(*marks), two.cancel("removed", source=source))
    ended = await one.found(DeliveryFilter(states=[DeliveryState.SENT, DeliveryState.CANCELLED]))
    assert len(ended) == MANY
    async with one.store.write() as work:
        again = await edition(work, *taken[0].posts)
        for delivery in taken:
            assert not await work.outbox.deliver(again, delivery.chat.id, NOW), "what arrived stays sent"


async def test_a_writer_that_fails_does_not_hold_up_the_others(store: Store) -> None:
    async def fail() -> None:
        async with store.write() as work:
            await work.chats.ensure(place("1"))
            raise LookupError

    async def succeed() -> None:
        async with store.write() as work:
            await work.chats.ensure(place("2"))
            await work.commit()

    results = await asyncio.gather(fail(), succeed(), fail(), succeed(), return_exceptions=True)
    assert [type(result) for result in results] == [LookupError, type(None), LookupError, type(None)]
    async with store.read() as work:
        assert [chat.place.address for chat in await work.chats.all()] == ["2"]


async def test_a_cancelled_writer_frees_its_turn(store: Store) -> None:
    holding, go_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with store.write() as work:
            await work.chats.ensure(place("1"))
            holding.set()
            await go_on.wait()

    async def write() -> None:
        async with store.write() as work:
            await work.chats.ensure(place("1"))
            await work.commit()

    holder = asyncio.create_task(hold())
    await holding.wait()
    writer = asyncio.create_task(write())
    holder.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holder
    await writer
    async with store.read() as work:
        assert len(await work.chats.all()) == 1
