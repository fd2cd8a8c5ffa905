"""Chats vanish, return, pause, and are told things."""

from datetime import timedelta

from scheduler import membership
from scheduler.types import ChatState, Digest, Place
from tests.builders import with_digest
from tests.scheduler.conftest import World


async def test_gone_cancels_what_waits_and_keeps_the_settings(world: World) -> None:
    source = await world.source()
    chat, topic, other = await world.chat("1"), await world.chat("1", "5"), await world.chat("2")
    await world.publish("hello")
    async with world.store.write() as work:
        await membership.deactivate_address(work, "fake", "1", "kicked", world.clock.now())
        await work.commit()
    for gone in (chat, topic):
        now = await world.again(gone)
        assert (now.state, now.reason) == (ChatState.GONE, "kicked")
        assert world.deliveries(gone) == [("cancelled", "kicked")]
        assert world.ledger(gone) == {}
    assert (await world.again(other)).state is ChatState.ACTIVE
    assert world.ledger(other) == {"hello": "reserved"}
    async with world.store.read() as work:
        assert len(await work.subscriptions.of(chat.id)) == 1
    assert source.id


async def test_an_address_comes_back_with_all_its_topics(world: World) -> None:
    await world.source()
    chats = [await world.chat("1"), await world.chat("1", "5")]
    async with world.store.write() as work:
        await membership.deactivate_address(work, "fake", "1", "kicked", world.clock.now())
        await work.commit()
    await world.publish("missed")
    async with world.store.write() as work:
        await membership.reactivate_address(work, "fake", "1", world.clock.now())
        await work.commit()
    await world.publish("missed", "next")
    for chat in chats:
        now = await world.again(chat)
        assert (now.state, now.reason) == (ChatState.ACTIVE, "")
        assert world.ledger(chat) == {"next": "reserved"}


async def test_what_was_paused_is_due_at_once_when_it_is_back(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await world.publish("hello")
    async with world.store.write() as work:
        await membership.pause(work, chat, "no rights")
        await work.outbox.postpone_chat(chat.id, world.clock.now() + timedelta(days=1), "no rights")
        await work.commit()
    async with world.store.write() as work:
        assert not await work.outbox.claim("fake", world.clock.now(), 10, 1)
        await membership.reactivate(work, await world.again(chat), world.clock.now())
        assert len(await work.outbox.claim("fake", world.clock.now(), 10, 1)) == 1
        await work.commit()
    assert world.ledger(chat) == {"hello": "reserved"}


async def test_an_active_chat_keeps_its_place_when_it_is_back(world: World) -> None:
    """A second word from the platform that a chat is there must not skip what waits."""
    await world.source()
    chat = await world.chat()
    await world.publish("hello")
    due = world.sql("SELECT due_at FROM deliveries")
    world.clock.advance(100)
    async with world.store.write() as work:
        await membership.reactivate(work, chat, world.clock.now())
        await work.commit()
    assert world.sql("SELECT due_at FROM deliveries") == due
    assert world.ledger(chat) == {"hello": "reserved"}


async def test_a_notice_reaches_a_place_that_nobody_knew(world: World) -> None:
    async with world.store.write() as work:
        await membership.notify(work, Place("fake", "99"), "hello operator", world.clock.now())
        await work.commit()
        (delivery,) = await work.outbox.claim("fake", world.clock.now(), 10, 1)
    assert delivery.chat.place == Place("fake", "99") and delivery.broadcast.body == "hello operator"


async def test_what_waited_for_the_digest_of_a_chat_that_was_away_is_listed(world: World) -> None:
    """It is left out when the chat comes back, like all that was missed, but not without a word."""
    await world.source()
    chat = await world.chat()
    async with world.store.write() as work:
        await with_digest(work, Digest(0, chat.id, "daily 09:00", "UTC", world.clock.now()))
        await work.commit()
    await world.publish("waited")
    async with world.store.write() as work:
        await membership.deactivate_address(work, "fake", "1", "kicked", world.clock.now())
        await work.commit()
    async with world.store.write() as work:
        await membership.reactivate_address(work, "fake", "1", world.clock.now())
        assert await work.digests.unsent(chat.id) == []
        await work.commit()
    assert world.ledger(chat) == {"waited": "skipped"}
    assert world.sql("SELECT reason FROM ledger") == [(membership.AWAY,)]
