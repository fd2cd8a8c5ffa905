"""What is forgotten with time, and what never is."""

from dataclasses import replace
from datetime import timedelta

import pytest

from content.types import KnownPost, PostQuery, Source, SourceState, Visibility
from scheduler.actions import sources
from scheduler.actions.audit import COMMAND_LINE, UPKEEP
from scheduler.ports import Closed, DeliveryFilter, Found, Store
from scheduler.types import ChatState, DeliveryState, Digest, Draft, DraftState
from scheduler.upkeep import UNFOLLOWED, Keep, Upkeep
from tests import builders
from tests.builders import NOW, after, new_post
from tests.contracts.world import World
from tests.fakes import FakeClock

DEFAULTS = Keep()
OLD = NOW - timedelta(days=800)
DAY = 24 * 60.0  # minutes


async def upkeep(store: Store, days: float = 0, keep: Keep = DEFAULTS) -> None:
    """Upkeep as many days after NOW."""
    clock = FakeClock()
    clock.advance(days * 86_400)
    await Upkeep(store, clock, keep).run()


async def add_posts(store: Store, source: Source, *guids: str, days: float = -800) -> list[int]:
    async with store.write() as work:
        posts = [new_post(guid, text=f"antenna {guid}") for guid in guids]
        ids = await work.posts.insert(source.id, posts, after(days * DAY))
        await work.commit()
    return list(ids)


async def prune_posts(store: Store, keep: int) -> list[int]:
    """What is forgotten of posts older than two years, but the newest of each source."""
    async with store.read() as work:
        ids = [post_id for post_id, _ in await work.posts.prunable(after(-730 * DAY), keep, 1000)]
    async with store.write() as work:
        assert await work.posts.forget(ids, NOW) == len(ids)
        await work.commit()
    return ids


async def known(store: Store, source: Source) -> list[KnownPost]:
    async with store.read() as work:
        return list((await work.posts.known([source.id]))[source.id])


async def with_digest(store: Store, chat_id: int) -> None:
    async with store.write() as work:
        await builders.with_digest(work, Digest(0, chat_id, "daily 09:00", "UTC", after(1)))
        await work.commit()


# Posts


async def test_old_posts_go_but_the_newest_of_each_source_stay(world: World, store: Store) -> None:
    busy, quiet = await world.source("busy"), await world.source("quiet")
    first, second, third = await add_posts(store, busy, "a", "b", "c")
    lone = await add_posts(store, quiet, "x")
    recent = await add_posts(store, busy, "d", days=-1)
    assert await prune_posts(store, keep=2) == [first, second]
    async with store.read() as work:
        assert [post.id for post in await work.posts.by_ids([first, second, third, *lone, *recent])] == [
            third,
            *lone,
            *recent,
        ]
    assert set(await world.search("antenna")) == {third, *lone, *recent}


async def test_of_a_source_so_many_stay_and_it_knows_how_many_it_has(world: World, store: Store) -> None:
    busy, quiet = await world.source("busy"), await world.source("quiet")
    ids = await add_posts(store, busy, *"abcde", days=0)
    lone = await add_posts(store, quiet, "x", days=0)
    await add_posts(store, busy, "a", days=0)  # another process stored it already
    scopes = [PostQuery(), PostQuery(source_id=busy.id), PostQuery(anchor=ids[2])]

    async def totals() -> list[int]:
        async with store.read() as work:
            return [(await work.posts.page(scope))[1] for scope in scopes]

    assert await totals() == [6, 5, 3]
    await upkeep(store, days=1, keep=Keep(of_source=3))
    assert await totals() == [4, 3, 1]
    async with store.read() as work:
        assert [post.id for post in await work.posts.by_ids([*ids, *lone])] == [*ids[2:], *lone]
    assert await sources.remove(store, COMMAND_LINE, busy.id, NOW) == 0
    assert (await totals())[0] == 1


async def test_a_pruned_post_leaves_a_tombstone_and_stays_in_the_ledger(world: World, store: Store) -> None:
    source = await world.source()
    chat = await world.follower(source)
    (post,) = await world.publish(source, new_post("a", key="shared"), now=OLD)
    await world.send((await world.claim())[0])
    assert await prune_posts(store, keep=0) == [post]
    assert await known(store, source) == [KnownPost(0, "a", "shared", "")]
    other = await world.source("other")
    await world.publish(other, new_post("b", key="shared"))
    assert await world.waiting(chat) == [], "it was sent"


