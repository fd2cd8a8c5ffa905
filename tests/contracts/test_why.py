"""Why a chat got a post or not, for each reason there is, on a history made through the ports."""

from dataclasses import replace
from datetime import timedelta

import pytest

from content.changes import key_of_url
from content.errors import NotFound
from content.types import Source, Visibility
from scheduler import membership
from scheduler.actions import digests, following, why
from scheduler.actions.audit import COMMAND_LINE
from scheduler.actions.quiet import set_quiet_hours
from scheduler.actions.why import Answer, Because
from scheduler.history import MessagePlace
from scheduler.ports import Closed, PartEnded, Postponed
from scheduler.timetable import quiet
from scheduler.timetable.hours import stored
from scheduler.types import Chat, ChatAccess, DeliveryState, Form, PartState, Sent
from tests.builders import NOW, after, new_post, part
from tests.contracts.world import World

LATER = after(10)


async def answer(world: World, chat: Chat, post: int) -> Answer:
    (found,) = await world.why(chat, [post])
    return found


async def unfollow(world: World, chat: Chat, source: Source) -> None:
    async with world.store.write() as work:
        await following.unfollow(work, COMMAND_LINE, chat, source, NOW)
        await work.commit()


async def give_up(world: World, state: DeliveryState, reason: str) -> None:
    (claimed,) = await world.claim()
    await world.mark(Closed(claimed.id, state, reason))


async def test_what_is_on_its_way_and_what_has_ended(world: World) -> None:
    source = await world.source()
    (before,) = await world.posts(source, "before")
    chat = await world.follower(source)
    (first,) = await world.publish(source, "first")
    (second,) = await world.publish(source, "second")

    assert (await answer(world, chat, before)).because is Because.BEFORE_SUBSCRIPTION
    assert (await answer(world, chat, first)).because is Because.NEXT
    behind = await answer(world, chat, second)
    assert (behind.because, behind.ahead) == (Because.BEHIND_OTHERS, 1)

    (claimed,) = await world.claim()
    assert (await answer(world, chat, first)).because is Because.SENDING
    await world.mark(Postponed(claimed.id, LATER, 1, Form.FULL, "502 Bad Gateway"))
    waits = await answer(world, chat, first)
    assert (waits.because, waits.until, waits.reason) == (Because.LATER, LATER, "502 Bad Gateway")

    async with world.store.write() as work:
        await membership.pause(work, chat, "no rights to write")
        await work.commit()
    paused = await answer(world, chat, first)
    assert (paused.because, paused.until) == (Because.CHAT_PAUSED, LATER)
    assert paused.reason == "no rights to write"
    async with world.store.write() as work:
        await membership.reactivate(work, await refreshed(world, chat), NOW)
        await work.commit()

    (claimed,) = await world.claim()
    sending = replace(part(claimed.id, posts=claimed.posts), begun_at=NOW)
    await world.begin(sending)
    arrived = replace(sending, state=PartState.SENT, sent=Sent("100", ("41", "42")))
    await world.mark(PartEnded(arrived, claimed.posts), Closed(claimed.id, DeliveryState.SENT))
    sent = await answer(world, chat, first)
    assert sent.because is Because.SENT and not sent.by_twin
    assert sent.delivery is not None and sent.delivery.parts == (arrived,)

    await give_up(world, DeliveryState.FAILED, "400 Bad Request: message is too long")
    failed = await answer(world, chat, second)
    assert (failed.because, failed.reason) == (Because.FAILED, "400 Bad Request: message is too long")
    (third,) = await world.publish(source, "third")
    await give_up(world, DeliveryState.HELD, "it may have arrived: time-out")
    assert (await answer(world, chat, third)).because is Because.HELD

    (fourth,) = await world.publish(source, "fourth")
    await unfollow(world, chat, source)
    cancelled = await answer(world, chat, fourth)
    assert (cancelled.because, cancelled.reason) == (Because.CANCELLED, "unsubscribed")
    (fifth,) = await world.publish(source, "fifth")
    assert (await answer(world, chat, fifth)).because is Because.NOT_FOLLOWED
    assert (await answer(world, chat, first)).because is Because.SENT  # whatever the chat follows now

    by_message = await message(world, "42", "7", "100")
    assert by_message is not None and [one.post.id for one in by_message.answers] == [first]
    assert await message(world, "4", "100") is None
    assert await message(world, "42", "101") is None


async def refreshed(world: World, chat: Chat) -> Chat:
    async with world.store.read() as work:
        found = await work.chats.get(chat.id)
    assert found is not None
    return found


