"""Posts that are stored first and indexed later."""

import asyncio
from dataclasses import replace

import pytest

from content.errors import ParseError
from content.search import parse
from content.sources import ReadContext
from content.tokens import index_texts
from content.types import NewPost, PostQuery, Source
from scheduler.intake.indexing import PATIENCE, POSTS, Indexing
from scheduler.ports import Batch, Store
from tests.builders import NOW, new_post
from tests.contracts.world import World
from tests.fakes import FakeFetcher


async def postponed(store: Store, source: Source, *posts: NewPost) -> list[int]:
    async with store.write() as work:
        (ids,) = await work.posts.insert_all([Batch(source.id, posts)], NOW)
        await work.commit()
    return list(ids)


async def waiting(store: Store) -> int:
    async with store.read() as work:
        return await work.index.count_waiting()


def indexing(store: Store, parser: object = None) -> Indexing:
    context = ReadContext(FakeFetcher(), asyncio.to_thread, parser=parser)  # type: ignore[arg-type]
    return Indexing(store, context, lambda: False)


async def test_they_are_found_once_they_are_indexed(store: Store, world: World) -> None:
    source = await world.source()
    ids = await postponed(store, source, *(new_post(f"{n}", text="antenna") for n in range(POSTS + 5)))
    assert await world.search("antenna") == () and await waiting(store) == POSTS + 5
    told: list[int] = []
    await indexing(store).run(told.append)
    assert sum(told) == POSTS + 5 and max(told) <= POSTS and await waiting(store) == 0
    async with store.read() as work:
        assert await work.index.count(parse("antenna"), PostQuery(), 1000) == len(ids)
    await indexing(store).run(told.append)
    assert sum(told) == POSTS + 5, "once"


async def test_one_that_changes_while_it_waits_is_found_as_it_is_now(store: Store, world: World) -> None:
    source = await world.source()
    before = new_post(text="antenna")
    (post_id,) = await postponed(store, source, before)
    tokens = index_texts([(before.title, before.text, ())])
    async with store.write() as work:
        await work.posts.update([(post_id, replace(before, text="compass", content_hash="b"))], NOW)
        await work.index.add_waiting([(post_id, tokens[0])])  # they come too late
        await work.commit()
    assert await world.search("antenna") == () and await world.search("compass") == (post_id,)
    async with store.write() as work:
        await work.sources.remove(source.id)
        await work.commit()
        assert not await work.index.has(["antenna", "compass"]), "nothing of it is left"


@pytest.mark.parametrize("how", ["post", "source"])
async def test_one_that_is_deleted_while_it_waits_leaves_the_index_as_it_was(
    store: Store, world: World, how: str
) -> None:
    """On SQLite, removing what is not in the index would damage it."""
    source, other = await world.source("a"), await world.source("b")
    (kept,) = await world.posts(other, new_post("kept", text="antenna"))
    (gone,) = await postponed(store, source, new_post("gone", text="antenna"))
    async with store.write() as work:
        await (work.posts.remove([gone]) if how == "post" else work.sources.remove(source.id))
        await work.commit()
    assert await waiting(store) == 0
    await indexing(store).run()
    assert await world.search("antenna") == (kept,)
    async with store.write() as work:
        await work.posts.remove([kept])
        await work.commit()
        assert not await work.index.has(["antenna"]), "it was counted once"


async def test_several_batches_are_stored_in_order(store: Store, world: World) -> None:
    first, second = await world.source("a"), await world.source("b")
    (old,) = await world.posts(first, "old")
    twice = [new_post("x", text="antenna"), new_post("x", text="compass"), new_post("y")]
    tokens = index_texts([(post.title, post.text, ()) for post in twice])
    async with store.write() as work:
        made = await work.posts.insert_all(
            [
                Batch(first.id, [new_post("old"), new_post("new")]),
                Batch(second.id, twice, tokens),
                Batch(first.id, [new_post("new"), new_post("newer")]),
                Batch(second.id, []),
            ],
            NOW,
        )
        await work.commit()
    assert [len(ids) for ids in made] == [1, 2, 1, 0]
    assert old < made[0][0] < made[1][0] < made[1][1] < made[2][0]
    assert await world.search("antenna") == (made[1][0],) and await world.search("compass") == ()
    assert await waiting(store) == 2


class Killed:
    """A worker that is killed with each call."""

    async def call(self, source: str, function: object, *args: object) -> object:
        raise ParseError("{source} took too long to read", source=source)


async def test_no_post_waits_for_ever_because_a_worker_was_killed(store: Store, world: World) -> None:
    (post_id,) = await postponed(store, await world.source(), new_post(text="antenna"))
    await indexing(store, Killed()).run()
    assert await world.search("antenna") == (post_id,)


async def test_reads_come_first_but_not_for_ever(store: Store, world: World) -> None:
    await postponed(store, await world.source(), new_post())
    context = ReadContext(FakeFetcher(), asyncio.to_thread)
    busy = Indexing(store, context, lambda: True)
    for _ in range(PATIENCE):
        await busy.run_due()
        assert await waiting(store) == 1
    await busy.run_due()
    assert await waiting(store) == 0
