"""What the drivers' errors lead to depends on their codes, never on words, which may be those of a post."""

import json
import random
import sqlite3
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from content.errors import StoreDamaged, StoreError, StoreRejected
from content.sources import ReadContext
from content.types import Visibility
from scheduler.intake.ingest import Ingest
from scheduler.intake.polling import Poller
from scheduler.quotas import Quotas
from scheduler.rhythm import Bounds
from storage.database import database_url
from storage.errors import POSTGRES, SQLITE, store_errors
from storage.unit_of_work import SqlStore
from tests.builders import NOW, new_post
from tests.contracts.world import World
from tests.e2e.program import item, json_feed
from tests.fakes import FakeClock, FakeFetcher

# What an error for an outer reason says in the drivers' own words.
WORDS = (
    "database is locked",
    "deadlock detected",
    "attempt to write a readonly database",
    "unable to open database file",
    "file is not a database",
    "database or disk is full",
    'password authentication failed, role "x" does not exist',
    "the database system is starting up",
)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[SqlStore]:
    opened = await SqlStore.open(database_url)
    yield opened
    await opened.close()


@pytest.mark.parametrize("title", WORDS)
async def test_the_words_of_a_post_are_no_reason(store: SqlStore, title: str) -> None:
    """What breaks a rule of the schema is refused as such, whatever the post says."""
    with pytest.raises(StoreRejected) as caught:
        async with store.write() as work:
            await work.posts.insert(999, [new_post(title=title)], NOW)
    assert not isinstance(caught.value, StoreError), "nobody waits until the database takes it"
    assert title not in str(caught.value) + str(caught.value.__cause__)


async def test_a_value_that_is_no_text_is_refused(store: SqlStore) -> None:
    feed = await World(store).source()
    with pytest.raises(StoreRejected):
        async with store.write() as work:
            await work.posts.insert(feed.id, [new_post("\ud800", title="database is locked")], NOW)


async def test_a_value_that_the_index_cannot_hold_is_refused_without_repeating_it(postgres_url: str) -> None:
    store = await SqlStore.open(postgres_url)
    try:
        feed = await World(store).source()
        # Random text, for the server compresses before it compares with the limit.
        guid = random.Random(1).randbytes(20_000).hex()
        with pytest.raises(StoreRejected) as caught:
            async with store.write() as work:
                await work.posts.insert(feed.id, [new_post(guid, title="database is locked")], NOW)
        assert "too long" in str(caught.value) and "\n" not in str(caught.value)
        assert "database is locked" not in repr(caught.value.__cause__)
        assert guid[:50] not in str(caught.value.__cause__)
    finally:
        await store.close()


async def test_a_post_that_the_database_refuses_stops_nobody_elses_polling(postgres_url: str) -> None:
    fetcher = FakeFetcher()
    store = await SqlStore.open(postgres_url)
    try:
        clock = FakeClock()
        ingest = Ingest(
            store,
            ReadContext(fetcher),
            clock,
            Bounds(timedelta(minutes=5), timedelta(minutes=5)),
            lambda: None,
            for_people=fetcher,
            quotas=Quotas(),
        )
        poller = Poller(store, ingest, clock)
        for name in ("good", "hostile"):
            fetcher.pages[f"https://{name}.example.org/"] = feed(item("old"))
            await ingest.add(f"https://{name}.example.org/", Visibility.PUBLIC)
        guid = random.Random(1).randbytes(20_000).hex()
        fetcher.pages["https://good.example.org/"] = feed(item("new"), item("old"))
        fetcher.pages["https://hostile.example.org/"] = feed(item(guid, title="database is locked"))
        async with store.read() as work:
            sources = await work.sources.all()
        new = {result.source.url: result.new async for result in poller.poll_each(sources)}
        assert new["https://good.example.org/"] == 1 and len(new) == 2
    finally:
        await store.close()


def feed(*items: Mapping[str, object]) -> bytes:
    return json.dumps(json_feed(*items)).encode()


async def test_a_damaged_page_is_told_with_the_way_back(sqlite_url: str, tmp_path: Path) -> None:
    store = await SqlStore.open(sqlite_url)
    await World(store).source()
    await store.close()
    file = tmp_path / "skywave.db"
    content = bytearray(file.read_bytes())
    # All pages but the first, which holds the schema and the sizes.
    content[4096:] = b"\xa5" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(StoreDamaged) as caught:
        store = await SqlStore.open(sqlite_url)
        await store.close()
    assert str(file) in str(caught.value) and "skywave db restore FILE" in str(caught.value)


class Failing(sqlite3.OperationalError):
    def __init__(self, code: int) -> None:
        super().__init__("some words")
        self.sqlite_errorcode = code


@pytest.mark.parametrize("code", [10, 10 | 1 << 8, 10 | 3 << 8, 11, 11 | 1 << 8, 26])
def test_extended_codes_mean_what_their_first_byte_means(code: int) -> None:
    with (
        pytest.raises(StoreDamaged, match="skywave db restore FILE"),
        store_errors(database_url("sqlite:///x")),
    ):
        raise Failing(code)


def test_every_reason_is_a_sentence_with_a_next_step() -> None:
    for _, hint in (*SQLITE.values(), *POSTGRES.values()):
        assert ":" in hint or "," in hint
        assert "\n" not in hint and not hint.endswith(".")
