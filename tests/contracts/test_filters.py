"""Filters of subscriptions: which posts reach a chat, now and with its next digest."""

import asyncio
from datetime import timedelta

from content import matching
from content.subjects import Subject
from content.tokens import index_all
from content.types import Source, Visibility
from scheduler.judging import judge, settle
from scheduler.ports import Store
from scheduler.types import Chat, Digest
from scheduler.upkeep import Keep, Upkeep
from tests import builders
from tests.builders import NOW, after, new_post
from tests.contracts.world import World, edition
from tests.fakes import FakeClock

PYTHON, RUST = new_post("python", title="Python"), new_post("rust", title="Rust")


async def in_ledger(world: World, chat: Chat) -> set[int]:
    return {post for posts in await world.waiting(chat) for post in posts}


async def for_digest(world: World, chat: Chat) -> list[int]:
    async with world.store.read() as work:
        return list(await work.digests.unsent(chat.id))


async def with_digest(world: World, *sources: Source | None) -> Chat:
    chat = await world.follower(*sources)
    async with world.store.write() as work:
        await builders.with_digest(work, Digest(0, chat.id, "daily 09:00", "UTC", after(60)))
        await work.commit()
    return chat


async def test_a_chat_gets_what_its_filter_lets_pass(world: World) -> None:
    source = await world.source()
    chats = {address: await world.follower(source, address=address) for address in "1234"}
    await world.filter(chats["2"], source, "python")
    await world.filter(chats["3"], source, "-python")
    await world.filter(chats["4"], source, "cobol")
    python, rust = await world.publish(source, PYTHON, RUST)
    got = {address: await in_ledger(world, chat) for address, chat in chats.items()}
    assert got == {"1": {python, rust}, "2": {python}, "3": {rust}, "4": set()}
    assert await world.of(chats["4"]) == [], "a delivery of nothing is not made"


async def test_a_filter_applies_from_then_on(world: World) -> None:
    source = await world.source()
    chat = await world.follower(source)
    (before,) = await world.publish(source, new_post("1", title="Rust"))
    await world.filter(chat, source, "python")
    await world.publish(source, new_post("2", title="Rust"))
    await world.filter(chat, source, None)
    (afterwards,) = await world.publish(source, new_post("3", title="Rust"))
    assert await in_ledger(world, chat) == {before, afterwards}


async def test_what_was_rejected_may_come_through_another_source(world: World) -> None:
    strict, open_ = await world.source("strict"), await world.source("open")
    chat = await world.follower(strict, open_)
    await world.filter(chat, strict, "python")
    await world.publish(strict, new_post("a", key="same"))
    (post,) = await world.publish(open_, new_post("b", key="same"))
    assert await in_ledger(world, chat) == {post}


async def test_the_filter_of_the_subscription_that_counts(world: World) -> None:
    source, other = await world.source("feed"), await world.source("other")
    private = await world.source("private", Visibility.PRIVATE)
    chat = await world.follower(None, source, private)
    await world.filter(chat, None, "source:feed")
    await world.filter(chat, source, "python")
    await world.publish(other, new_post("1", title="Python"))
    await world.publish(source, new_post("2", title="Rust"))
    (third,) = await world.publish(source, new_post("3", title="Python"))
    (fourth,) = await world.publish(private, new_post("4", title="Rust"))
    assert await in_ledger(world, chat) == {third, fourth}


async def test_posts_that_wait_for_a_digest_are_judged_anew(world: World) -> None:
    source, other = await world.source("feed"), await world.source("other")
    chat = await with_digest(world, source, None)
    python, rust = await world.publish(source, PYTHON, RUST)
    (of_other,) = await world.publish(other, new_post("of other", title="Rust"))
    assert await for_digest(world, chat) == [python, rust, of_other]
    await world.filter(chat, source, "python")
    assert await for_digest(world, chat) == [python, of_other]
    (later,) = await world.publish(source, new_post("later", title="Python again"))
    await world.publish(source, new_post("last", title="Rust again"))
    assert await for_digest(world, chat) == [python, of_other, later]
    await world.filter(chat, None, "-rust")
    assert await for_digest(world, chat) == [python, later]
    await world.filter(chat, source, "rust")
    assert len(await for_digest(world, chat)) == 2, "the filter is another one now"
    await world.filter(chat, source, None)
    await world.filter(chat, None, None)
    assert len(await for_digest(world, chat)) == 5


