"""What a person can make slow is stopped in the database, and the next one is not."""

import asyncio

import pytest
from sqlalchemy import text

from content.errors import SearchTooLong
from content.search import parse
from content.types import PostQuery
from scheduler.ports import Store
from storage.database import create_engine
from storage.index import AT_ONCE
from storage.time_limit import time_limit
from tests.contracts.world import World

ENDLESS = text("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT (x + 1) % 9 FROM n) SELECT count(*) FROM n")


async def test_an_endless_statement_is_stopped_and_the_connection_goes_on(database_url: str) -> None:
    engine = create_engine(database_url)
    try:
        async with asyncio.timeout(30):
            async with engine.connect() as connection:
                with pytest.raises(SearchTooLong):
                    async with time_limit(connection, 0.05):
                        await connection.execute(ENDLESS)
            async with engine.connect() as connection:
                assert await connection.scalar(text("SELECT 7")) == 7
    finally:
        await engine.dispose()


async def test_what_is_quick_is_not_stopped(world: World, store: Store) -> None:
    await world.posts(await world.source(), "one")
    async with asyncio.timeout(30):
        found = await asyncio.gather(*(world.search("title") for _ in range(5 * AT_ONCE)))
    assert [len(ids) for ids in found] == [1] * 5 * AT_ONCE
    async with store.read() as work:
        assert (await work.index.search(parse("title"), PostQuery())).total == 1
        assert await work.posts.newest_id()