async def message(world: World, message_id: str, *addresses: str) -> why.MessageAnswer | None:
    async with world.store.read() as work:
        return await why.about_message(work, MessagePlace("telegram", addresses, message_id), NOW)


async def test_digests_twins_and_what_nobody_is_sent(world: World) -> None:
    source, other = await world.source("a"), await world.source("b")
    chat = await world.follower(source, None)
    (kept,) = await world.posts(source, "beyond an edition")
    (old,) = await world.posts(source, replace(new_post("old"), old_news=True))
    assert (await answer(world, chat, kept)).because is Because.TOO_MANY
    assert (await answer(world, chat, old)).because is Because.OLD_NEWS

    # The same post of two sources is sent once.
    (first,) = await world.publish(source, new_post("here", key="same"))
    (again,) = await world.publish(other, new_post("there", key="same"))
    for claimed in await world.claim():
        await world.send(claimed)
    twin = await answer(world, chat, again)
    assert (twin.because, twin.by_twin, twin.twin and twin.twin.id) == (Because.SENT, True, first)

    # A filter rejects a post when it is fanned out; so the next digest does not have it either.
    async with world.store.write() as work:
        number = await work.filters.keep("-short", NOW)
        await work.filters.choose(chat.id, source.id, number, NOW)
        (short,) = await work.posts.insert(source.id, [new_post("short")], NOW)
        await work.filters.reject(short, {number: "-short"})
        await work.commit()
    filtered = await answer(world, chat, short)
    assert (filtered.because, filtered.reason) == (Because.FILTERED, "-short")

    async with world.store.write() as work:
        await digests.add(work, COMMAND_LINE, chat, digests.Wanted("daily 09:00"), "UTC", NOW)
        await work.commit()
    (one,) = await world.publish(source, new_post("one", key="1"))
    (another,) = await world.publish(other, new_post("another", key="1"))
    (late,) = await world.publish(source, "late")
    assert (await answer(world, chat, short)).because is Because.FILTERED
    waits = await answer(world, chat, one)
    assert (waits.because, waits.by_twin) == (Because.DIGEST, False)
    assert waits.until == NOW.replace(hour=9, minute=0) + timedelta(days=1)
    assert (await answer(world, chat, another)).twin == waits.post

    async with world.store.write() as work:
        (digest,) = await work.digests.of(chat.id)
        await digests.send(work, COMMAND_LINE, chat, replace(digest, max_posts=1), NOW)
        await work.commit()
    assert (await answer(world, chat, one)).because is Because.BEYOND_MAXIMUM
    assert (await answer(world, chat, late)).because is Because.NEXT

    (missed,) = await world.posts(source, "missed")
    async with world.store.write() as work:
        await membership.deactivate(work, await refreshed(world, chat), "the bot was removed", NOW)
        await work.commit()
    gone = await answer(world, chat, missed)
    assert (gone.because, gone.reason) == (Because.GONE, "the bot was removed")
    assert (await answer(world, chat, late)).because is Because.CANCELLED
    async with world.store.write() as work:
        await membership.reactivate(work, await refreshed(world, chat), NOW)
        await work.outbox.skip(chat.id, [old], "for some other reason")
        await work.commit()
    assert (await answer(world, chat, missed)).because is Because.AWAY
    assert (await answer(world, chat, old)).because is Because.SKIPPED


@pytest.mark.parametrize("banned", [False, True])
async def test_what_came_while_a_chat_that_gets_posts_at_once_was_away(world: World, banned: bool) -> None:
    source = await world.source()
    (old,) = await world.posts(source, "old")
    chat = await world.follower(source)

    async def leave(gone: bool) -> None:
        async with world.store.write() as work:
            now = await refreshed(world, chat)
            if banned:
                access = ChatAccess.BANNED if gone else ChatAccess.DEFAULT
                await membership.grant(work, chat.place, access, NOW)
            elif gone:
                await membership.deactivate(work, now, "the bot was removed", NOW)
            else:
                await membership.reactivate(work, now, NOW)
            await work.commit()

    missed = []
    for number in range(2):
        await leave(gone=True)
        await leave(gone=True)  # a platform may report it twice
        missed += await world.publish(source, f"missed {number}")
        await leave(gone=False)
        (here,) = await world.publish(source, f"here {number}")
    assert {(await answer(world, chat, post)).because for post in missed} == {Because.AWAY}
    assert (await answer(world, chat, here)).because is Because.NEXT
    assert (await answer(world, chat, old)).because is Because.BEFORE_SUBSCRIPTION


async def filtered(world: World, chat: Chat, post: int) -> str:
    """The condition by which a filter left a post out, or why else the chat does not have it."""
    found = await answer(world, chat, post)
    return found.reason if found.because is Because.FILTERED else found.because


