"""Posts: stored once, shown to those who may see them, in order."""

from dataclasses import replace

import pytest

from content.types import KnownPost, Media, PostQuery, Visibility
from scheduler.ports import Store
from tests.builders import NOW, after, new_post
from tests.contracts.world import World


async def test_a_post_comes_back_as_it_was_stored(world: World, store: Store) -> None:
    source = await world.source("feed")
    picture = Media("https://example.org/a.png", "image/png", "An antenna")
    stored = new_post("天波", title="短波", text="收听", tags=("radio", "无线电"), media=(picture,))
    (post_id,) = await world.posts(source, replace(stored, updated_at=after(5)))
    async with store.read() as work:
        (post,) = await work.posts.by_ids([post_id])
    assert (post.id, post.source_id, post.source_title, post.first_seen_at) == (
        post_id,
        source.id,
        "feed",
        NOW,
    )
    assert (post.guid, post.key, post.title, post.text) == ("天波", "key of 天波", "短波", "收听")
    assert (post.published_at, post.updated_at) == (NOW, after(5))
    assert (post.tags, post.media) == (("radio", "无线电"), (picture,))


async def test_ids_ascend_in_the_order_given(world: World, store: Store) -> None:
    ids = await world.posts(await world.source(), "b", "a", "c")
    assert ids == sorted(ids)
    async with store.read() as work:
        assert [post.guid for post in await work.posts.by_ids(ids)] == ["b", "a", "c"]
        assert await work.posts.newest_id() == ids[-1]


async def test_a_guid_is_stored_once_in_a_source(world: World, store: Store) -> None:
    source, other = await world.source("feed"), await world.source("other")
    (first,) = await world.posts(source, "same")
    assert len(await world.posts(source, "same", "new")) == 1
    assert len(await world.posts(other, "same")) == 1
    async with store.read() as work:
        known = sorted((await work.posts.known([source.id]))[source.id], key=lambda post: post.id)
    expected = KnownPost(first, "same", "key of same", "hash", "A title", url="https://example.org/same")
    assert known[0] == replace(expected, published_at=NOW)
    assert [post.guid for post in known] == ["same", "new"]


async def test_two_posts_of_one_guid_in_one_go_are_one(world: World, store: Store) -> None:
    source = await world.source()
    first, other = await world.posts(source, new_post("same", text="antenna"), new_post("same"), "other")
    async with store.read() as work:
        assert {known.guid for known in (await work.posts.known([source.id]))[source.id]} == {"same", "other"}
    assert await world.search("antenna") == (first,)
    assert first < other


async def test_what_another_process_stored_meanwhile_is_skipped(
    world: World, neighbour: Store, store: Store
) -> None:
    source = await world.source()
    assert len(await World(neighbour).posts(source, "raced")) == 1
    assert await world.posts(source, "raced") == []
    async with store.read() as work:
        assert len((await work.posts.known([source.id]))[source.id]) == 1


async def test_update_changes_the_post_and_what_finds_it(world: World, store: Store) -> None:
    source = await world.source()
    (changed, other) = await world.posts(
        source, new_post("a", title="Old", text="antenna"), new_post("b", text="antenna")
    )
    async with store.write() as work:
        renewed = new_post("a", title="New", text="aerial", content_hash="other hash")
        await work.posts.update([(changed, renewed)], NOW)
        await work.commit()
    async with store.read() as work:
        (post,) = await work.posts.by_ids([changed])
    assert (post.title, post.text, post.content_hash) == ("New", "aerial", "other hash")
    assert await world.search("antenna") == (other,)
    assert await world.search("old") == ()
    assert await world.search("aerial") == (changed,)


async def test_what_posts_look_like_in_their_source_is_remembered(world: World, store: Store) -> None:
    source = await world.source()
    first, second, *_ = await world.posts(source, replace(new_post("a"), raw_hash="one"), "b", "c")
    async with store.write() as work:
        assert await work.posts.raw_hashes([source.id], 9) == {source.id: {"a": "one"}}
        await work.posts.set_raw_hashes([(second, "two")])
        await work.posts.update([(first, replace(new_post("a"), raw_hash="another"))], NOW)
        await work.commit()
    async with store.read() as work:
        assert await work.posts.raw_hashes([source.id], 9) == {source.id: {"a": "another", "b": "two"}}
    other = await world.source("other")
    await world.posts(other, replace(new_post("d"), raw_hash="three"))
    async with store.read() as work:
        newest = await work.posts.raw_hashes([source.id, other.id, 0], 1)
        assert newest == {source.id: {"b": "two"}, other.id: {"d": "three"}, 0: {}}
        known = (await work.posts.known([source.id]))[source.id]
        assert {post.guid: post.raw_hash for post in known} == {
            "a": "another",
            "b": "two",
            "c": "",
        }


