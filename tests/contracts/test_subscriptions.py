"""Subscriptions: who follows what, and from which post on."""

from content.types import Visibility
from scheduler.ports import Store
from scheduler.types import Digest
from tests.builders import after
from tests.contracts.world import World


async def test_a_source_is_followed_once(world: World, store: Store) -> None:
    source, chat = await world.source(), await world.chat()
    assert await world.follow(chat, source)
    assert not await world.follow(chat, source)
    assert await world.follow(chat, None)
    assert not await world.follow(chat, None)
    async with store.read() as work:
        followed = await work.subscriptions.of(chat.id)
    assert [(item.chat_id, item.source_id, item.digest_id) for item in followed] == [
        (chat.id, source.id, None),
        (chat.id, None, None),
    ]


async def test_a_subscription_starts_after_the_newest_post(world: World, store: Store) -> None:
    source = await world.source()
    early = await world.follower(source)
    *_, newest = await world.posts(source, "a", "b")
    late = await world.follower(source, address="200")
    async with store.read() as work:
        assert [s.starts_after for s in await work.subscriptions.of(early.id)] == [0]
        assert [s.starts_after for s in await work.subscriptions.of(late.id)] == [newest]


async def test_following_again_does_not_move_the_start(world: World, store: Store) -> None:
    source = await world.source()
    chat = await world.follower(source)
    await world.posts(source, "a")
    await world.follow(chat, source)
    async with store.read() as work:
        assert [s.starts_after for s in await work.subscriptions.of(chat.id)] == [0]


async def test_removing_says_whether_there_was_one(world: World, store: Store) -> None:
    source = await world.source()
    chat, other = await world.follower(source, None), await world.follower(source, address="200")
    async with store.write() as work:
        assert await work.subscriptions.remove(chat.id, source.id)
        assert not await work.subscriptions.remove(chat.id, source.id)
        assert await work.subscriptions.remove(chat.id, None)
        await work.commit()
    async with store.read() as work:
        assert await work.subscriptions.of(chat.id) == []
        assert [(s.chat_id, s.source_id) for s in await work.subscriptions.all()] == [(other.id, source.id)]


async def test_restart_begins_after_the_newest_post(world: World, store: Store) -> None:
    source = await world.source()
    chat, other = await world.follower(source, None), await world.follower(source, address="200")
    (newest,) = await world.posts(source, "a")
    async with store.write() as work:
        await work.subscriptions.restart([one.id for one in await work.subscriptions.of(chat.id)])
        await work.commit()
    async with store.read() as work:
        assert [s.starts_after for s in await work.subscriptions.of(chat.id)] == [newest, newest]
        assert [s.starts_after for s in await work.subscriptions.of(other.id)] == [0]


# What a chat subscribes to, and what it follows by that.
SCOPES: dict[tuple[str, ...], set[str]] = {
    (): set(),
    ("public",): {"public"},
    ("private",): {"private"},
    ("all",): {"public", "other"},
    ("all", "private", "example"): {"public", "other", "private", "example"},
    ("all", "public"): {"public", "other"},
}


async def test_what_a_chat_follows(world: World) -> None:
    sources = {
        "public": await world.source("public"),
        "other": await world.source("other"),
        "private": await world.source("private", Visibility.PRIVATE),
        "example": await world.source("example", Visibility.EXAMPLE),
    }
    chats = {
        own: await world.follower(*(sources.get(name) for name in own), address=str(number))
        for number, own in enumerate(SCOPES)
    }
    await world.follower(*sources.values(), address="200")  # another chat's are its own business
    public = {sources[name].id for name in ("public", "other")}
    async with world.store.read() as work:
        for own, followed in SCOPES.items():
            found = await work.subscriptions.followed(chats[own].id)
            assert found == {sources[name].id for name in followed}, own
            seen = await work.sources.visible_to(chats[own].id)
            own_ids = {sources[name].id for name in own if name != "all"}
            assert {source.id for source in seen} == public | own_ids, own
    # Fan-out and digests go by the same.
    posts = {name: (await world.publish(source, f"{name} 1"))[0] for name, source in sources.items()}
    digests: dict[tuple[str, ...], Digest] = {}
    for own, followed in SCOPES.items():
        assert {post for (post,) in await world.waiting(chats[own])} == {posts[name] for name in followed}, (
            own
        )
    async with world.store.write() as work:
        for own, chat in chats.items():
            digest = await work.digests.save(Digest(0, chat.id, "daily 09:00", "UTC", after(1)))
            mine = [one.id for one in await work.subscriptions.of(chat.id)]
            await work.subscriptions.assign(mine, digest.id)
            digests[own] = digest
        await work.commit()
    later = {name: (await world.publish(source, f"{name} 2"))[0] for name, source in sources.items()}
    async with world.store.read() as work:
        for own, followed in SCOPES.items():
            expected = {later[name] for name in followed}
            assert set(await work.digests.waiting(digests[own])) == expected, own


async def test_which_sources_a_chat_may_follow(world: World, store: Store) -> None:
    public, other = await world.source("a"), await world.source("b")
    private, alone = await world.source("c", Visibility.PRIVATE), await world.source("d", Visibility.PRIVATE)
    ids = [public.id, other.id, private.id, alone.id]
    await world.follower(public, private)
    async with store.read() as work:
        assert await work.subscriptions.have_followers(ids) == {public.id, private.id}
        assert await work.subscriptions.have_followers([other.id]) == set()
    await world.follower(None)
    async with store.read() as work:
        assert await work.subscriptions.have_followers(ids) == {public.id, other.id, private.id}
