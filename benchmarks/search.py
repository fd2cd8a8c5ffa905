"""Search: how well and how fast, beside a scan with LIKE in the same run."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import fmean, median, quantiles

from sqlalchemy import text

from benchmarks import corpus
from benchmarks.corpus import Asked
from benchmarks.outbox import postgresql, sqlite
from benchmarks.results import Result
from content.types import Match, Visibility
from scheduler.actions import searching
from storage.database import create_engine
from storage.unit_of_work import SqlStore

SEEDS = (1, 2)
TOP = 10
BATCH = 500
SCANNED = 12  # queries that LIKE answers as well
REPEATS = 5
SECONDS = 0.020  # within which 95 of 100 queries are answered
LARGE, LESS = 50_000, 10  # posts from which on LIKE takes so many times as long


async def search() -> list[Result]:
    """Quality and time at 1,000 and 50,000 posts, the larger with two seeds."""
    found = await _measured(1_000, SEEDS[0])
    for seed in SEEDS:
        found += await _measured(LARGE, seed)
    return [*found, await _same(1_000, SEEDS[0])]


async def _same(count: int, seed: int) -> Result:
    """The share of queries that find the same posts on both databases, on whatever rung."""
    found = []
    for database in (sqlite, postgresql):
        with database() as url:
            store = await SqlStore.open(url)
            await _fill(store, count, seed)
            found.append([await _all_found(store, query.text) for query in corpus.queries(seed)])
            await store.close()
    same = fmean(one == other for one, other in zip(*found, strict=True))
    return _bar(f"search-{count}-same", "queries that find the same on PostgreSQL", same, 1)


async def _all_found(store: SqlStore, words: str) -> tuple[frozenset[str], Match]:
    async with store.read() as work:
        found = await searching.find(work, words, 10_000)
        return frozenset(post.guid for post in await work.posts.by_ids(found.ids)), found.match


async def search_large() -> list[Result]:
    """The same at 500,000 posts. It takes an hour and several gigabytes of disk."""
    return await _measured(500_000, SEEDS[0])


async def _measured(count: int, seed: int) -> list[Result]:
    with sqlite() as url:
        store = await SqlStore.open(url)
        rate = await _fill(store, count, seed)
        asked = corpus.queries(seed)
        recall, ranks = await _quality(store, asked)
        times = [await _seconds(store, query.text) for query in asked]
        await store.close()
        scan = await _scan(url, asked)
    name = f"search-{count}-seed-{seed}"
    middle, worst = median(times), quantiles(times, n=20)[18]
    return [
        _bar(f"{name}-recall", f"recall in the first {TOP}", fmean(recall), 0.97),
        _bar(f"{name}-mrr", "mean reciprocal rank", fmean(ranks), 0.95),
        _beside(f"{name}-p50", middle, scan, 1 / LESS if count >= LARGE else None),
        _beside(f"{name}-p95", worst, SECONDS, 1),
        Result(f"{name}-build", "posts/s", rate),
    ]


def _beside(name: str, seconds: float, others: float, most: float | None) -> Result:
    unit, ratio = "ms, beside LIKE's or the limit", seconds / others
    if most is None:
        return Result(name, unit, seconds * 1e3, others * 1e3, ratio)
    return Result(name, unit, seconds * 1e3, others * 1e3, ratio, f"<= {most:g}", ratio <= most)


def _bar(name: str, unit: str, figure: float, least: float) -> Result:
    return Result(name, unit, figure, None, figure, f">= {least}", figure >= least)


async def _fill(store: SqlStore, count: int, seed: int) -> float:
    """Store the posts of a seed; returns how many were stored and indexed in a second."""
    began, batch = time.perf_counter(), []
    async with store.write() as work:
        source = await work.sources.add("feed", "https://example.org/feed", "Notes", Visibility.PUBLIC)
        await work.commit()
    for number, post in enumerate(corpus.posts(count, seed), 1):
        batch.append(post)
        if len(batch) == BATCH or number == count:
            async with store.write() as work:
                await work.posts.insert(source.id, batch, datetime.now(UTC))
                await work.commit()
            batch = []
    return count / (time.perf_counter() - began)


async def _quality(store: SqlStore, asked: Sequence[Asked]) -> tuple[list[float], list[float]]:
    """For each query, the share of relevant posts on the first page, and 1 ÷ the rank of the first one."""
    recall, ranks = [], []
    for query in asked:
        guids = await first_page(store, query.text)
        good = [guid in query.relevant for guid in guids]
        recall.append(sum(good) / min(len(query.relevant), TOP))
        ranks.append(1 / (good.index(True) + 1) if True in good else 0.0)
    return recall, ranks


async def first_page(store: SqlStore, words: str) -> list[str]:
    """The guids of the first posts that a query finds."""
    async with store.read() as work:
        found = await searching.find(work, words, 1_000)
        return [post.guid for post in await work.posts.by_ids(found.ids[:TOP])]


async def _seconds(store: SqlStore, words: str) -> float:
    """The time of a search as in a chat, with a page of posts: the shortest, as other programs run, too."""
    took = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        await first_page(store, words)
        took.append(time.perf_counter() - began)
    return min(took)


async def _scan(url: str, asked: Sequence[Asked]) -> float:
    """The median seconds in which LIKE finds the posts that hold all words of a query."""
    took, engine = [], create_engine(url)
    async with engine.connect() as connection:
        for query in [query for query in asked if query.kind == "words"][:SCANNED]:
            words = {f"w{n}": f"%{word}%" for n, word in enumerate(query.text.split())}
            wanted = " AND ".join(f"(title LIKE :{name} OR text LIKE :{name})" for name in words)
            began = time.perf_counter()
            await connection.execute(text(f"SELECT id FROM posts WHERE {wanted}"), words)
            took.append(time.perf_counter() - began)
    await engine.dispose()
    return median(took)
