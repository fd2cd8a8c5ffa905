"""The full-text index: FTS5 on SQLite, a tsvector on PostgreSQL, with the same tokens and results in both."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time
from functools import cache
from time import monotonic
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Row,
    Select,
    delete,
    func,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.errors import SearchTooLong
from content.search import Query, Unindexed
from content.tokens import TOKENIZER_VERSION, IndexedText, counted_words, index_texts
from content.types import PostQuery, Ranking
from content.typos import Near
from storage.prepared import Prepared, write
from storage.scope import in_scope
from storage.search_query import to_fts5, to_fts5_row, to_tsquery, to_tsvector
from storage.sql import CHUNK, is_sqlite, reserve_alone, upsert
from storage.tables import META, POSTS, SOURCES, UNINDEXED, WORDS
from storage.time_limit import time_limit

# The count of results stops here; people see "1000+".
COUNT_CAP = 1_000
BATCH = 500

# FTS5's rank is lower for better results, the score is higher.
FTS5_MATCH = "SELECT rowid AS id, -rank AS score FROM post_fts WHERE post_fts MATCH :query"
FTS5_ADD = "INSERT INTO post_fts (rowid, title, body, variants) VALUES (:id, :title, :body, :variants)"
# Deleting from a contentless table requires exactly the tokens that were inserted.
FTS5_REMOVE = (
    "INSERT INTO post_fts (post_fts, rowid, title, body, variants)"
    " VALUES ('delete', :id, :title, :body, :variants)"
)
# The weights are those of D, C, B and A. The 1 divides the rank by the logarithm of the length.
TSVECTOR_MATCH = (
    "SELECT post_id AS id, ts_rank_cd('{0.05,0.1,0.2,1.0}', tsv, CAST(:query AS tsquery), 1) AS score"
    " FROM post_search WHERE tsv @@ CAST(:query AS tsquery)"
)
TSVECTOR_ADD = "INSERT INTO post_search (post_id, tsv) VALUES (:id, CAST(:tsv AS tsvector))"
TSVECTOR_REMOVE = "DELETE FROM post_search WHERE post_id = :id"

WAITING_ADD = "INSERT INTO unindexed (post_id) VALUES (:id)"
WORDS_ADD = (
    "INSERT INTO search_words (word, backwards, posts) VALUES (:word, :backwards, :posts)"
    " ON CONFLICT (word) DO UPDATE SET posts = search_words.posts + excluded.posts"
)
WORDS_REMOVE = (
    "UPDATE search_words SET posts = posts - :posts WHERE word = :word",
    "DELETE FROM search_words WHERE word = :word AND posts <= 0",
)
# Words that are compared with a misspelt one; those of the most posts come first.
COMPARED = 2_000
LAST = "\U0010ffff"  # no token holds it, and all that begin with a prefix come before prefix + LAST

# Limits that leave processors and connections to others: seconds of searches that are limited together,
# concurrent ones.
SEARCH_SECONDS = 2.0
AT_ONCE = 2


class SqlIndex:
    """Adds, removes and finds posts. The semaphore `searches` limits the concurrent searches of a store."""

    def __init__(self, connection: AsyncConnection, searches: asyncio.Semaphore) -> None:
        self._connection, self._searches = connection, searches
        self._fts5 = is_sqlite(connection)
        self._until: float | None = None  # when the searches that are limited together have to end
        self._statements: dict[PostQuery, Select[int]] = {}

    async def add(self, posts: Sequence[tuple[int, IndexedText]]) -> None:
        """Index stored posts, each with its tokens."""
        if posts:
            await reserve_alone(self._connection)  # two at once might wait for each other's words
            await self._write(FTS5_ADD if self._fts5 else TSVECTOR_ADD, posts)
            await self._count(posts, WORDS_ADD)

    async def remove(self, ids: Sequence[int]) -> None:
        """Remove posts from the index. Call it before their rows change or are deleted."""
        if not ids:
            return
        await reserve_alone(self._connection)  # nobody else may remove them at the same time
        # Those that wait are not in it. SQLite's index would be damaged if they were removed from it.
        waiting = await self._no_longer_waiting(ids)
        async for posts in self._tokens([post_id for post_id in ids if post_id not in waiting]):
            await self._write(FTS5_REMOVE if self._fts5 else TSVECTOR_REMOVE, posts)
            await self._count(posts, *WORDS_REMOVE)

    async def postpone(self, ids: Sequence[int]) -> None:
        """Let stored posts wait to be indexed."""
        if ids:
            await self._run(WAITING_ADD, [{"id": one} for one in ids])

    async def waiting(self, limit: int, after: int) -> Sequence[Unindexed]:
        later = select(UNINDEXED.c.post_id).where(UNINDEXED.c.post_id > after)
        first = later.order_by(UNINDEXED.c.post_id).limit(limit)
        columns = select(POSTS.c.id, POSTS.c.title, POSTS.c.text, POSTS.c.tags)
        rows = await self._connection.execute(
            columns.where(POSTS.c.id.in_(first.scalar_subquery())).order_by(POSTS.c.id)
        )
        return [Unindexed(row[0], row[1], row[2], tuple(row[3])) for row in rows]

    async def count_waiting(self) -> int:
        return await self._connection.scalar(select(func.count()).select_from(UNINDEXED)) or 0

    async def add_waiting(self, posts: Sequence[tuple[int, IndexedText]]) -> None:
        await reserve_alone(self._connection)
        # A post that has changed or was deleted meanwhile waits no longer.
        waiting = await self._no_longer_waiting([post_id for post_id, _ in posts])
        await self.add([(post_id, tokens) for post_id, tokens in posts if post_id in waiting])

    async def _no_longer_waiting(self, ids: Sequence[int]) -> Collection[int]:
        """Let posts wait no longer; returns those that did."""
        found: set[int] = set()
        for start in range(0, len(ids), CHUNK):
            some = delete(UNINDEXED).where(UNINDEXED.c.post_id.in_(ids[start : start + CHUNK]))
            found.update(await self._connection.scalars(some.returning(UNINDEXED.c.post_id)))
        return found

    async def search(self, query: Query, scope: PostQuery) -> Ranking:
        if query.empty:
            return Ranking(0)
        best = self._matching(query, scope).order_by(literal_column("score").desc(), POSTS.c.id.desc())
        # One more shows that there are more.
        rows = await self._rows(best.limit(COUNT_CAP + 1), query)
        page = rows[scope.offset : scope.offset + scope.limit]
        return Ranking(len(rows), tuple(row[0] for row in page))

    async def count(self, query: Query, scope: PostQuery, most: int) -> int:
        if query.empty:
            return 0
        return len(await self._rows(self._matching(query, scope).limit(most), query))

    async def has(self, words: Collection[str]) -> Collection[str]:
        async with self.limited():
            return set(await self._connection.scalars(select(WORDS.c.word).where(WORDS.c.word.in_(words))))

    async def near(self, near: Near) -> Sequence[tuple[str, int]]:
        begins_or_ends = _begins(WORDS.c.word, near.begin) | _begins(WORDS.c.backwards, near.end[::-1])
        size = func.length(WORDS.c.word).between(near.shortest, near.longest)
        commonest = select(WORDS.c.word, WORDS.c.posts).order_by(WORDS.c.posts.desc(), WORDS.c.word)
        async with self.limited():
            rows = await self._connection.execute(commonest.where(begins_or_ends, size).limit(COMPARED))
            return [(row[0], row[1]) for row in rows]

    def _matching(self, query: Query, scope: PostQuery) -> Select[int]:
        """The ids of the posts that match, which can be ordered by their score."""
        # Building it takes longer than most searches, and a search that finds nothing is followed by others.
        if scope not in self._statements:
            match = text(FTS5_MATCH if self._fts5 else TSVECTOR_MATCH)
            hits = match.columns(POSTS.c.id, literal_column("score")).subquery("hits")
            self._statements[scope] = (
                select(POSTS.c.id)
                .join(hits, hits.c.id == POSTS.c.id)
                .join(SOURCES, SOURCES.c.id == POSTS.c.source_id)
                .where(*in_scope(scope))
            )
        return self._statements[scope].where(*self._filters(query))

    async def _rows(self, statement: Select[int], query: Query) -> Sequence[Row[int]]:
        words = to_fts5(query) if self._fts5 else to_tsquery(query)
        async with self.limited():
            return (await self._connection.execute(statement, {"query": words})).all()

    @asynccontextmanager
    async def limited(self) -> AsyncIterator[None]:
        if self._until is not None:
            if monotonic() > self._until:
                raise SearchTooLong("the search took too long")
            yield
            return
        async with self._searches, time_limit(self._connection, SEARCH_SECONDS):
            self._until = monotonic() + SEARCH_SECONDS
            try:
                yield
            finally:
                self._until = None

    async def ensure_current(self) -> None:
        """Rebuild the index if another version of the tokenizer built it."""
        # The row lock keeps a second process from rebuilding at the same time.
        version = select(META.c.value).where(META.c.name == "tokenizer").with_for_update()
        if await self._connection.scalar(version) == TOKENIZER_VERSION:
            return
        clear = "INSERT INTO post_fts (post_fts) VALUES ('delete-all')"
        await self._connection.execute(text(clear if self._fts5 else "DELETE FROM post_search"))
        await self._connection.execute(delete(WORDS))
        await self._connection.execute(delete(UNINDEXED))
        async for posts in self._tokens(
            (await self._connection.scalars(select(POSTS.c.id).order_by(POSTS.c.id))).all()
        ):
            await self.add(posts)
        statement = upsert(self._connection, META).values(name="tokenizer", value=TOKENIZER_VERSION)
        renewed = {"value": statement.excluded["value"]}
        await self._connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=renewed))

    async def _tokens(self, ids: Sequence[int]) -> AsyncIterator[Sequence[tuple[int, IndexedText]]]:
        """The tokens of stored posts, batch by batch."""
        for start in range(0, len(ids), BATCH):
            columns = select(POSTS.c.id, POSTS.c.title, POSTS.c.text, POSTS.c.tags)
            chosen = columns.where(POSTS.c.id.in_(ids[start : start + BATCH]))
            rows = (await self._connection.execute(chosen)).all()
            # Tokenizing a post takes about a millisecond, so it runs in a thread.
            indexed = await asyncio.to_thread(index_texts, [(row[1], row[2], row[3]) for row in rows])
            yield [(row[0], tokens) for row, tokens in zip(rows, indexed, strict=True)]

    async def _write(self, statement: str, posts: Sequence[tuple[int, IndexedText]]) -> None:
        await self._run(statement, [self._row(post_id, tokens) for post_id, tokens in posts])

    async def _count(self, posts: Sequence[tuple[int, IndexedText]], *statements: str) -> None:
        """Change the numbers of posts that have each word."""
        rows = await asyncio.to_thread(_counted, [tokens for _, tokens in posts])
        for statement in statements if rows else ():
            await self._run(statement, rows)

    async def _run(self, statement: str, rows: Sequence[dict[str, Any]]) -> None:
        await self._connection.run_sync(write, (_for_each(statement, self._connection.dialect), rows))

    def _row(self, post_id: int, tokens: IndexedText) -> dict[str, Any]:
        if not self._fts5:
            return {"id": post_id, "tsv": to_tsvector(tokens)}
        title, body, variants = to_fts5_row(tokens)
        return {"id": post_id, "title": title, "body": body, "variants": variants}

    def _filters(self, query: Query) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        if query.sources:
            named = [SOURCES.c.title.icontains(name, autoescape=True) for name in query.sources]
            conditions.append(or_(*named, SOURCES.c.url.in_(query.sources)))
        conditions += [self._tagged(tag) for tag in query.tags]
        if query.languages:
            conditions.append(POSTS.c.language.in_(query.languages))
        if query.after:
            conditions.append(POSTS.c.published_at >= _midnight(query.after))
        if query.before:
            conditions.append(POSTS.c.published_at < _midnight(query.before))
        return conditions

    def _tagged(self, tag: str) -> ColumnElement[bool]:
        items = func.json_each(POSTS.c.tags) if self._fts5 else func.json_array_elements_text(POSTS.c.tags)
        item = items.table_valued("value")
        return select(item.c.value).where(func.lower(item.c.value) == func.lower(tag)).exists()


@cache
def _for_each(statement: str, dialect: Dialect) -> Prepared:
    return Prepared(text(statement), dialect)


def _begins(column: ColumnElement[str], prefix: str) -> ColumnElement[bool]:
    return (column >= prefix) & (column < prefix + LAST)


def _counted(posts: Sequence[IndexedText]) -> list[dict[str, Any]]:
    counts = counted_words(posts)
    return [{"word": word, "backwards": word[::-1], "posts": count} for word, count in counts.items()]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