async def test_update_keeps_the_identity(world: World, store: Store) -> None:
    (post_id,) = await world.posts(await world.source(), "a")
    async with store.write() as work:
        await work.posts.update([(post_id, new_post("b", key="another key"))], NOW)
        await work.commit()
    async with store.read() as work:
        (post,) = await work.posts.by_ids([post_id])
    assert (post.guid, post.key) == ("a", "key of a")


async def test_a_renamed_post_keeps_its_key(world: World, store: Store) -> None:
    source = await world.source()
    (post_id,) = await world.posts(source, "a")
    async with store.write() as work:
        await work.posts.rename({post_id: "b"})
        await work.commit()
    async with store.read() as work:
        assert [(post.guid, post.key) for post in (await work.posts.known([source.id]))[source.id]] == [
            ("b", "key of a")
        ]


async def test_by_ids_keeps_the_order_and_leaves_out_what_is_missing(world: World, store: Store) -> None:
    a, b, c = await world.posts(await world.source(), "a", "b", "c")
    async with store.read() as work:
        assert [post.id for post in await work.posts.by_ids([c, 999, a, b])] == [c, a, b]
        assert await work.posts.by_ids([]) == []


async def test_pages_are_newest_first_by_publication(world: World, store: Store) -> None:
    source = await world.source()
    middle, oldest, newest, as_new = await world.posts(
        source,
        new_post("middle", published_at=after(5)),
        new_post("oldest", published_at=after(-5)),
        new_post("newest", published_at=after(9)),
        new_post("as new", published_at=after(9)),
    )
    async with store.read() as work:
        first, total = await work.posts.page(PostQuery(limit=3))
        second, same_total = await work.posts.page(PostQuery(offset=3, limit=3))
    assert [post.id for post in [*first, *second]] == [as_new, newest, middle, oldest]
    assert total == same_total == 4


async def test_an_anchor_hides_what_came_later(world: World, store: Store) -> None:
    source = await world.source()
    a, b = await world.posts(source, "a", "b")
    await world.posts(source, "later")
    async with store.read() as work:
        page, total = await work.posts.page(PostQuery(anchor=b))
    assert ({post.id for post in page}, total) == ({a, b}, 2)


async def test_a_page_of_one_source(world: World, store: Store) -> None:
    source = await world.source("feed")
    (mine,) = await world.posts(source, "a")
    await world.posts(await world.source("other"), "b")
    async with store.read() as work:
        page, total = await work.posts.page(PostQuery(source_id=source.id))
    assert ([post.id for post in page], total) == ([mine], 1)


@pytest.mark.parametrize("follows", [True, False])
async def test_private_posts_are_shown_to_followers_only(world: World, store: Store, follows: bool) -> None:
    private = await world.source("private", Visibility.PRIVATE)
    (hidden,) = await world.posts(private, new_post("hidden", text="antenna"))
    (open_,) = await world.posts(await world.source("public"), new_post("open", text="antenna"))
    chat = await (world.follower(private) if follows else world.follower(None))
    seen = {hidden, open_} if follows else {open_}
    scope = PostQuery(chat_id=chat.id)
    async with store.read() as work:
        page, total = await work.posts.page(scope)
        named = await work.posts.by_ids([hidden, open_], chat_id=chat.id)
        by_source, _ = await work.posts.page(PostQuery(chat_id=chat.id, source_id=private.id))
    assert {post.id for post in page} == {post.id for post in named} == seen
    assert total == len(seen)
    assert [post.id for post in by_source] == ([hidden] if follows else [])
    assert set(await world.search("antenna", scope)) == seen


async def test_the_operator_sees_private_posts_but_no_examples_beside_them(
    world: World, store: Store
) -> None:
    (example,) = await world.posts(await world.source("example", Visibility.EXAMPLE), "example")
    async with store.read() as work:
        assert [post.id for post in (await work.posts.page(PostQuery()))[0]] == [example]
    (private,) = await world.posts(await world.source("private", Visibility.PRIVATE), "private")
    async with store.read() as work:
        assert [post.id for post in (await work.posts.page(PostQuery()))[0]] == [private]


async def test_an_empty_store_has_no_newest_post(store: Store) -> None:
    async with store.read() as work:
        assert await work.posts.newest_id() == 0
        assert await work.posts.page(PostQuery()) == ([], 0)


async def test_titles_come_without_their_posts(world: World, store: Store) -> None:
    source, hidden = await world.source("feed"), await world.source("own", visibility=Visibility.PRIVATE)
    await world.posts(
        source,
        new_post("old", title="短波收音机", text="x" * 100_000),
        new_post("bare", title="", published_at=after(2)),
        new_post("long", title="Long " * 1000, published_at=after(1)),
        new_post("new", title="New", published_at=after(3)),
    )
    await world.posts(hidden, new_post("secret", title="Secret", published_at=after(9)))
    chat = await world.chat("1")
    async with store.read() as work:
        assert await work.posts.titles(PostQuery(chat.id), 7) == ["New", "Long Lo", "短波收音机"]
        assert await work.posts.titles(PostQuery(chat.id, limit=1), 7) == ["New"]
