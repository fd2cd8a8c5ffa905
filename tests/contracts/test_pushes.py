"""Pushes: what is due, what stays after a source was removed."""

from dataclasses import replace
from datetime import timedelta

from content.types import HOOK, Source, SourceState, Visibility
from scheduler.ports import Store
from scheduler.push.pushes import Push, PushKind, PushState, new_hook, new_subscription
from tests.builders import NOW, after
from tests.contracts.world import World

HUB, TOPIC = "https://hub.example/", "https://example.org/feed"


async def added(store: Store, push: Push) -> Push:
    async with store.write() as work:
        stored = await work.pushes.add(push)
        await work.commit()
    return stored


async def due(store: Store, minutes: float = 0) -> list[tuple[int, bool]]:
    async with store.read() as work:
        return [(push.id, is_read) for push, is_read in await work.pushes.due(after(minutes), 10)]


async def set_state(store: Store, source: Source, state: SourceState) -> None:
    async with store.write() as work:
        await work.sources.set_state(source.id, state)
        await work.commit()


async def test_a_push_is_stored_and_found_by_its_address_alone(store: Store, world: World) -> None:
    source = await world.source()
    push = await added(store, new_subscription(source.id, HUB, TOPIC, NOW))
    changed = replace(
        push,
        state=PushState.ACTIVE,
        next_at=after(45),
        lease_until=after(60),
        last_at=NOW,
        seen=("one", "two"),
        failures=3,
        reason="why",
    )
    async with store.write() as work:
        await work.pushes.save(changed)
        await work.sources.set_pushed(source.id, after(60))
        await work.commit()
    async with store.read() as work:
        assert await work.pushes.get(push.id) == changed
        assert await work.pushes.of_source(source.id) == changed
        assert await work.pushes.by_token(PushKind.WEBSUB, push.token) == changed
        assert await work.pushes.by_token(PushKind.HOOK, push.token) is None
        assert await work.pushes.by_token(PushKind.WEBSUB, push.token[:-1]) is None
        assert list(await work.pushes.all()) == [changed]
        found = await work.sources.get(source.id)
    assert found is not None and found.is_pushed(after(59)) and not found.is_pushed(after(60))
    assert push.secret not in repr(changed) and push.token not in repr(changed)


async def test_a_save_of_a_source_leaves_what_a_push_has_recorded(store: Store, world: World) -> None:
    source = await world.source()
    async with store.write() as work:
        await work.sources.set_pushed(source.id, after(60))
        await work.sources.save(replace(source, title="other"))
        await work.commit()
    async with store.read() as work:
        found = await work.sources.get(source.id)
    assert found is not None and (found.title, found.pushed_until) == ("other", after(60))


async def test_what_is_due(store: Store, world: World) -> None:
    source = await world.source()
    push = await added(store, replace(new_subscription(source.id, HUB, TOPIC, after(10))))
    await added(store, new_hook((await world.source("hooked")).id))
    assert await due(store) == []
    assert await due(store, 10) == [(push.id, True)]
    await set_state(store, source, SourceState.PAUSED)
    assert await due(store) == [(push.id, False)], "a subscription of a paused source is to be ended"
    async with store.write() as work:
        await work.pushes.save(replace(push, state=PushState.ENDED, next_at=None))
        await work.commit()
    assert await due(store) == []
    await set_state(store, source, SourceState.ACTIVE)
    assert await due(store) == [(push.id, True)], "a source that is read again is subscribed again"


async def test_a_private_source_without_followers_is_not_read(store: Store, world: World) -> None:
    source = await world.source(visibility=Visibility.PRIVATE)
    push = await added(store, new_subscription(source.id, HUB, TOPIC, after(10)))
    assert await due(store) == [(push.id, False)]
    await world.follower(source)
    assert await due(store) == []


async def test_a_removed_source_leaves_its_subscription_to_be_ended_and_no_hook(
    store: Store, world: World
) -> None:
    subscribed, hooked = await world.source("one"), await world.source("two")
    push = await added(store, new_subscription(subscribed.id, HUB, TOPIC, after(10)))
    await added(store, new_hook(hooked.id))
    async with store.write() as work:
        await work.sources.remove(subscribed.id)
        await work.sources.remove(hooked.id)
        await work.commit()
    async with store.read() as work:
        assert list(await work.pushes.all()) == [replace(push, source_id=None)]
    assert await due(store) == [(push.id, False)]


async def test_a_hook_is_never_polled(store: Store) -> None:
    async with store.write() as work:
        source = await work.sources.add(HOOK, "hook:builds", "builds", Visibility.PUBLIC)
        await work.commit()
    async with store.read() as work:
        assert await work.sources.due(NOW + timedelta(days=9)) == await work.sources.polled() == []
        assert await work.sources.last_read() is None
        assert [one.id for one in await work.sources.all()] == [source.id]
