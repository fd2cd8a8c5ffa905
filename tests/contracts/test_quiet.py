"""Quiet hours and pauses: what waits comes once, in one edition, and what was paused does not come."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from scheduler import membership
from scheduler.actions import chats, digests, following, quiet
from scheduler.actions.audit import COMMAND_LINE
from scheduler.ports import Store
from scheduler.timetable.digests import Digests
from scheduler.timetable.quiet import BEYOND, MOST, PAUSED, Quiet
from scheduler.types import BroadcastKind, Chat, Digest
from tests.builders import NOW, after, new_post, with_digest
from tests.contracts.world import World, edition
from tests.fakes import FakeClock

# NOW is noon, in the middle of them.
HOURS, END = "11:00-13:00", after(60)


async def set_hours(world: World, chat: Chat, text: str = HOURS, now: datetime = NOW) -> bool:
    async with world.store.write() as work:
        done = await quiet.set_quiet_hours(work, COMMAND_LINE, chat, text, "UTC", now)
        await work.commit()
    return done.sent


async def tick(world: World, now: datetime = END) -> int:
    clock = FakeClock()
    clock.advance((now - clock.now()).total_seconds())
    return await Quiet(world.store, clock, lambda: None).run_due()


async def again(world: World, chat: Chat) -> Chat:
    async with world.store.read() as work:
        found = await work.chats.get(chat.id)
    assert found is not None
    return found


async def skipped(world: World, chat: Chat, posts: Sequence[int]) -> set[str]:
    """Why posts were skipped."""
    async with world.store.read() as work:
        found = await work.history.of(chat.id, posts)
    return {one.entry.reason for one in found if one.entry}


async def test_posts_wait_for_the_end_of_quiet_hours_and_come_together(world: World) -> None:
    source, other = await world.source("feed"), await world.source("other")
    loud = await world.follower(source, address="1")
    chat = await world.follower(source, other, address="2")
    (before,) = await world.publish(source, "before")
    await set_hours(world, chat)
    (a,) = await world.publish(source, "a", now=after(1))
    (b,) = await world.publish(other, new_post("b", key="shared"), now=after(2))
    await world.publish(source, new_post("c", key="shared"), now=after(3))
    assert (await world.waiting(chat), len(await world.of(loud))) == ([(before,)], 3)
    assert await tick(world, after(59)) == 0
    assert await tick(world) == 1
    assert await tick(world, after(61)) == 0, "once"
    assert await world.waiting(chat) == [(before,), (a, b)]
    (made,) = [one for one in await world.of(chat) if one.broadcast.kind is BroadcastKind.EDITION]
    assert (made.broadcast.more, made.due_at) == (0, END)
    (d,) = await world.publish(source, "d", now=after(62))
    assert (d,) in await world.waiting(chat)
    stored = await again(world, chat)
    assert (stored.quiet_from, stored.quiet_until) == (after(-60 + 24 * 60), after(60 + 24 * 60))


async def test_a_post_between_the_end_and_the_tick_is_neither_lost_nor_sent_twice(world: World) -> None:
    source = await world.source()
    chat = await world.follower(source)
    await set_hours(world, chat)
    (late,) = await world.publish(source, "late", now=END + timedelta(seconds=2))
    assert await world.waiting(chat) == []
    assert await tick(world, END + timedelta(seconds=4)) == 1
    assert await world.waiting(chat) == [(late,)]


async def test_nothing_comes_at_night_because_the_process_was_down(world: World) -> None:
    source = await world.source()
    chat = await world.follower(source)
    await set_hours(world, chat)
    (post,) = await world.publish(source, "a", now=after(1))
    next_noon = NOW + timedelta(days=1)
    assert await tick(world, next_noon) == 0, "it is quiet again"
    assert await tick(world, next_noon + timedelta(hours=1)) == 1
    assert await world.waiting(chat) == [(post,)]


async def test_a_crash_before_the_commit_leaves_all_to_be_sent(world: World, store: Store) -> None:
    source = await world.source()
    chat = await world.follower(source)
    await set_hours(world, chat)
    (post,) = await world.publish(source, "a", now=after(1))
    async with store.write() as work:  # everything but the commit
        await quiet.set_quiet_hours(work, COMMAND_LINE, await again(world, chat), "off", "UTC", after(5))
    assert await world.waiting(chat) == []
    assert await tick(world) == 1
    assert await world.waiting(chat) == [(post,)]


async def test_to_switch_them_off_or_over_sends_what_waits(world: World) -> None:
    source = await world.source()
    off, moved, longer = [await world.follower(source, address=one) for one in "123"]
    for chat in (off, moved, longer):
        await set_hours(world, chat)
    (post,) = await world.publish(source, "a", now=after(1))
    assert await set_hours(world, off, "off", after(2))
    assert await set_hours(world, moved, "22-8", after(2))
    assert not await set_hours(world, longer, "10:00-14:00", after(2))
    assert [await world.waiting(chat) for chat in (off, moved, longer)] == [[(post,)], [(post,)], []]
    assert await tick(world) == 0
    assert await tick(world, after(120)) == 1
    assert await world.waiting(longer) == [(post,)]
    assert (await again(world, off)).quiet_from is None


async def test_the_zone_of_a_chat_moves_its_quiet_hours_and_its_digests(world: World, store: Store) -> None:
    chat = await world.follower(await world.source())
    await set_hours(world, chat, "22:00-08:00")
    async with store.write() as work:
        await with_digest(work, Digest(0, chat.id, "daily 09:00", "UTC", after(21 * 60)))
        await chats.change(work, COMMAND_LINE, chat, chats.Settings(timezone="Asia/Shanghai"), NOW)
        (digest,) = await work.digests.of(chat.id)
        await work.commit()
    stored = await again(world, chat)
    assert stored.quiet == "22:00-08:00 Asia/Shanghai"
    assert (stored.quiet_from, stored.quiet_until) == (after(2 * 60), after(12 * 60))
    assert (digest.timezone, digest.next_run_at) == ("Asia/Shanghai", after(13 * 60))


async def test_too_many_are_counted_and_a_notice_waits(world: World, store: Store) -> None:
    source = await world.source()
    chat = await world.follower(source)
    await set_hours(world, chat)
    posts = await world.posts(source, *(f"post {n}" for n in range(MOST + 2)))
    async with store.write() as work:
        await membership.notify(work, chat.place, "News", after(1))
        await work.commit()
    assert await world.claim(now=after(59)) == []
    assert await tick(world) == 1
    notice, made = await world.of(chat)
    assert (notice.broadcast.body, notice.due_at) == ("News", END)
    assert (list(made.posts), made.broadcast.more) == (posts[2:], 2)
    assert await skipped(world, chat, posts[:2]) == {BEYOND}


async def test_a_digest_waits_for_the_end_of_quiet_hours(world: World, store: Store) -> None:
    source = await world.source()
    chat = await world.follower(source)
    await set_hours(world, chat, "11:00-13:00")
    async with store.write() as work:
        wanted = digests.Wanted("daily 12:30 and 15:00")
        done = await digests.add(work, COMMAND_LINE, await again(world, chat), wanted, "UTC", NOW)
        assert digests.meets_quiet_hours(done.digest, await again(world, chat), NOW)
        await work.commit()
    assert done.digest.next_run_at == END
    shown = digests.next_runs(done.digest, await again(world, chat), NOW)
    assert shown == [END, after(3 * 60), END + timedelta(days=1)]
    # Its slot has passed when they are switched off, so that it comes at once; before, at its own time.
    await set_hours(world, chat, "off", after(20))
    assert await next_run(world, done.digest) == after(30)
    await set_hours(world, chat, HOURS, after(20))
    await set_hours(world, chat, "off", after(40))
    assert await next_run(world, done.digest) == after(40)


async def next_run(world: World, digest: Digest) -> datetime:
    async with world.store.read() as work:
        found = await work.digests.get(digest.id)
    assert found is not None
    return found.next_run_at


async def test_a_digest_that_is_late_does_not_come_at_night(world: World, store: Store) -> None:
    source = await world.source()
    chat = await world.follower(source)
    async with store.write() as work:
        digest = await with_digest(work, Digest(0, chat.id, "daily 10:55", "UTC", after(-65)))
        await work.commit()
    await set_hours(world, chat)
    await world.posts(source, "a")
    clock = FakeClock()
    running = Digests(store, clock, lambda: None)
    assert await running.run_due() == 0
    await running.refresh()
    assert await next_run(world, digest) == END
    clock.advance(3600)
    assert await running.run_due() == 1


async def test_what_waits_for_quiet_hours_goes_into_a_digest_that_is_added(
    world: World, store: Store
) -> None:
    source = await world.source()
    chat = await world.follower(source)
    await world.posts(source, "left out of an edition long ago")
    await set_hours(world, chat, now=after(1))
    (held,) = await world.publish(source, "held", now=after(2))
    async with store.write() as work:
        wanted = digests.Wanted("daily 15:00")
        done = await digests.add(work, COMMAND_LINE, await again(world, chat), wanted, "UTC", after(3))
        assert await work.digests.waiting(done.digest) == [held]
        await work.commit()
    assert await tick(world) == 0


async def test_a_chat_that_is_gone_gets_no_edition_and_is_told_of_none_later(
    world: World, store: Store
) -> None:
    source = await world.source()
    chat = await world.follower(source)
    await set_hours(world, chat)
    (post,) = await world.publish(source, "a", now=after(1))
    async with store.write() as work:
        await membership.deactivate(work, chat, "blocked", after(2))
        await work.commit()
    async with store.write() as work:
        await membership.reactivate(work, await again(world, chat), after(3))
        await work.commit()
    assert await tick(world) == 0
    assert await skipped(world, chat, [post]) == {membership.AWAY}
    async with store.write() as work:
        await membership.deactivate(work, chat, "blocked", after(70))
        await work.commit()
    assert await tick(world, after(60 + 24 * 60)) == 0


async def test_a_post_is_not_lost_when_quiet_hours_end_while_it_is_stored(world: World, store: Store) -> None:
    """It is held or sent at once, whichever transaction comes first; never neither."""
    source, other = await world.source("feed"), await world.source("other")
    chat = await world.follower(source, other)
    await set_hours(world, chat)

    async def end() -> None:
        await world.posts(other, "committed meanwhile, with a higher number")
        await tick(world)

    async with store.write() as work:
        (post,) = await work.posts.insert(source.id, [new_post("stored")], after(59))
        ending = asyncio.create_task(end())
        await asyncio.wait({ending}, timeout=0.2)  # as far as it comes; it has to wait for this one
        await work.outbox.fan_out(await edition(work, post, now=after(59)), source, after(59))
        await work.commit()
    await ending
    assert [post in posts for posts in await world.waiting(chat)].count(True) == 1


# Pauses


async def pause(world: World, chat: Chat, until: datetime | None = None, now: datetime = NOW) -> None:
    async with world.store.write() as work:
        assert await following.pause(work, COMMAND_LINE, chat, None, until, now)
        await work.commit()


async def test_what_comes_in_a_pause_is_not_sent_later(world: World, store: Store) -> None:
    source, other = await world.source("feed"), await world.source("other")
    chat = await world.follower(source)
    free = await world.follower(None, address="2")
    (before,) = await world.publish(source, "before")
    await pause(world, chat, END)
    paused = await world.publish(source, "a", now=after(1))
    await world.publish(other, "b", now=after(1))
    assert await tick(world, after(59)) == 0
    (still,) = await world.publish(source, "c", now=after(60))
    await tick(world)
    (then,) = await world.publish(source, "d", now=after(61))
    assert await world.waiting(chat) == [(before,), (then,)]
    assert len(await world.of(free)) == 5
    assert await skipped(world, chat, [*paused, still]) == {PAUSED}
    async with store.read() as work:
        (subscription,) = await work.subscriptions.of(chat.id)
    assert (subscription.paused_after, subscription.paused_until) == (None, None)


async def test_a_pause_of_one_source_stops_it_although_all_are_followed(world: World, store: Store) -> None:
    source, other = await world.source("feed"), await world.source("other")
    chat = await world.follower(None, source)
    async with store.write() as work:
        assert await following.pause(work, COMMAND_LINE, chat, source, None, NOW) == 1
        assert await following.pause(work, COMMAND_LINE, chat, other, None, NOW) == 0
        await work.commit()
    await world.publish(source, "a", now=after(1))
    (b,) = await world.publish(other, "b", now=after(1))
    await tick(world, NOW + timedelta(days=3000))
    assert await world.waiting(chat) == [(b,)]
    async with store.write() as work:
        assert await following.resume(work, COMMAND_LINE, chat, source, after(2)) == 1
        assert await following.resume(work, COMMAND_LINE, chat, source, after(2)) == 0
        await work.commit()
    (c,) = await world.publish(source, "c", now=after(3))
    assert await world.waiting(chat) == [(b,), (c,)]


async def test_what_waited_for_a_digest_before_a_pause_still_comes(world: World, store: Store) -> None:
    source = await world.source()
    chat = await world.follower(source)
    async with store.write() as work:
        digest = await with_digest(work, Digest(0, chat.id, "daily 15:00", "UTC", after(180)))
        await work.commit()
    (before,) = await world.posts(source, "before")
    await pause(world, chat, END)
    await world.posts(source, "a")
    async with store.read() as work:
        assert await work.digests.waiting(digest) == [before]
    await tick(world)
    (then,) = await world.posts(source, "b")
    async with store.read() as work:
        assert await work.digests.waiting(digest) == [before, then]


async def test_a_pause_that_is_set_anew_begins_where_it_began(world: World, store: Store) -> None:
    source = await world.source()
    chat = await world.follower(source)
    await pause(world, chat, END)
    (post,) = await world.publish(source, "a", now=after(1))
    await pause(world, chat, after(120))
    await tick(world, after(120))
    assert (await world.waiting(chat), await skipped(world, chat, [post])) == ([], {PAUSED})
