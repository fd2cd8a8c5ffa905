"""Digests and the posts that wait for them, drafts, and how far broadcasts are."""

from dataclasses import replace

import pytest

from content.types import Visibility
from scheduler.ports import Closed, Store
from scheduler.types import (
    Broadcast,
    BroadcastKind,
    Chat,
    ChatState,
    DeliveryState,
    Digest,
    Draft,
    DraftState,
    Progress,
    Rest,
    WhenEmpty,
)
from tests.builders import NOW, after, new_post, part
from tests.contracts.world import World


async def with_digest(world: World, chat: Chat, minutes: float = 0) -> Digest:
    """A daily digest of the chat, for which all that it follows now waits."""
    digest = Digest(0, chat.id, "daily 09:00", "Asia/Shanghai", after(minutes))
    async with world.store.write() as work:
        saved = await work.digests.save(digest)
        await work.subscriptions.assign([one.id for one in await work.subscriptions.of(chat.id)], saved.id)
        await work.commit()
    return saved


async def waiting(world: World, chat: Chat) -> list[int]:
    """What waits for the chat's only digest."""
    async with world.store.read() as work:
        (digest,) = await work.digests.of(chat.id)
        return list(await work.digests.waiting(digest))


async def test_a_digest_comes_back_as_it_was_saved(world: World, store: Store) -> None:
    chat = await world.chat()
    made = await with_digest(world, chat)
    changed = replace(
        made,
        recurrence="weekly mon 18:30",
        timezone="Europe/Paris",
        next_run_at=after(60),
        last_run_at=NOW,
        title="周报",
        max_posts=5,
        when_empty=WhenEmpty.SAY,
        name="weekly",
        rest=Rest.NEXT,
        paused=True,
    )
    async with store.write() as work:
        assert await work.digests.save(changed) == changed
        await work.commit()
    async with store.read() as work:
        assert await work.digests.of(chat.id) == [changed]
        assert await work.digests.get(changed.id) == changed
        assert await work.digests.of(chat.id + 1) == []
        assert await work.digests.all() == [changed]


async def test_a_digest_is_due_at_its_time(world: World, store: Store) -> None:
    later = await with_digest(world, await world.chat("1"), 5)
    now = await with_digest(world, await world.chat("2"), 0)
    async with store.read() as work:
        assert await work.digests.due(after(-1)) == []
        assert await work.digests.due(NOW) == [now]
        assert await work.digests.due(after(5)) == [now, later]


async def test_a_removed_digest_leaves_its_broadcasts(world: World, store: Store) -> None:
    chat = await world.chat()
    digest = await with_digest(world, chat)
    async with store.write() as work:
        slot = Broadcast(BroadcastKind.EDITION, digest_id=digest.id, slot=NOW)
        made = await work.outbox.broadcast(slot, NOW)
        assert made is not None
        await work.outbox.deliver(made, chat.id, NOW)
        await work.digests.remove(digest.id)
        await work.commit()
    async with store.read() as work:
        assert await work.digests.all() == []
    assert len(await world.of(chat)) == 1


async def test_a_slot_runs_once(world: World, store: Store) -> None:
    chat, other = await world.chat("1"), await world.chat("2")
    digests = [await with_digest(world, chat), await with_digest(world, other)]
    async with store.write() as work:

        async def run(digest: Digest, minutes: float | None) -> int | None:
            slot = None if minutes is None else after(minutes)
            broadcast = Broadcast(BroadcastKind.EDITION, digest_id=digest.id, slot=slot)
            return await work.outbox.broadcast(broadcast, NOW)

        assert await run(digests[0], 0) is not None
        assert await run(digests[0], 0) is None
        assert await run(digests[1], 0) is not None
        assert await run(digests[0], 1) is not None
        assert await run(digests[0], None) is not None, "sent at once, by hand"
        assert await run(digests[0], None) is not None
        await work.commit()


async def test_a_digest_delivery_knows_its_title_and_what_was_left_out(world: World, store: Store) -> None:
    chat = await world.chat()
    digest = await with_digest(world, chat)
    (post,) = await world.posts(await world.source(), "a")
    async with store.write() as work:
        broadcast = Broadcast(BroadcastKind.EDITION, (post,), "周报", 3, digest_id=digest.id, slot=NOW)
        made = await work.outbox.broadcast(broadcast, NOW)
        assert made is not None
        assert await work.outbox.deliver(made, chat.id, NOW)
        await work.commit()
    (delivery,) = await world.of(chat)
    shown = delivery.broadcast
    assert (shown.title, shown.more, shown.digest_id, shown.slot) == ("周报", 3, digest.id, NOW)