async def test_the_filter_that_decided_counts_whatever_came_later(world: World) -> None:
    source, other = await world.source("a"), await world.source("b")
    chat = await world.follower(source)
    await world.filter(chat, source, "-rust")
    (rust,) = await world.publish(source, new_post("1", title="Rust"))
    for later in ("-python", "rust", None, "-rust"):
        await world.filter(chat, source, later)
        assert await filtered(world, chat, rust) == "-rust"
    await world.filter(chat, source, "-python")
    python, passes = await world.publish(source, new_post("2", title="Python"), new_post("3", title="Rust"))
    await world.cancel("the source is paused", source=source)
    assert await filtered(world, chat, python) == "-python", "the edition that was cancelled had it not"
    assert await filtered(world, chat, passes) == Because.CANCELLED
    await world.filter(chat, source, "-rust")
    assert await filtered(world, chat, passes) == Because.CANCELLED

    # Who has the same filter, but follows later, is told so.
    late = await world.follower(source, address="200")
    await world.filter(late, source, "-python")
    assert await filtered(world, late, python) == Because.BEFORE_SUBSCRIPTION

    # What its own subscription left out stays so when the chat follows the source as one of all.
    await world.follow(chat, None)
    await world.publish(other, "of another source")
    await unfollow(world, chat, source)
    assert await filtered(world, chat, python) == "-python"
    await world.follow(chat, source)
    await world.filter(chat, source, "-python")
    assert await filtered(world, chat, rust) == "-rust"
    await world.move("100", "-100")
    assert await filtered(world, chat, python) == "-python"
    new = await world.chat("300")
    await world.move("300", "-100")
    assert await filtered(world, new, rust) == "-rust", "the two chats are one"


async def test_posts_that_wait_are_left_out_by_the_filter_of_the_end(world: World) -> None:
    source = await world.source()
    chat, quiet_one = await world.follower(source), await world.follower(source, address="200")
    async with world.store.write() as work:
        await digests.add(work, COMMAND_LINE, chat, digests.Wanted("daily 09:00"), "UTC", NOW)
        await set_quiet_hours(work, COMMAND_LINE, quiet_one, "11:00-13:00", "UTC", NOW)
        await work.commit()
    both = (chat, quiet_one)
    for one in both:
        await world.filter(one, source, "-rust")
    rust, python = await world.publish(
        source, new_post("1", title="Rust"), new_post("2", title="Python"), now=after(1)
    )
    for one in both:
        assert await filtered(world, one, rust) == "-rust"
        await world.filter(one, source, "-python")
        assert await filtered(world, one, rust) in (Because.DIGEST, Because.QUIET)
        assert await filtered(world, one, python) == "-python"
    async with world.store.write() as work:
        (digest,) = await work.digests.of(chat.id)
        await digests.send(work, COMMAND_LINE, chat, digest, after(2))
        await work.digests.advance(digest.id, after(2))
        await set_quiet_hours(work, COMMAND_LINE, await refreshed(world, quiet_one), "off", "UTC", after(2))
        await work.commit()
    for one in both:
        await world.filter(one, source, "-rust")
        assert await filtered(world, one, rust) == Because.LATER, "it is sent"
        assert await filtered(world, one, python) == "-python"


async def test_a_pause_decides_and_so_does_the_subscription_before_an_own_digest(world: World) -> None:
    source = await world.source()
    chat, of_all = await world.follower(source), await world.follower(None, address="200")
    await world.filter(chat, source, "-rust")
    await world.filter(of_all, None, "-rust")
    async with world.store.write() as work:
        await following.pause(work, COMMAND_LINE, chat, source, None, NOW)
        await work.commit()
    (rust,) = await world.publish(source, new_post("1", title="Rust"))
    await world.filter(chat, source, "-python")
    assert await filtered(world, chat, rust) == Because.PAUSED
    async with world.store.write() as work:
        wanted = digests.Wanted("daily 09:00", sources=[source])
        await digests.add(work, COMMAND_LINE, of_all, wanted, "UTC", NOW)
        await work.commit()
    assert await filtered(world, of_all, rust) == "-rust"


