"""Finding, counting and pruning deliveries, and the renderings that they share."""

from scheduler.ports import Closed, DeliveryFilter, Store
from scheduler.types import Broadcast, BroadcastKind, DeliveryState, Headline, PartState
from tests.builders import after, message, part
from tests.contracts.world import World


async def test_find_takes_what_the_filter_names(world: World, store: Store) -> None:
    source = await world.source()
    chat, _ = await world.follower(source, address="1"), await world.follower(source, address="2")
    await world.publish(source, "a")
    await world.publish(source, "b", now=after(1))
    first, second = await world.claim()
    await world.mark(Closed(first.id, DeliveryState.FAILED, "Forbidden: bot was blocked"))
    async with store.read() as work:

        async def ids(**names: object) -> list[int]:
            return [d.id for d in await work.outbox.find(DeliveryFilter(**names), 10)]  # type: ignore[arg-type]

        assert len(await ids()) == 4
        assert await ids(states=[DeliveryState.FAILED, DeliveryState.CLAIMED]) == [second.id, first.id]
        assert await ids(states=[]) == []
        assert len(await ids(chat_id=chat.id)) == 2
        assert await ids(broadcast_id=first.broadcast_id) == [second.id, first.id]
        assert await ids(reason="bot was blocked") == [first.id]
        assert await ids(reason="forbidden") == [first.id]
        assert await ids(reason="%") == []
        assert [d.id for d in await work.outbox.find(DeliveryFilter(), 3)] == sorted(await ids())[:0:-1]


async def test_a_broadcast_is_called_by_its_title_its_first_post_or_its_text(
    world: World, store: Store
) -> None:
    source = await world.source()
    posts = await world.posts(source, "a", "b")
    kinds = (
        Broadcast(BroadcastKind.POST, posts=(posts[1],)),
        Broadcast(BroadcastKind.EDITION, posts=tuple(posts), title="Morning"),
        Broadcast(BroadcastKind.EDITION, posts=tuple(posts)),
        Broadcast(BroadcastKind.NOTICE, body="The topic was closed.\nWhat waits is kept."),
    )
    async with store.write() as work:
        numbers = [await work.outbox.broadcast(kind, after(n)) or 0 for n, kind in enumerate(kinds)]
        named = await work.outbox.headlines(numbers)
        first, second = await work.posts.by_ids(posts)
    titles = [second.title, "Morning", first.title, "The topic was closed."]
    assert [named[number] for number in numbers] == [
        Headline(title, after(n)) for n, title in enumerate(titles)
    ]


async def test_counts_by_state(world: World, store: Store) -> None:
    source = await world.source()
    for address in "123":
        await world.follower(source, address=address)
    await world.publish(source, "a")
    first, second, _ = await world.claim()
    await world.send(first)
    await world.mark(Closed(second.id, DeliveryState.FAILED, "rejected"))
    async with store.read() as work:
        assert dict(await work.outbox.counts()) == {
            DeliveryState.SENT: 1,
            DeliveryState.FAILED: 1,
            DeliveryState.CLAIMED: 1,
        }


async def test_a_rendering_is_stored_once(world: World, store: Store) -> None:
    await world.deliver(await world.chat(), body="Hello")
    (waiting,) = await world.found()
    messages = [message("天波", (1, 2)), message("two")]
    async with store.write() as work:
        assert await work.outbox.rendering("key") is None
        await work.outbox.keep_rendering("key", waiting.broadcast_id, messages)
        await work.outbox.keep_rendering("key", waiting.broadcast_id, [message("later")])
        await work.commit()
    async with store.read() as work:
        assert await work.outbox.rendering("key") == messages


async def test_a_rendering_is_kept_until_its_deliveries_have_ended(world: World, store: Store) -> None:
    source = await world.source()
    await world.follower(source, address="1"), await world.follower(source, address="2")
    await world.publish(source, "a")
    first, second = await world.claim()

    async def kept() -> bool:
        await world.prune(after(-99))
        async with store.read() as work:
            return await work.outbox.rendering("key") is not None

    async with store.write() as work:
        await work.outbox.keep_rendering("key", first.broadcast_id, [message()])
        await work.commit()
    await world.send(first)
    assert await kept(), "the other one is still being sent"
    await world.send(second)
    assert not await kept()


async def test_pruning_forgets_old_deliveries_and_keeps_the_ledger(world: World) -> None:
    chat = await world.chat()
    a, b, c, d = await world.posts(await world.source(), "a", "b", "c", "d")
    for post in (a, b, c, d):
        await world.deliver(chat, post)
    (sent,) = await world.claim()
    await world.send(sent)
    (failed,) = await world.claim()
    await world.mark(Closed(failed.id, DeliveryState.FAILED, "rejected"))
    (cancelled,) = await world.claim()
    await world.mark(Closed(cancelled.id, DeliveryState.CANCELLED, "its posts are gone"), now=after(5))
    assert await world.prune(after(0)) == 0
    assert await world.prune(after(1)) == 1
    assert await world.prune(after(6)) == 1
    assert [delivery.state for delivery in await world.of(chat)] == [
        DeliveryState.FAILED,
        DeliveryState.PENDING,
    ]
    assert not await world.deliver(chat, a), "what was sent stays sent"
    assert await world.retry() == 1


async def test_unknown_outcomes_are_counted_for_ever(world: World, store: Store) -> None:
    await world.deliver(await world.chat(), body="Hello")
    (taken,) = await world.claim()
    await world.begin(part(taken.id))
    newer = world.as_holder(2)
    (left,) = await newer.recover()
    assert left.parts[0].state is PartState.UNKNOWN
    await newer.mark(Closed(taken.id, DeliveryState.SENT))
    await newer.prune(after(60))
    async with store.read() as work:
        assert await work.outbox.unknowns() == 1