async def test_what_is_followed_for_the_digest_waits_and_is_not_sent_at_once(world: World) -> None:
    source, other = await world.source("feed"), await world.source("other")
    chat = await world.follower(source)
    await with_digest(world, chat)
    a, b = await world.publish(source, "a", "b")
    await world.publish(other, "c")
    assert await world.of(chat) == []
    assert await waiting(world, chat) == [a, b]


async def test_a_subscription_made_beside_a_digest_waits_for_it(world: World, store: Store) -> None:
    source, chat = await world.source(), await world.chat()
    await with_digest(world, chat)
    await world.posts(source, "old")
    await world.follow(chat, source)
    (new,) = await world.publish(source, "new")
    assert (await world.of(chat), await waiting(world, chat)) == ([], [new])
    async with store.write() as work:
        await work.subscriptions.assign([one.id for one in await work.subscriptions.of(chat.id)], None)
        await work.commit()
    assert await waiting(world, chat) == []


async def test_what_was_promised_sent_or_skipped_does_not_wait(world: World, store: Store) -> None:
    source = await world.source()
    chat, other = await world.follower(source, address="1"), await world.follower(source, address="2")
    await with_digest(world, chat)
    a, b, c = await world.posts(source, "a", "b", "c")
    await world.deliver(chat, a)
    await world.deliver(other, c)
    async with store.write() as work:
        await work.outbox.skip(chat.id, [b], "beyond the maximum")
        await work.commit()
    assert await waiting(world, chat) == [c]


async def test_the_same_post_of_two_sources_waits_once(world: World) -> None:
    first, second = await world.source("first"), await world.source("second")
    chat = await world.follower(first, second)
    await with_digest(world, chat)
    (a,) = await world.posts(first, new_post("a", key="shared"))
    await world.posts(second, new_post("b", key="shared"))
    assert await waiting(world, chat) == [a]


@pytest.mark.parametrize("visibility", list(Visibility))
async def test_all_means_the_public_ones_in_a_digest_too(world: World, visibility: Visibility) -> None:
    source = await world.source("feed", visibility)
    chat = await world.follower(None)
    await with_digest(world, chat)
    ids = await world.posts(source, "a")
    expected = ids if visibility is Visibility.PUBLIC else []
    assert await waiting(world, chat) == expected


async def test_a_specific_subscription_overrides_all_in_a_digest_too(world: World) -> None:
    source, other = await world.source("feed"), await world.source("other")
    chat = await world.follower(None)
    await with_digest(world, chat)
    await world.posts(source, "old")
    await world.follow(chat, source)
    new, also = [*await world.posts(source, "new"), *await world.posts(other, "b")]
    assert await waiting(world, chat) == [new, also]


async def test_advance_passes_what_is_settled(world: World, store: Store) -> None:
    source = await world.source()
    chat = await world.follower(source)
    digest = await with_digest(world, chat)
    (early,) = await world.posts(source, "early")
    async with store.write() as work:
        (late,) = await work.posts.insert(source.id, [new_post("late")], after(10))
        await work.digests.advance(digest.id, after(5))
        await work.commit()
    async with store.read() as work:
        assert [s.starts_after for s in await work.subscriptions.of(chat.id)] == [early]
    assert await waiting(world, chat) == [late]


async def test_advance_never_goes_back_and_leaves_others_alone(world: World, store: Store) -> None:
    source = await world.source()
    instant = await world.follower(source, address="1")
    await world.posts(source, "a")
    async with store.write() as work:
        (newest,) = await work.posts.insert(source.id, [new_post("b")], after(10))
        await work.commit()
    chat = await world.follower(source, address="2")
    digest = await with_digest(world, chat)
    async with store.write() as work:
        await work.digests.advance(digest.id, after(5))
        await work.commit()
    async with store.read() as work:
        assert [s.starts_after for s in await work.subscriptions.of(chat.id)] == [newest]
        assert [s.starts_after for s in await work.subscriptions.of(instant.id)] == [0]


@pytest.mark.parametrize("keeps_its_own", [True, False])
async def test_a_digest_moves_with_its_chat(world: World, store: Store, keeps_its_own: bool) -> None:
    old, new = await world.chat("1"), await world.chat("-100")
    theirs = await with_digest(world, new, 5)
    mine = await with_digest(world, old, 9) if keeps_its_own else None
    await world.move("1", "-100")
    async with store.read() as work:
        assert await work.digests.all() == [mine or replace(theirs, chat_id=old.id)]


