"""The store under test, as its ports alone."""

from collections.abc import AsyncIterator

import pytest

from scheduler.ports import Store
from storage.unit_of_work import SqlStore
from tests.contracts.world import World


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    opened = await SqlStore.open(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def neighbour(database_url: str) -> AsyncIterator[Store]:
    """The store of another process on the same database."""
    opened = await SqlStore.open(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def world(store: Store) -> World:
    return World(store)
