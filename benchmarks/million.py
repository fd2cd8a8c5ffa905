"""A database of a million posts beside one of fifty thousand: what takes longer, and how much longer."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from sqlite3 import Connection, connect
from statistics import median

from benchmarks import corpus, rows
from benchmarks.outbox import sqlite
from benchmarks.results import Result, at_most
from benchmarks.search import first_page
from benchmarks.worlds import post
from content.tokens import counted_words, index_text
from content.types import NewPost, PostQuery, Source, Visibility
from scheduler.types import Broadcast, BroadcastKind
from storage import backup
from storage.search_query import to_fts5_row
from storage.unit_of_work import SqlStore

FEW, MANY = 50_000, 1_000_000
SOURCES = 50
CHATS = 10_000  # that follow all sources
LENGTH = 400  # bytes of a post's text, about
BATCH = 5_000
SEED = 1
REPEATS = 5
PRUNED = 1_000  # posts that are deleted at once
TWICE = 2.0
GIGABYTE = 1e9

POST = """
INSERT INTO posts (id, source_id, guid, key, url, title, author, published_at, first_seen_at, html, text,
  language, tags, media, content_hash)
VALUES (?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?, 'en', '[]', '[]', ?)
"""
INDEXED = "INSERT INTO post_fts (rowid, title, body, variants) VALUES (?, ?, ?, ?)"
WORD = "INSERT INTO search_words (word, backwards, posts) VALUES (?, ?, ?)"
COUNTED = "UPDATE sources SET post_count = (SELECT count(*) FROM posts WHERE source_id = sources.id)"
FOLLOW = "INSERT INTO subscriptions (chat_id, scope, starts_after) SELECT id, 'all', :newest FROM chats"


async def million() -> list[Result]:
    """Page, search, fan-out, prune and backup at both sizes. It takes half an hour and 4 GB of disk."""
    few, many = await measured(FEW), await measured(MANY)
    return [at_most(f"million-{name}", many[name][1], many[name][0], few[name][0], TWICE) for name in many]


async def measured(count: int) -> dict[str, tuple[float, str]]:
    """What a database of so many posts takes for everything, with the unit."""
    with sqlite() as url:
        store = await SqlStore.open(url)
        sources = await _sources(store)
        fill(rows.path_of(url), count, sources)
        rows.run(url, rows.MANY_CHATS, count=CHATS)
        rows.run(url, FOLLOW, newest=count)
        chat, of_source = PostQuery(chat_id=1), PostQuery(chat_id=1, source_id=sources[0].id)
        found = {
            "page": (await _page(store, chat), "ms a page"),
            "tenth-page": (await _page(store, PostQuery(chat_id=1, offset=110)), "ms a page"),
            "source-page": (await _page(store, of_source), "ms a page of a source"),
            "search": (await _search(store), "ms a search, median"),
            "fan-out": (await _fan_out(store, sources[0]), f"ms a post to {CHATS:,} chats"),
            "prune": (await _prune(store), f"ms to delete {PRUNED:,} posts"),
        }
        await store.close()
        found["backup"] = _backup(rows.path_of(url)), "ms a gigabyte"
    return found


async def _sources(store: SqlStore) -> list[Source]:
    async with store.write() as work:
        sources = [
            await work.sources.add("feed", f"https://example.org/{n}", f"Notes {n}", Visibility.PUBLIC)
            for n in range(SOURCES)
        ]
        await work.commit()
    return sources


def fill(file: Path, count: int, sources: Sequence[Source]) -> None:
    """Write posts of three years and their index past the store, which would take hours."""
    counts: Counter[str] = Counter()
    with closing(connect(file, isolation_level=None)) as database:
        database.execute("PRAGMA synchronous = OFF")
        for start, posts in _batches(count):
            database.execute("BEGIN")
            _write(database, start, posts, sources, counts)
            database.execute("COMMIT")
        database.execute("BEGIN")
        database.executemany(WORD, ((word, word[::-1], posts) for word, posts in counts.items()))
        database.execute(COUNTED)
        database.execute("COMMIT")


def _batches(count: int) -> Iterator[tuple[int, list[NewPost]]]:
    start, batch = 1, list[NewPost]()
    for one in corpus.posts(count, SEED, LENGTH):
        batch.append(one)
        if len(batch) == BATCH:
            yield start, batch
            start, batch = start + BATCH, []
    if batch:
        yield start, batch


def _write(
    database: Connection, start: int, posts: list[NewPost], sources: Sequence[Source], counts: Counter[str]
) -> None:
    stored, indexed = [], []
    for number, one in enumerate(posts, start):
        at = _stored(one.published_at)
        source = sources[number % len(sources)].id
        named = (one.guid, one.key, one.url, one.title)
        stored.append((number, source, *named, at, at, one.html, one.text, one.content_hash))
        tokens = index_text(one.title, one.text, one.tags)
        indexed.append((number, *to_fts5_row(tokens)))
        counts.update(counted_words([tokens]))
    database.executemany(POST, stored)
    database.executemany(INDEXED, indexed)


def _stored(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


async def _best(action: Callable[[], Awaitable[object]]) -> float:
    """The shortest of several times, in milliseconds, as other programs run, too."""
    took = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        await action()
        took.append(time.perf_counter() - began)
    return min(took) * 1e3


async def _page(store: SqlStore, query: PostQuery) -> float:
    async def show() -> None:
        async with store.read() as work:
            posts, _ = await work.posts.page(query)
        assert posts

    return await _best(show)


async def _search(store: SqlStore) -> float:
    asked = [query.text for query in corpus.queries(SEED)]
    return median([await _best(partial(first_page, store, words)) for words in asked])


async def _fan_out(store: SqlStore, source: Source) -> float:
    number = 0

    async def send() -> None:
        nonlocal number
        number += 1
        now = datetime.now(UTC)
        async with store.write() as work:
            (stored,) = await work.posts.insert(source.id, [post(f"new {number}")], now)
            made = await work.outbox.broadcast(Broadcast(BroadcastKind.POST, (stored,)), now)
            assert made is not None
            assert await work.outbox.fan_out(made, source, now) == CHATS
            await work.commit()

    return await _best(send)


async def _prune(store: SqlStore) -> float:
    """As upkeep does it, in one transaction for all that are measured."""

    async def prune() -> None:
        async with store.read() as work:
            old = await work.posts.prunable(corpus.NOW - timedelta(days=30), 500, PRUNED)
        assert len(old) == PRUNED
        async with store.write() as work:
            assert await work.posts.forget([stored for stored, _ in old], corpus.NOW) == PRUNED
            await work.commit()

    return await _best(prune)


def _backup(file: Path) -> float:
    took, size = [], file.stat().st_size
    for number in range(3):
        target = file.with_name(f"backup-{number}.db")
        began = time.perf_counter()
        backup.copy(file, target)
        took.append(time.perf_counter() - began)
        target.unlink()
    return min(took) * 1e3 / (size / GIGABYTE)
