"""Index posts that were stored without: those of a first read, and others that come in great numbers.

A table names the posts that wait, so a crash loses none.
"""

import asyncio
from collections.abc import Callable, Sequence

from content.errors import SourceError
from content.search import Unindexed
from content.sources import ReadContext
from content.tokens import IndexedText, index_texts
from scheduler.batches import batches
from scheduler.log import Logger
from scheduler.ports import Store

log = Logger(__name__)

# Posts that are held in memory at once.
POSTS = 200
# Indexing takes less time than storing and indexing, so a transaction has room for so many batches.
ROOM = 4
# While sources are being read, indexing waits for so many ticks.
PATIENCE = 5


def _ignore(posts: int) -> None:
    return


class Indexing:
    """Indexes posts in short transactions. `is_busy`: whether sources are being read, which comes first."""

    def __init__(self, store: Store, context: ReadContext, is_busy: Callable[[], bool]) -> None:
        self._store, self._context, self._is_busy = store, context, is_busy
        self._waited = 0

    async def run_due(self) -> None:
        """Index all posts that wait, unless sources are being read and posts have waited little."""
        self._waited += 1
        if not self._is_busy() or self._waited > PATIENCE:
            self._waited = 0
            await self.run()

    async def run(self, on_indexed: Callable[[int], None] = _ignore) -> None:
        """Index all posts that wait; `on_indexed` gets the number of each batch. Raises StoreError."""
        writing: asyncio.Task[None] | None = None
        last = 0
        try:
            while posts := await self._waiting(last):
                for batch in batches(posts, lambda post: len(post.text), ROOM):
                    tokens = await self._tokens(batch)
                    if writing:
                        await writing
                    # While one batch is written, another process makes the tokens of the next one.
                    writing = asyncio.create_task(self._write(batch, tokens, on_indexed))
                last = posts[-1].id
        finally:
            if writing:
                await writing

    async def _waiting(self, after: int) -> Sequence[Unindexed]:
        async with self._store.read() as work:
            return await work.index.waiting(POSTS, after)

    async def _write(
        self, batch: Sequence[Unindexed], tokens: Sequence[IndexedText], on_indexed: Callable[[int], None]
    ) -> None:
        async with self._store.write() as work:
            await work.index.add_waiting(list(zip([post.id for post in batch], tokens, strict=True)))
            await work.commit()
        on_indexed(len(batch))

    async def _tokens(self, posts: Sequence[Unindexed]) -> Sequence[IndexedText]:
        texts = [(post.title, post.text, post.tags) for post in posts]
        try:
            return await self._context.parse("the search index", index_texts, texts)
        except SourceError as exc:
            # The worker was killed, perhaps because the machine is overloaded. No post must wait for ever.
            log.warning("index.slow", posts=len(posts), reason=str(exc))
            return await self._context.run(index_texts, texts)
