"""Old rows are deleted in short transactions, so that others can write in between."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.actions import sources
from scheduler.actions.audit import UPKEEP
from scheduler.batches import batches
from scheduler.log import Logger
from scheduler.ports import Clock, Store, UnitOfWork

log = Logger(__name__)

# Rows that one transaction deletes.
ROWS = 500
# Posts that one upkeep deletes at most.
POSTS = 20_000
# This many of the newest posts of each source stay, whatever their age.
NEWEST = 500
# A private source that nobody follows is removed after this long.
UNFOLLOWED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Keep:
    """How long rows are kept; None: for ever. `of_source` is how many posts of a source are kept at most."""

    posts: timedelta | None = timedelta(days=730)
    of_source: int = 20_000
    deliveries: timedelta = timedelta(days=30)
    stories: timedelta = timedelta(days=2)
    searches: timedelta = timedelta(days=7)
    endings: timedelta = timedelta(days=1)
    questions: timedelta = timedelta(days=30)
    drafts: timedelta = timedelta(days=90)
    audit: timedelta = timedelta(days=365)


class Upkeep:
    def __init__(self, store: Store, clock: Clock, keep: Keep) -> None:
        self._store, self._clock, self._keep = store, clock, keep

    async def run(self) -> None:
        """Delete what is old, and private sources that no chat has followed for a month."""
        keep, now = self._keep, self._clock.now()
        await self._forget(lambda work: work.outbox.prune(now - keep.deliveries, ROWS))
        await self._forget(lambda work: work.filters.prune(now - keep.deliveries, ROWS))
        await self._forget(lambda work: work.stories.prune(now - keep.stories, ROWS))
        await self._forget(lambda work: work.searches.prune(now - keep.searches, ROWS))
        await self._forget(lambda work: work.endings.prune(now - keep.endings, ROWS))
        await self._forget(lambda work: work.questions.prune(now - keep.questions, ROWS))
        await self._forget(lambda work: work.drafts.prune(now - keep.drafts, ROWS))
        await self._forget(lambda work: work.audit.prune(now - keep.audit, ROWS))
        if keep.posts is not None:
            await self._forget_posts(now - keep.posts, NEWEST)
        await self._forget_posts(now, keep.of_source)
        await self._remove_unfollowed(now)

    async def _forget(self, some: Callable[[UnitOfWork], Awaitable[int]]) -> None:
        forgotten = ROWS
        while forgotten >= ROWS:
            async with self._store.write() as work:
                forgotten = await some(work)
                await work.commit()

    async def _forget_posts(self, before: datetime, newest: int) -> None:
        async with self._store.read() as work:
            old = await work.posts.prunable(before, newest, POSTS)
        forgotten = 0
        for batch in batches(old, lambda post: post[1]):
            async with self._store.write() as work:
                forgotten += await work.posts.forget([post_id for post_id, _ in batch], self._clock.now())
                await work.commit()
        if forgotten:
            log.info("posts.forgotten", posts=forgotten)

    async def _remove_unfollowed(self, now: datetime) -> None:
        async with self._store.write() as work:
            await work.sources.note_unfollowed(now)
            await work.commit()
        async with self._store.read() as work:
            forgotten = await work.sources.unfollowed(now - UNFOLLOWED)
        for source in forgotten:
            removed = await sources.remove(self._store, UPKEEP, source.id, now, only_unfollowed=True)
            if removed is not None:
                log.info("source.removed", source=source.name, reason="no chat has followed it for a month")
