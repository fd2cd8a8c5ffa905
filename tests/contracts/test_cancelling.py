"""What people and events do to deliveries: cancel, withdraw, postpone, retry."""

from dataclasses import replace

from content.types import Source
from scheduler.ports import Closed, DeliveryFilter, PartEnded
from scheduler.types import Chat, DeliveryState, PartState
from tests.builders import NOW, after, part
from tests.contracts.world import World


async def test_cancelling_a_chat_closes_all_that_waits_for_it(world: World) -> None:
    source = await world.source()
    chat, other = await world.follower(source, address="1"), await world.follower(source, address="2")
    (a,) = await world.publish(source, "a")
    (b,) = await world.publish(source, "b")
    await world.deliver(chat, body="Hello")
    await world.claim()
    assert await world.cancel("blocked", chat=chat) == 3
    for closed in await world.of(chat):
        assert (closed.state, closed.reason) == (DeliveryState.CANCELLED, "blocked")
    assert [delivery.posts for delivery in await world.of(other)] == [(a,), (b,)]
    assert await world.deliver(chat, a, b), "what was reserved is free"


async def test_cancelling_leaves_alone_what_has_ended(world: World) -> None:
    chat = await world.chat()
    a, b = await world.posts(await world.source(), "a", "b")
    await world.deliver(chat, a)
    await world.deliver(chat, b)
    (sent,) = await world.claim()
    await world.send(sent)
    (failed,) = await world.claim()
    await world.mark(Closed(failed.id, DeliveryState.FAILED, "rejected"))
    assert await world.cancel("blocked", chat=chat) == 0
    assert [d.state for d in await world.of(chat)] == [DeliveryState.SENT, DeliveryState.FAILED]
    assert not await world.deliver(chat, a, b)


async def two_sources(world: World) -> tuple[Source, Source, Chat, Chat, list[int]]:
    """Two chats for each of which a post of either source waits."""
    first, second = await world.source("first"), await world.source("second")
    chats = [await world.follower(first, second, address=address) for address in "12"]
    ids = [*await world.publish(first, "a"), *await world.publish(second, "b")]
    return first, second, chats[0], chats[1], ids


async def test_cancelling_a_source_closes_what_waits_of_it_everywhere(world: World) -> None:
    first, _, chat, other, (a, b) = await two_sources(world)
    assert await world.cancel("removed", source=first) == 2
    assert await world.waiting(chat) == await world.waiting(other) == [(b,)]
    assert len(await world.found(DeliveryFilter(states=[DeliveryState.CANCELLED], reason="removed"))) == 2
    assert await world.deliver(chat, a)


async def test_cancelling_a_source_for_one_chat(world: World) -> None:
    _, second, chat, other, (a, b) = await two_sources(world)
    assert await world.cancel("unsubscribed", chat=chat, source=second) == 1
    assert await world.waiting(chat) == [(a,)]
    assert await world.waiting(other) == [(a,), (b,)]


async def test_cancelling_a_source_keeps_notices(world: World) -> None:
    source = await world.source()
    chat = await world.chat()
    await world.deliver(chat, body="Hello")
    assert await world.cancel("removed", source=source) == 0
    assert await world.waiting(chat) == [()]


async def test_an_edition_of_several_sources_goes_on_without_the_removed_one(world: World) -> None:
    first, second = await world.source("first"), await world.source("second")
    chat = await world.chat()
    (a,), (b,) = await world.posts(first, "a"), await world.posts(second, "b")
    await world.deliver(chat, a, b)
    assert await world.cancel("removed", source=first) == 0
    assert await world.waiting(chat) == [(b,)]
    assert await world.deliver(chat, a), "what was withdrawn is free"
    assert await world.cancel("removed", chat=chat, source=second) == 1
    assert await world.waiting(chat) == [(a,)]


async def test_an_edition_that_has_begun_keeps_its_posts(world: World) -> None:
    first, second = await world.source("first"), await world.source("second")
    chat = await world.chat()
    (a,), (b,) = await world.posts(first, "a"), await world.posts(second, "b")
    await world.deliver(chat, a, b)
    (taken,) = await world.claim()
    await world.begin(part(taken.id, posts=(a, b)))
    assert await world.cancel("removed", source=first) == 0
    (edition,) = await world.of(chat)
    assert (edition.state, edition.posts) == (DeliveryState.CLAIMED, (a, b))


