"""Chats that vanish, move or pause during a send, and come back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from scheduler import membership
from scheduler.errors import ChatGone, ChatMoved, ChatPaused
from scheduler.types import Chat, ChatState, Message, Place
from tests.fakes import Fault
from tests.scheduler.conftest import World
from tests.scheduler.delivery.builders import limited, until_quiet, waiting


async def test_a_chat_that_is_gone_gets_nothing_and_comes_back_without_a_flood(world: World) -> None:
    await world.source()
    chat, topic = await world.chat("1"), await world.chat("1", "7")
    other = await world.chat("2")
    await world.publish("one", "two")
    world.platform.faults = [Fault(ChatGone("bot was kicked"), chat.place)]
    dispatcher = world.dispatcher()
    await until_quiet(dispatcher, world)
    for gone in (chat, topic):
        now = await world.again(gone)
        assert (now.state, now.reason) == (ChatState.GONE, "bot was kicked")
    assert world.platform.texts(chat) == []
    assert ("cancelled", "bot was kicked") in world.deliveries(chat)
    assert world.platform.texts(other) == ["one", "two"]
    await world.publish("one", "two", "three")

    async with world.store.write() as work:
        await membership.reactivate_address(work, "fake", "1", world.clock.now())
        await work.commit()
    await world.publish("one", "two", "three", "four")
    await until_quiet(dispatcher, world)
    assert world.platform.texts(chat) == ["four"]
    assert (await world.again(chat)).state is ChatState.ACTIVE


async def test_a_chat_that_moved_gets_what_waits_at_its_new_address(world: World) -> None:
    await world.source()
    chat, topic = await world.chat("1"), await world.chat("1", "7")
    await world.publish("one", "two")
    world.platform.faults = [Fault(ChatMoved("it is a supergroup now", address="-100"), chat.place)]
    await until_quiet(world.dispatcher(), world)
    moved = Place("fake", "-100")
    assert (await world.again(chat)).place == moved
    assert (await world.again(topic)).place == Place("fake", "-100", "7")
    assert [seen.text for seen in world.platform.arrived if seen.place == moved] == ["one", "two"]
    assert world.platform.texts(chat) == []


async def test_a_move_to_a_known_chat_unites_what_both_were_sent(world: World) -> None:
    await world.source()
    old, new = await world.chat("1"), await world.chat("-100")
    await world.publish("one")
    await world.dispatcher().drain()
    world.platform.faults = [Fault(limited(60), old.place)]
    world.platform.faults += [Fault(ChatMoved("moved", address="-100"), old.place)]
    await world.publish("one", "two")
    await until_quiet(world.dispatcher(), world)
    assert world.platform.texts(new) == ["one", "two"]
    assert (await world.again(old)).place == new.place


async def test_a_group_is_told_of_its_topic_in_its_own_language(world: World) -> None:
    await world.source()
    group, topic = await world.chat("1", follows=()), await world.chat("1", "7")
    async with world.store.write() as work:
        await work.chats.save(replace(group, language="zh"))
        await work.commit()
    await world.publish("one")
    world.platform.faults = [Fault(ChatPaused(membership.TOPIC_CLOSED, topic_only=True), topic.place)]
    await world.dispatcher().drain()
    assert world.platform.texts(group) == ["“fake:1/7”：话题已关闭。文章会先排队，恢复后再发送。"]
    assert (await world.again(topic)).reason == "the topic was closed"


async def test_a_closed_topic_waits_and_its_group_is_told_once(world: World) -> None:
    await world.source()
    group, topic = await world.chat("1", follows=()), await world.chat("1", "7")
    await world.publish("one", "two")
    closed = Fault(ChatPaused("the topic is closed", topic_only=True), topic.place)
    world.platform.faults = [closed, closed]
    dispatcher = world.dispatcher()
    await dispatcher.drain()
    paused = await world.again(topic)
    assert (paused.state, paused.reason) == (ChatState.PAUSED, "the topic is closed")
    assert world.platform.texts(group) == [
        "“fake:1/7”: the topic is closed. Posts are queued until it can be written to again."
    ]
    assert world.ledger(topic) == {"one": "reserved", "two": "reserved"}
    await until_quiet(dispatcher, world)
    assert len(world.platform.texts(group)) == 1
    assert world.platform.texts(topic) == ["one", "two"]
    assert (await world.again(topic)).state is ChatState.ACTIVE


async def test_a_paused_chat_is_tried_rarely_and_at_once_when_it_is_back(world: World) -> None:
    chat = await waiting(world, "hello")
    world.platform.faults = [Fault(ChatPaused("no rights"))]
    dispatcher = world.dispatcher()
    await dispatcher.drain()
    world.clock.advance(timedelta(minutes=59).total_seconds())
    await dispatcher.drain()
    assert len(world.platform.attempts) == 1
    async with world.store.write() as work:
        await membership.reactivate_address(work, "fake", "1", world.clock.now())
        await work.commit()
    await dispatcher.drain()
    assert world.platform.texts(chat) == ["hello"]


@pytest.mark.parametrize("topic_only", [False, True])
@pytest.mark.parametrize("state", [ChatState.GONE, ChatState.PAUSED])
async def test_a_send_in_flight_does_not_overwrite_the_newer_state_of_a_chat(
    world: World, state: ChatState, topic_only: bool
) -> None:
    await world.source()
    group, chat = await world.chat("1", follows=()), await world.chat("1", "7")
    await world.publish("hello")

    async def find_out(to: Chat, message: Message, key: str) -> None:
        async with world.store.write() as work:
            if state is ChatState.GONE:
                await membership.deactivate(work, chat, "the topic was deleted", world.clock.now())
            else:
                await membership.pause(work, chat, "give it Embed Links")
            await work.commit()
        raise ChatPaused("Missing Permissions", topic_only=topic_only)

    world.platform.on_send = find_out
    await world.dispatcher().drain()
    known = await world.again(chat)
    assert known.state is state
    assert known.reason != "Missing Permissions"
    assert world.platform.texts(group) == []