async def test_a_filter_that_is_chosen_during_a_read_misses_no_post(world: World, store: Store) -> None:
    source = await world.source()
    chat, other = await world.follower(source, address="1"), await world.follower(source, address="2")
    await world.filter(other, source, "rust")
    judged = await judge(store, asyncio.to_thread, source, [PYTHON, RUST], index_all([PYTHON, RUST]))
    await world.filter(chat, source, "python")
    await world.filter(other, source, None)
    async with store.write() as work:
        assert await work.filters.prune(after(5), 10) == 1, "one that was asked is gone"
        ids = await work.posts.insert(source.id, [PYTHON, RUST], NOW)
        await settle(work, source, ids, judged)
        await work.outbox.fan_out(await edition(work, *ids), source, NOW)
        await work.commit()
    assert await in_ledger(world, chat) == {ids[0]}
    assert await in_ledger(world, other) == set(ids)


async def test_equal_filters_are_one(world: World, store: Store) -> None:
    async with store.write() as work:
        first, again = await work.filters.keep("python", NOW), await work.filters.keep("python", after(1))
        other = await work.filters.keep("Python", NOW)
        assert (first == again, first == other) == (True, False)
        assert (await work.filters.text(first), await work.filters.text(other + 1)) == ("python", None)
        await work.commit()
    source, private = await world.source("feed"), await world.source("private", Visibility.PRIVATE)
    chat = await world.follower(source, None)
    await world.filter(chat, source, "python")
    await world.filter(chat, None, "rust")
    async with store.read() as work:
        assert sorted((await work.filters.of_followers(source)).values()) == ["python", "rust"]
        assert await work.filters.of_followers(private) == {}
        assert [one.filter for one in await work.subscriptions.of(chat.id)] == ["python", "rust"]


async def test_upkeep_forgets_verdicts_and_filters(world: World, store: Store) -> None:
    source = await world.source()
    instant, digest = await world.follower(source, address="2"), await with_digest(world, source)
    await world.filter(instant, source, "python")
    await world.filter(digest, source, "cobol")
    python, rust = await world.publish(source, PYTHON, RUST)
    await world.filter(instant, source, "cobol", now=after(1))
    async with store.read() as work:
        assert await work.filters.waiting(digest.id, source.id) == [python, rust]
        past = (await work.history.stored(instant.id))["past"]
        assert [one["up_to"] for one in past] == [rust], "the filter that decided about them"
    clock = FakeClock()
    clock.advance(timedelta(days=31).total_seconds())
    await Upkeep(store, clock, Keep()).run()
    assert await for_digest(world, digest) == [], "a post that waits stays rejected"
    async with store.write() as work:
        assert list((await work.filters.of_followers(source)).values()) == ["cobol"]
        assert await work.filters.text(1) is None, "nobody uses it"
        assert (await work.history.stored(instant.id))["past"] == []
        (daily,) = await work.digests.of(digest.id)
        await work.digests.advance(daily.id, after(5))
        assert await work.filters.prune(after(5), 1) == 1, "the verdicts about what does not wait, one by one"
        assert await work.filters.prune(after(5), 10) == 1
        assert await work.filters.prune(after(5), 10) == 0
        await work.posts.remove([python, rust])
        await work.commit()


async def test_a_filter_goes_with_a_chat_that_moves(world: World, store: Store) -> None:
    source = await world.source()
    chat = await world.follower(source, address="1")
    await world.follower(source, address="2")
    await world.filter(chat, source, "python")
    await world.move("1", "2")
    async with store.read() as work:
        assert [one.filter for one in await work.subscriptions.all()] == ["python"]


# What only filters have is left out, and each text looks for the word that all posts have.
TEXTS = (
    *(
        "lora",
        "running",
        "-running",
        "run*",
        '"short wave"',
        '"wave short"',
        "DeepSeek-V3",
        "deepseekv3",
        "v*",
    ),
    *(
        "大模型",
        "訓練",
        "训",
        "-大模型 lora",
        "tag:radio",
        "tag:RADIO lora",
        "lang:en",
        "lang:zh",
        "c++",
        "-cpp",
    ),
    *("C#", "source:feed", "source:film", "before:2026-03-01", "after:2026-03-01", "don't", "3.14", "-3.14"),
)
POSTS = (
    new_post("1", title="Notes: runs of LoRA", text="short wave; DeepSeek-V3", tags=("Radio",)),
    new_post("2", title="DeepSeekV3", text="大模型训练 with short  waves, I don't note C++"),
    new_post("3", title="Noted", text="Short 3.14 v31 C# lora wave", published_at=after(-2 * 24 * 60)),
    new_post("4", title="大模型", text="lora 訓練師 runner noting", tags=("short", "wave")),
)


async def test_a_filter_means_what_a_search_means(world: World) -> None:
    source = await world.source()
    ids = await world.posts(source, *POSTS)
    for text in TEXTS:
        wanted = matching.parse(f"note {text}")
        passed = {
            post_id
            for post_id, post in zip(ids, POSTS, strict=True)
            if wanted.rejection(Subject(post, source)) is None
        }
        assert passed == set(await world.search(f"note {text}")), text
        assert not wanted.problems