async def test_withdrawing_for_one_chat_leaves_the_others_alone(world: World) -> None:
    first, second = await world.source("first"), await world.source("second")
    chat, other = await world.chat("1"), await world.chat("2")
    (a,), (b,) = await world.posts(first, "a"), await world.posts(second, "b")
    await world.deliver(chat, a, b)
    await world.deliver(other, a, b)
    await world.cancel("unsubscribed", chat=chat, source=first)
    assert await world.waiting(chat) == [(b,)]
    assert await world.waiting(other) == [(a, b)]


async def test_what_is_left_of_a_removed_source_can_be_claimed_and_sent(world: World) -> None:
    first, second = await world.source("first"), await world.source("second")
    chat = await world.chat()
    (a,), (b,) = await world.posts(first, "a"), await world.posts(second, "b")
    await world.deliver(chat, a, b)
    async with world.store.write() as work:
        await work.outbox.cancel("removed", NOW, source_id=first.id)
        await work.sources.remove(first.id)
        await work.commit()
    (taken,) = await world.claim()
    assert taken.posts == (b,)
    await world.send(taken)


async def test_postponing_a_chat_moves_all_that_waits(world: World) -> None:
    chat, other = await world.chat("1"), await world.chat("2")
    for receiver in (chat, chat, other):
        await world.deliver(receiver, body="Hello")
    async with world.store.write() as work:
        await work.outbox.postpone_chat(chat.id, after(60), "the topic is closed")
        await work.commit()
    assert [taken.chat.id for taken in await world.claim()] == [other.id]
    assert {(d.due_at, d.reason) for d in await world.of(chat)} == {(after(60), "the topic is closed")}


async def test_retry_opens_what_failed_or_was_held(world: World) -> None:
    source = await world.source()
    for address in "1234":
        await world.follower(source, address=address)
    (post,) = await world.publish(source, "a")
    failed, held, cancelled, sent = await world.claim()
    await world.mark(
        Closed(failed.id, DeliveryState.FAILED, "rejected"),
        Closed(held.id, DeliveryState.HELD, "it may have arrived"),
        Closed(cancelled.id, DeliveryState.CANCELLED, "blocked"),
    )
    await world.send(sent)
    assert await world.retry(now=after(9)) == 2
    opened = await world.claim(now=after(9))
    assert [(d.id, d.attempts, d.reason, d.posts, d.due_at) for d in opened] == [
        (failed.id, 0, "", (post,), after(9)),
        (held.id, 0, "", (post,), after(9)),
    ]
    for delivery in opened:
        await world.send(delivery)
    again = [await world.deliver(delivery.chat, post) for delivery in (failed, held, cancelled, sent)]
    assert again == [False, False, True, False]


async def test_retry_takes_only_what_the_filter_names(world: World) -> None:
    source = await world.source()
    chat, _ = await world.follower(source, address="1"), await world.follower(source, address="2")
    await world.publish(source, "a")
    first, second = await world.claim()
    await world.mark(
        Closed(first.id, DeliveryState.FAILED, "Bad Request: too long"),
        Closed(second.id, DeliveryState.FAILED, "100% wrong"),
    )
    assert await world.retry(DeliveryFilter(reason="bad request", chat_id=second.chat.id)) == 0
    assert await world.retry(DeliveryFilter(broadcast_id=first.broadcast_id + 1)) == 0
    assert await world.retry(DeliveryFilter(states=[DeliveryState.HELD])) == 0
    assert await world.retry(DeliveryFilter(reason="0%")) == 1
    assert await world.retry(DeliveryFilter(reason="bad request")) == 1
    assert await world.retry() == 0
    assert len(await world.waiting(chat)) == 1


async def test_a_retried_delivery_remembers_what_arrived(world: World) -> None:
    chat = await world.chat()
    a, b = await world.posts(await world.source(), "a", "b")
    await world.deliver(chat, a, b)
    (taken,) = await world.claim()
    first, second = part(taken.id, 0, posts=(a,)), part(taken.id, 1, posts=(b,))
    await world.begin(first, second)
    arrived, failed = replace(first, state=PartState.SENT), replace(second, state=PartState.FAILED)
    await world.mark(
        PartEnded(arrived, (a,)), PartEnded(failed), Closed(taken.id, DeliveryState.FAILED, "rejected")
    )
    await world.retry()
    (again,) = await world.claim()
    assert (again.parts, again.posts) == ((arrived, failed), (a, b))