async def test_a_post_that_is_still_to_be_sent_stays(world: World, store: Store) -> None:
    source = await world.source()
    await world.follower(source)
    (post,) = await world.publish(source, "a", now=OLD)
    assert await prune_posts(store, keep=0) == []
    (claimed,) = await world.claim()
    assert await prune_posts(store, keep=0) == []
    await world.mark(Closed(claimed.id, DeliveryState.FAILED, "rejected"))
    assert await prune_posts(store, keep=0) == [], "it can be tried again"
    await world.retry(DeliveryFilter())
    await world.send((await world.claim())[0])
    assert await prune_posts(store, keep=0) == [post]


async def test_a_post_that_waits_for_a_digest_stays(world: World, store: Store) -> None:
    source = await world.source()
    chat = await world.follower(source)
    await with_digest(store, chat.id)
    (post,) = await add_posts(store, source, "a")
    assert await prune_posts(store, keep=0) == []
    await world.set_state(chat, ChatState.GONE)
    assert await prune_posts(store, keep=0) == [post], "a chat that is gone skips what waited"


async def test_a_post_that_is_needed_meanwhile_is_not_forgotten(world: World, store: Store) -> None:
    source = await world.source()
    chat = await world.chat()
    (post,) = await add_posts(store, source, "a")
    await world.deliver(chat, post)
    async with store.write() as work:
        assert await work.posts.forget([post], NOW) == 0
        await work.commit()
    assert [one.id for one in await known(store, source)] == [post]


@pytest.mark.parametrize(("keep", "left"), [(DEFAULTS, 500), (Keep(posts=None), 620)])
async def test_upkeep_prunes_in_batches(world: World, store: Store, keep: Keep, left: int) -> None:
    source = await world.source()
    await add_posts(store, source, *(f"post {n}" for n in range(620)))
    await upkeep(store, keep=keep)
    found = await known(store, source)
    assert len([post for post in found if post.id]) == left
    assert len(found) == 620
    async with store.read() as work:
        assert len(await work.posts.of_source(source.id, 10_000, 10_000)) == left


async def test_a_tombstone_goes_when_its_source_has_not_had_the_post_for_long(
    world: World, store: Store
) -> None:
    source, other = await world.source("feed"), await world.source("other")
    await add_posts(store, source, "shown", "gone")
    await add_posts(store, other, "theirs")
    await prune_posts(store, keep=0)
    async with store.write() as work:
        await work.posts.still_shown(source.id, ["shown"], after(300 * DAY), after(-65 * DAY))
        await work.posts.still_shown(source.id, ["shown"], after(400 * DAY), after(35 * DAY))
        await work.commit()
    assert [post.guid for post in await known(store, source)] == ["shown"]
    assert [post.guid for post in await known(store, other)] == ["theirs"]


# Small rows


async def test_searches_go_and_their_numbers_are_not_used_again(world: World, store: Store) -> None:
    async with store.write() as work:
        old = [await work.searches.save(1, Found(f"query {n}", (n,), 1), NOW) for n in range(3)]
        await work.commit()
    await upkeep(store, days=8)
    async with store.write() as work:
        assert [await work.searches.get(number, 1) is not None for number in old] == [False, False, True]
        assert await work.searches.save(1, Found("new", (), 0), NOW) > max(old)


async def test_drafts_go_when_they_have_ended_or_were_never_confirmed(world: World, store: Store) -> None:
    chat = await world.chat()
    states = [DraftState.PREVIEW, DraftState.SCHEDULED, DraftState.PUBLISHED, DraftState.DISCARDED]
    async with store.write() as work:
        drafts = [
            await work.drafts.add(Draft(0, chat.id, "telegram:1", "text", False, state, None, NOW))
            for state in (*states, DraftState.PUBLISHED)
        ]
        await work.commit()
    await upkeep(store, days=89)
    async with store.read() as work:
        assert all([await work.drafts.get(draft.id) for draft in drafts])
    await upkeep(store, days=91)
    async with store.read() as work:
        left = [draft.state for draft in drafts if await work.drafts.get(draft.id)]
    # A post of `updates` is known by the number of its draft: the last one stays, so that none is used twice.
    assert left == [DraftState.SCHEDULED, DraftState.PUBLISHED]


async def test_the_audit_goes_after_a_year(store: Store) -> None:
    async with store.write() as work:
        for day in range(3):
            await work.audit.add("cli", "something", "somewhere", after(day * DAY))
        await work.commit()
    async with store.write() as work:
        assert await work.audit.prune(after(1.5 * DAY), 1) == 1
        assert await work.audit.prune(after(1.5 * DAY), 10) == 1
        assert await work.audit.prune(after(1.5 * DAY), 10) == 0
        await work.commit()
    await upkeep(store, days=400)
    async with store.write() as work:
        assert await work.audit.prune(after(1000 * DAY), 10) == 0


# Sources that nobody follows


async def due(store: Store, minutes: float = 0) -> list[int]:
    async with store.read() as work:
        return [source.id for source in await work.sources.due(after(minutes))]


