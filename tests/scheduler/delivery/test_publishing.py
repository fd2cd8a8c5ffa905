"""Messages of a chat with `crosspost` are published after they arrived, and nothing is lost by that."""

from datetime import timedelta

import pytest

from scheduler.errors import (
    Ambiguous,
    ChatPaused,
    PlatformStopped,
    RateLimited,
    RateScope,
    Refused,
    SendError,
)
from scheduler.retry import MAX_ATTEMPTS
from scheduler.types import Chat, ChatKind
from tests.scheduler.conftest import World

HOUR = timedelta(hours=1)


async def announcing(world: World, *errors: SendError, text: str = "hello") -> Chat:
    """A chat whose posts are published, with a post waiting; publishing first fails like this."""
    await world.source()
    chat = await world.chat(kind=ChatKind.CHANNEL)
    world.sql("UPDATE chats SET crosspost = 1 WHERE id = ?", chat.id)
    world.platform.unpublished = list(errors)
    await world.publish(text)
    return chat


async def test_every_message_is_published_after_it_arrived(world: World) -> None:
    world.platform.per_message = 1
    chat = await announcing(world, text="one\ntwo")
    other = await world.chat("2")
    await world.publish("three", "one\ntwo")
    await world.dispatcher().drain()
    shown = [seen.key for seen in world.platform.arrived if seen.place == chat.place]
    assert world.platform.published == shown and len(shown) == 3
    assert world.platform.texts(other) == ["three"]
    assert world.deliveries(chat) == [("sent", ""), ("sent", "")]


async def test_a_limit_of_publishing_costs_no_attempt_and_no_second_message(world: World) -> None:
    chat = await announcing(world, RateLimited("ten an hour", retry_after=HOUR, scope=RateScope.CHAT))
    dispatcher = world.dispatcher()
    await dispatcher.drain()
    assert world.ledger(chat) == {"hello": "sent"}
    assert world.sql("SELECT state, attempts FROM deliveries") == [("pending", 0)]
    assert world.deliveries(chat)[0][1] == "arrived, but not published: ten an hour"
    assert world.pacer.chat_wait("1", ChatKind.CHANNEL) == 0  # what is sent is not slowed down by it
    await world.publish("newer", "hello")
    await dispatcher.drain()
    assert world.platform.texts(chat) == ["hello"]  # in order: it waits behind the first
    world.clock.advance(HOUR.total_seconds())
    await dispatcher.drain()
    assert world.platform.texts(chat) == ["hello", "newer"]
    assert world.platform.published == [seen.key for seen in world.platform.arrived]
    assert [state for state, _ in world.deliveries(chat)] == ["sent", "sent"]


async def test_a_kill_between_sending_and_publishing_loses_neither(world: World) -> None:
    chat = await announcing(world, RateLimited("later", retry_after=HOUR, scope=RateScope.CHAT))
    await world.dispatcher().drain()
    world.clock.advance(HOUR.total_seconds())
    async with world.store.write() as work:  # claimed by a process that is killed then
        await work.outbox.claim("fake", world.clock.now(), 10, 1)
        await work.commit()
    after = world.dispatcher(epoch=2)
    assert await after.recover() == 0
    await after.drain()
    assert world.platform.texts(chat) == ["hello"]
    assert world.platform.published == [world.platform.arrived[0].key]


@pytest.mark.parametrize("error", [Refused("overloaded"), Ambiguous("reset")])
async def test_a_passing_fault_is_tried_again_and_given_up_at_last(world: World, error: SendError) -> None:
    chat = await announcing(world, *[error] * MAX_ATTEMPTS)
    dispatcher = world.dispatcher()
    for _ in range(MAX_ATTEMPTS):
        assert world.deliveries(chat)[0][0] == "pending"
        await dispatcher.drain()
        world.clock.advance(HOUR.total_seconds())
    assert world.deliveries(chat) == [("sent", f"arrived, but not published: {error}")]
    assert world.platform.texts(chat) == ["hello"]


async def test_what_nothing_can_change_is_told_and_not_tried_again(world: World) -> None:
    chat = await announcing(world, ChatPaused("no announcement channel"))
    await world.dispatcher().drain()
    assert world.deliveries(chat) == [("sent", "arrived, but not published: no announcement channel")]
    assert (await world.again(chat)).state == "active"


async def test_limits_of_the_platform_and_its_refused_token_are_everybodys(world: World) -> None:
    hold = RateLimited("all", retry_after=timedelta(seconds=50), scope=RateScope.PLATFORM)
    chat = await announcing(world, hold, PlatformStopped("the token is refused"))
    dispatcher = world.dispatcher()
    await dispatcher.drain()
    before = world.clock.monotonic()
    await world.chat("2")
    await world.publish("newer", "hello")
    await dispatcher.drain()
    assert world.clock.monotonic() - before >= 50
    world.clock.advance(60)
    await dispatcher.drain()
    assert str(dispatcher.stopped) == "the token is refused"
    assert world.deliveries(chat)[0][0] == "pending"


async def test_a_chat_that_stops_publishing_gets_its_next_posts(world: World) -> None:
    chat = await announcing(world, RateLimited("ten an hour", retry_after=HOUR, scope=RateScope.CHAT))
    dispatcher = world.dispatcher()
    await dispatcher.drain()
    world.sql("UPDATE chats SET crosspost = 0 WHERE id = ?", chat.id)
    await world.publish("newer", "hello")
    world.clock.advance(HOUR.total_seconds())
    await dispatcher.drain()
    assert world.platform.texts(chat) == ["hello", "newer"]
    assert world.platform.published == []
    assert world.deliveries(chat) == [("sent", ""), ("sent", "")]