async def test_drafts_go_one_way(world: World, store: Store) -> None:
    chat = await world.chat()
    preview = Draft(0, chat.id, "telegram:1", "天波", False, DraftState.PREVIEW, None, NOW)
    async with store.write() as work:
        made = await work.drafts.add(preview)
        assert await work.drafts.get(made.id) == made == replace(preview, id=made.id)
        assert await work.drafts.get(made.id + 1) is None
        assert not await work.drafts.set_state(made.id, DraftState.PREVIEW)
        assert await work.drafts.set_state(made.id, DraftState.SCHEDULED, everywhere=True)
        assert await work.drafts.get(made.id) == replace(made, state=DraftState.SCHEDULED, everywhere=True)
        assert await work.drafts.set_state(made.id, DraftState.PUBLISHED)
        assert not await work.drafts.set_state(made.id, DraftState.PUBLISHED)
        assert not await work.drafts.set_state(made.id, DraftState.DISCARDED)
        published = await work.drafts.get(made.id)
        assert published is not None and (published.state, published.everywhere) == (
            DraftState.PUBLISHED,
            True,
        )
        await work.commit()


async def test_scheduled_drafts_are_due_at_their_time(world: World, store: Store) -> None:
    chat = await world.chat()
    async with store.write() as work:

        async def add(state: DraftState, minutes: float) -> Draft:
            return await work.drafts.add(Draft(0, chat.id, "a", "text", False, state, after(minutes), NOW))

        later, now = await add(DraftState.SCHEDULED, 5), await add(DraftState.SCHEDULED, 0)
        await add(DraftState.PREVIEW, 0)
        await add(DraftState.DISCARDED, 0)
        assert await work.drafts.due(after(-1)) == []
        assert await work.drafts.due(NOW) == [now]
        assert await work.drafts.due(after(9)) == [now, later]
        assert {draft.id for draft in await work.drafts.scheduled()} == {now.id, later.id}
        await work.commit()


async def test_progress_counts_the_deliveries_of_each_broadcast(world: World, store: Store) -> None:
    source = await world.source()
    for address in "123456":
        await world.follower(source, address=address)
    await world.follow(await world.chat("1", platform="discord"), source)
    await world.publish(source, new_post("a", title="天波"))
    await world.deliver(await world.chat("7"), body="Hello", now=after(1))
    sent, failed, held, cancelled, unknown, _, notice = await world.claim(now=after(1))
    await world.send(sent)
    await world.mark(
        Closed(failed.id, DeliveryState.FAILED, "rejected"),
        Closed(held.id, DeliveryState.HELD, "it may have arrived"),
        Closed(cancelled.id, DeliveryState.CANCELLED, "blocked"),
    )
    await world.begin(part(unknown.id))
    await world.as_holder(2).recover()
    edition, kind = sent.broadcast_id, BroadcastKind.POST
    async with store.read() as work:
        shown = await work.outbox.progress(10)
    assert shown == [
        Progress(notice.broadcast_id, BroadcastKind.NOTICE, "telegram", after(1), "Hello", 0, 1, 0, 0, 0),
        Progress(edition, kind, "discord", NOW, "天波", 0, 1, 0, 0, 0),
        Progress(edition, kind, "telegram", NOW, "天波", 1, 2, 2, 1, 1),
    ]


async def test_progress_shows_the_newest_and_what_is_not_done(world: World, store: Store) -> None:
    chat, other = await world.chat("1"), await world.chat("2")
    await world.deliver(chat, body="done long ago")
    await world.deliver(other, body="still waits")
    for delivery in await world.claim():
        if delivery.chat.id == chat.id:
            await world.send(delivery)
    for text in ("done", "newest"):
        await world.deliver(chat, body=text)
        for delivery in await world.claim():
            await world.send(delivery)
    async with store.read() as work:
        shown = [progress.broadcast_id for progress in await work.outbox.progress(1)]
    bodies = {d.broadcast_id: d.broadcast.body for d in await world.found()}
    assert [bodies[number] for number in shown] == ["newest", "still waits"]


async def test_how_a_chat_is_served_is_saved(world: World, store: Store) -> None:
    chat = await world.chat()
    await world.set_state(chat, ChatState.PAUSED, "no rights")
    served = replace(chat, language="zh", timezone="Asia/Shanghai")
    async with store.write() as work:
        await work.chats.save(served)
        await work.commit()
    async with store.read() as work:
        stored = await work.chats.get(chat.id)
    assert stored == replace(served, state=ChatState.PAUSED, reason="no rights"), "the state is set elsewhere"
