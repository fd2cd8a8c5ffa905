"""A unit of work is all or nothing."""

import pytest

from content.types import Visibility
from scheduler.ports import Store
from tests.builders import NOW, new_post, place
from tests.contracts.world import World


async def test_what_was_not_committed_is_rolled_back(store: Store) -> None:
    async with store.write() as work:
        source = await work.sources.add("feed", "https://example.org/feed", "A feed", Visibility.PUBLIC)
        await work.posts.insert(source.id, [new_post(text="antenna")], NOW)
    async with store.read() as work:
        assert await work.sources.all() == []
        assert await work.posts.newest_id() == 0


async def test_an_error_rolls_back_what_came_before_it(store: Store) -> None:
    with pytest.raises(LookupError):
        async with store.write() as work:
            await work.chats.ensure(place())
            raise LookupError
    async with store.read() as work:
        assert await work.chats.all() == []


async def test_the_index_is_part_of_the_transaction(world: World, store: Store) -> None:
    source = await world.source()
    async with store.write() as work:
        await work.posts.insert(source.id, [new_post(text="antenna")], NOW)
    await world.posts(source, new_post("other", text="aerial"))
    assert await world.search("antenna") == ()
    assert len(await world.search("aerial")) == 1


async def test_what_was_committed_is_seen_by_the_next_unit(store: Store) -> None:
    async with store.write() as work:
        chat = await work.chats.ensure(place())
        await work.commit()
    async with store.read() as work:
        assert await work.chats.get(chat.id) == chat


async def test_a_reader_sees_no_half_written_work(store: Store) -> None:
    async with store.write() as work:
        await work.chats.ensure(place())
        async with store.read() as reader:
            assert await reader.chats.all() == []
        await work.commit()