async def test_an_undo_brings_filters_back(world: World) -> None:
    source = await world.source()
    chat, daily = await world.follower(source), await world.follower(source, address="200")
    async with world.store.write() as work:
        await digests.add(work, COMMAND_LINE, daily, digests.Wanted("daily 09:00"), "UTC", NOW)
        await work.commit()
    await world.filter(chat, source, "-rust")
    await world.filter(await world.follower(source, address="300"), source, "-rust")
    await world.filter(daily, source, "-cobol")
    (before,) = await world.publish(source, new_post("1", title="Rust"))
    async with world.store.write() as work:
        ended = {one: await following.unfollow(work, COMMAND_LINE, one, source, NOW) for one in (chat, daily)}
        await work.commit()
    rust, cobol = await world.publish(source, new_post("2", title="Rust"), new_post("3", title="Cobol"))
    assert await filtered(world, chat, before) == Because.NOT_FOLLOWED
    async with world.store.write() as work:
        for one, of_one in ended.items():
            assert await following.undo(work, COMMAND_LINE, one, of_one.number, NOW) == 1
        await work.commit()
    assert [await filtered(world, chat, post) for post in (before, rust)] == ["-rust", Because.MISSED]
    of_digest = [await filtered(world, daily, post) for post in (before, rust, cobol)]
    assert of_digest == [Because.DIGEST, Because.DIGEST, "-cobol"]


async def test_quiet_hours_and_pauses(world: World) -> None:
    source = await world.source()
    chat = await world.follower(source)
    end = NOW.replace(hour=13)
    async with world.store.write() as work:
        await set_quiet_hours(work, COMMAND_LINE, chat, "11:00-13:00", "UTC", NOW)
        await work.commit()
    held = await world.publish(source, *(f"post-{n}" for n in range(quiet.MOST + 1)))
    waits = await answer(world, chat, held[0])
    assert (waits.because, waits.until) == (Because.QUIET, end)
    async with world.store.write() as work:
        await quiet.settle(work, await refreshed(world, chat), stored("11:00-13:00 UTC"), end)
        await work.commit()
    assert (await answer(world, chat, held[0])).because is Because.BEYOND_QUIET
    (sent,) = await world.why(chat, held[1:2], end)
    assert sent.because is Because.NEXT

    async with world.store.write() as work:
        await set_quiet_hours(work, COMMAND_LINE, chat, "off", "UTC", end)
        await following.pause(work, COMMAND_LINE, chat, source, None, end)
        await work.commit()
    (paused,) = await world.publish(source, "paused", now=end)
    assert (await answer(world, chat, paused)).because is Because.PAUSED
    async with world.store.write() as work:
        await following.resume(work, COMMAND_LINE, chat, source, end)
        await work.commit()
    assert (await answer(world, chat, paused)).because is Because.PAUSED  # by the ledger now

    async with world.store.write() as work:
        made = await digests.add(work, COMMAND_LINE, chat, digests.Wanted("daily 09:00"), "UTC", end)
        await digests.pause(work, COMMAND_LINE, chat, made.digest, end)
        await work.commit()
    (late,) = await world.publish(source, "late", now=end)
    assert (await answer(world, chat, late)).because is Because.DIGEST_PAUSED


async def test_what_a_chat_may_not_see_or_cannot_get(world: World) -> None:
    public, private = await world.source("a"), await world.source("b", Visibility.PRIVATE)
    examples = await world.source("c", Visibility.EXAMPLE)
    (hidden,), (example,) = await world.posts(private, "hidden"), await world.posts(examples, "example")
    chat = await world.follower(None)
    assert (await answer(world, chat, hidden)).because is Because.PRIVATE
    assert (await answer(world, chat, example)).because is Because.EXAMPLE

    # A source that becomes public is followed by all from then on, but not backwards.
    await world.follower(private, address="101")
    (early,) = await world.publish(private, "early")
    async with world.store.write() as work:
        await work.sources.save(replace(private, visibility=Visibility.PUBLIC))
        await work.commit()
    assert (await answer(world, chat, early)).because is Because.MISSED

    async with world.store.write() as work:
        await membership.grant(work, chat.place, ChatAccess.BANNED, NOW)
        await work.commit()
    (late,) = await world.publish(public, "late")
    assert (await answer(world, chat, late)).because is Because.BANNED


async def test_a_chat_learns_nothing_of_posts_that_it_may_not_see(world: World) -> None:
    private = await world.source("b", Visibility.PRIVATE)
    owner = await world.follower(private)
    (secret,) = await world.publish(private, new_post("x", key=key_of_url("https://example.org/x/")))
    stranger = await world.chat("200")
    async with world.store.read() as work:
        assert await why.meant(work, "http://www.example.org/x?utm_source=y") == [secret]
        assert (await why.about_visible(work, owner, [secret], NOW)).because is Because.NEXT
        for unknown in (secret, secret + 1):
            with pytest.raises(NotFound, match="No such post is known here"):
                await why.about_visible(work, stranger, [unknown], NOW)
