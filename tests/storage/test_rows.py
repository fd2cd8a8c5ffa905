"""What the tables hold and the ports do not show: the history in the ledger, ghosts in the index."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing

import pytest

from scheduler.ports import Closed
from scheduler.types import DeliveryState
from storage.unit_of_work import SqlStore
from tests.builders import NOW, new_post
from tests.contracts.world import World


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    store = await SqlStore.open(sqlite_url)
    yield World(store)
    await store.close()


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("old_end", [DeliveryState.FAILED, None])
async def test_the_history_of_a_moved_chat_says_sent(
    world: World, sqlite_url: str, old_end: DeliveryState | None
) -> None:
    old, new = await world.chat("1"), await world.chat("-100")
    (post,) = await world.posts(await world.source(), "a")
    await world.deliver(new, post)
    (taken,) = await world.claim()
    await world.send(taken)
    await world.deliver(old, post)
    if old_end:
        (failed,) = await world.claim()
        await world.mark(Closed(failed.id, old_end, "rejected"))
    await world.move("1", "-100")
    assert rows(sqlite_url, "SELECT chat_id, post_key, state FROM ledger") == [(old.id, "key of a", "sent")]


async def test_what_is_freed_leaves_no_row_and_what_fails_keeps_its_reason(
    world: World, sqlite_url: str
) -> None:
    chat, other = await world.chat("1"), await world.chat("2")
    (post,) = await world.posts(await world.source(), "a")
    await world.deliver(chat, post)
    await world.deliver(other, post)
    await world.cancel("unsubscribed", chat=chat)
    (taken,) = await world.claim()
    await world.mark(Closed(taken.id, DeliveryState.FAILED, "rejected"))
    assert rows(sqlite_url, "SELECT chat_id, state, reason FROM ledger") == [(other.id, "failed", "rejected")]


async def test_no_ghost_of_a_post_stays_in_the_index(world: World, sqlite_url: str) -> None:
    source, other = await world.source("feed"), await world.source("other")
    await world.posts(source, new_post("a", text="antenna"), new_post("b", text="antenna"))
    (changed, kept) = await world.posts(other, new_post("c", text="antenna"), new_post("d", text="antenna"))
    async with world.store.write() as work:
        await work.sources.remove(source.id)
        await work.posts.update([(changed, new_post("c", text="aerial"))], NOW)
        await work.commit()
    ids = "SELECT rowid FROM post_fts WHERE post_fts MATCH 'antenna'"
    assert rows(sqlite_url, ids) == [(kept,)]
