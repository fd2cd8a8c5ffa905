"""The same story of several sources, for chats that want it once, on both databases."""

from collections.abc import Sequence
from datetime import timedelta

from content.formats import Format
from content.types import Source
from scheduler.actions.why import Because
from scheduler.timetable import digests
from scheduler.types import Chat, Digest
from scheduler.upkeep import Keep, Upkeep
from tests import builders
from tests.builders import NOW, after, new_post
from tests.contracts.world import World
from tests.fakes import FakeClock

APPLE = "Apple releases iOS 19.1 with new emoji"
AGAIN = "Apple launches iOS 19.1 with new emoji"


async def publish(world: World, source: Source, title: str, *, minutes: float = 0) -> int:
    post = new_post(f"{title} of {source.title}", title=title)
    (post_id,) = await world.publish(source, post, now=after(minutes))
    return post_id


async def want_once(world: World, chat: Chat) -> None:
    async with world.store.write() as work:
        await work.chats.set_choices(chat.id, Format(once=True))
        await work.commit()


async def because(world: World, chat: Chat, posts: Sequence[int]) -> list[Because]:
    return [answer.because for answer in await world.why(chat, posts)]


async def test_a_chat_that_wants_stories_once_gets_the_first_post(world: World) -> None:
    first, second, third = [await world.source(name) for name in ("first", "second", "third")]
    once = await world.follower(first, second, third)
    late = await world.follower(second, third, address="200")
    other = await world.follower(None, address="300")
    await want_once(world, once)
    await want_once(world, late)
    posts = [
        await publish(world, source, AGAIN if source is second else APPLE)
        for source in (first, second, third)
    ]
    assert await world.waiting(once) == [(posts[0],)]
    assert await world.waiting(late) == [(posts[1],)], "it does not follow the first source"
    assert await world.waiting(other) == [(post,) for post in posts]
    answers = await world.why(once, posts)
    assert [answer.because for answer in answers[1:]] == [Because.SAME_STORY] * 2
    assert [one.instead and one.instead.id for one in answers] == [None, posts[0], posts[0]]
    assert await because(world, late, posts[2:]) == [Because.SAME_STORY]


async def test_what_is_another_story_comes(world: World) -> None:
    first, second = await world.source("first"), await world.source("second")
    chat = await world.follower(None)
    await want_once(world, chat)
    posts = [
        await publish(world, first, APPLE),
        await publish(world, first, AGAIN),  # a source may tell its own story again
        await publish(world, second, APPLE.replace("19.1", "19.2")),
        await publish(world, second, AGAIN, minutes=3 * 24 * 60),
    ]
    assert await world.waiting(chat) == [(post,) for post in posts]


async def test_titles_are_compared_only_while_a_chat_asks_for_that(world: World) -> None:
    first, second = await world.source("first"), await world.source("second")
    chat = await world.follower(None)
    await publish(world, first, APPLE)
    await want_once(world, chat)
    await publish(world, second, AGAIN)
    assert len(await world.waiting(chat)) == 2


async def test_a_post_that_was_cancelled_or_failed_has_not_told_the_story(world: World) -> None:
    first, second = await world.source("first"), await world.source("second")
    chat = await world.follower(None)
    await want_once(world, chat)
    await publish(world, first, APPLE)
    await world.cancel("unsubscribed", chat=chat)
    post = await publish(world, second, AGAIN)
    assert await world.waiting(chat) == [(post,)]


async def test_a_digest_has_each_story_once(world: World) -> None:
    first, second = await world.source("first"), await world.source("second")
    chat = await world.chat()
    await want_once(world, chat)
    async with world.store.write() as work:
        digest = await builders.with_digest(work, Digest(0, chat.id, "daily 09:00", "UTC", after(1)))
        await work.commit()
    posts = [await publish(world, source, title) for source, title in ((first, APPLE), (second, AGAIN))]
    assert await because(world, chat, posts) == [Because.DIGEST] * 2
    async with world.store.write() as work:
        assert await digests.edition(work, digest, after(1), slot=after(1))
        await work.commit()
    assert await world.waiting(chat) == [(posts[0],)]
    assert await because(world, chat, posts[1:]) == [Because.SAME_STORY]
    later = await publish(world, await world.source("third"), APPLE)
    async with world.store.write() as work:
        assert not await digests.edition(work, digest, after(2), slot=after(2))
        await work.commit()
    assert await because(world, chat, [later]) == [Because.SAME_STORY]


async def test_keys_of_titles_are_forgotten_after_two_days(world: World) -> None:
    chat = await world.follower(None)
    await want_once(world, chat)
    source = await world.source("first")
    await publish(world, source, APPLE)
    await publish(world, source, "Valve announces Steam Deck 2 handheld", minutes=2 * 24 * 60)
    clock = FakeClock()
    clock.advance(timedelta(days=2, minutes=1).total_seconds())
    await Upkeep(world.store, clock, Keep()).run()
    async with world.store.write() as work:
        assert await work.stories.prune(NOW, 100) == 0
        assert await work.stories.prune(after(2 * 24 * 60 + 1), 100) > 0
        await work.commit()