async def unsubscribe(store: Store, chat_id: int, source: Source) -> None:
    async with store.write() as work:
        await work.subscriptions.remove(chat_id, source.id)
        await work.commit()


async def test_a_private_source_that_nobody_follows_is_not_read(world: World, store: Store) -> None:
    public = await world.source("public")
    private = await world.source("private", Visibility.PRIVATE)
    example = await world.source("example", Visibility.EXAMPLE)
    assert await due(store) == [public.id, example.id]
    chat = await world.follower(private)
    assert await due(store) == [public.id, private.id, example.id]
    await unsubscribe(store, chat.id, private)
    assert await due(store) == [public.id, example.id]


async def test_what_admins_write_themselves_is_not_read(store: Store) -> None:
    async with store.write() as work:
        await work.sources.add("updates", "updates:", "updates", Visibility.PUBLIC)
        await work.commit()
    assert await due(store) == []


async def test_a_source_that_is_followed_again_begins_anew_at_once(world: World, store: Store) -> None:
    source = await world.source("private", Visibility.PRIVATE)
    async with store.write() as work:
        await work.sources.save(replace(source, polled_at=NOW, next_poll_at=after(5 * DAY)))
        await work.commit()
    await upkeep(store)
    async with store.read() as work:
        found = await work.sources.get(source.id)
    assert found is not None and found.unfollowed_since == NOW
    await upkeep(store, days=3)
    await world.follower(source)
    async with store.read() as work:
        again = await work.sources.get(source.id)
    assert again is not None and again.unfollowed_since is None
    assert again.polled_at is None, "what it has by now is old news"
    assert await due(store) == [source.id]


async def test_after_a_month_it_is_removed_with_what_waits_of_it(world: World, store: Store) -> None:
    source = await world.source("private", Visibility.PRIVATE)
    public = await world.source("public")
    chat = await world.follower(source)
    await world.publish(source, *(f"post {n}" for n in range(3)))
    await unsubscribe(store, chat.id, source)
    await upkeep(store)
    await upkeep(store, days=UNFOLLOWED.days)
    async with store.read() as work:
        assert await work.sources.get(source.id) is not None
    await upkeep(store, days=UNFOLLOWED.days + 1)
    async with store.read() as work:
        assert await work.sources.all() == [public]
    (delivery,) = await world.of(chat)
    assert (delivery.state, delivery.reason) == (DeliveryState.CANCELLED, "the source was removed")


async def test_one_that_is_followed_again_meanwhile_stays(world: World, store: Store) -> None:
    source = await world.source("private", Visibility.PRIVATE)
    await upkeep(store)
    async with store.read() as work:
        (forgotten,) = await work.sources.unfollowed(after(DAY))
    await world.follower(source)
    assert await sources.remove(store, UPKEEP, forgotten.id, NOW, only_unfollowed=True) is None
    async with store.read() as work:
        assert await work.sources.get(source.id) is not None


async def test_updates_of_a_chat_stay_though_nobody_follows_them(store: Store) -> None:
    async with store.write() as work:
        made = await work.sources.add("updates", "updates:telegram:1", "updates", Visibility.PRIVATE)
        await work.commit()
    await upkeep(store)
    await upkeep(store, days=400)
    async with store.read() as work:
        assert await work.sources.get(made.id) == made


async def test_removing_a_large_source_takes_its_posts_in_batches(world: World, store: Store) -> None:
    source, other = await world.source("feed"), await world.source("other")
    chat = await world.follower(None)
    await with_digest(store, chat.id)
    await add_posts(store, source, *(f"post {n}" for n in range(120)), days=0)
    (kept,) = await add_posts(store, other, "kept", days=0)
    assert await sources.remove(store, COMMAND_LINE, source.id, NOW) == 0
    assert await world.search("antenna") == (kept,)
    async with store.read() as work:
        assert await work.sources.all() == [other]
        assert await work.digests.unsent(chat.id) == [kept]


async def test_a_removal_that_was_broken_off_sends_nothing_more(world: World, store: Store) -> None:
    """Between its transactions the source is there: paused, and all that it has is old news."""
    source = await world.source()
    chat = await world.follower(source)
    await with_digest(store, chat.id)
    await add_posts(store, source, "a", days=0)
    async with store.write() as work:
        newest = await work.posts.newest_id()
        await work.sources.save(replace(source, starts_after=newest))
        await work.sources.set_state(source.id, SourceState.PAUSED)
        await work.commit()
    async with store.read() as work:
        assert await work.digests.unsent(chat.id) == []
    assert await sources.remove(store, COMMAND_LINE, source.id, NOW) == 0
    assert await known(store, source) == []
