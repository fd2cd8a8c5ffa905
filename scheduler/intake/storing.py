"""Store what a read of a source has changed, and fan its new posts out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from content.changes import Changes
from content.secrets import printable
from content.sources.kinds import Run
from content.tokens import index_all
from content.types import Failure, NewPost, Source, Visibility
from scheduler.batches import batches
from scheduler.intake.fanout import fan_out
from scheduler.intake.reading import Comparison
from scheduler.intake.source_state import is_to_move
from scheduler.judging import judge, settle
from scheduler.ports import Clock, Store, UnitOfWork
from scheduler.stories import recognise

log = structlog.get_logger(__name__)

Change = Callable[[Source], Source]


@dataclass(frozen=True, slots=True)
class PollResult:
    """What one read of one source did. `error` is empty if the source could be read.

    `cut` is a warning that not all posts were read. `before` is the visibility that a source had before it
    was added, None if it was new.
    """

    source: Source
    new: int = 0
    changed: int = 0
    deliveries: int = 0
    failures: tuple[Failure, ...] = ()
    error: str = ""
    cut: str = ""
    before: Visibility | None = None


class Recorder:
    """Writes posts and sources to the store, in short transactions.

    `run` does slow work outside the event loop. A tombstone is kept until its source has not shown the post
    for `keep_tombstones`.
    """

    def __init__(self, store: Store, run: Run, clock: Clock, keep_tombstones: timedelta) -> None:
        self._store, self._run, self._clock = store, run, clock
        self._keep_tombstones = keep_tombstones
        self._lock = asyncio.Lock()

    async def record(self, source: Source, comparison: Comparison, change: Change) -> PollResult:
        """Store new and changed posts and what `change` makes of the source, and make the deliveries."""
        edition = comparison.edition
        sent = {post.guid for post in edition}
        # Posts that are not sent go first, in transactions of their own. The others are stored together with
        # their deliveries, so that a crash between the transactions loses no delivery.
        silent = [post for post in comparison.changes.new if post.guid not in sent]
        for posts in batches(silent, lambda post: len(post.text)):
            await self._insert(source, posts)
        for changed in batches(comparison.changes.changed, lambda change: len(change[1].text)):
            await self._update(changed)
        for again in batches(comparison.changes.again, lambda _: 0):
            await self._rename({post_id: post.guid for post_id, post in again})
        if comparison.changes.withdrawn or comparison.changes.returned:
            await self._withdraw(comparison.changes)
        return await self._finish(source, comparison, edition, change)

    async def save(self, source: Source, change: Change) -> Source:
        """Apply `change` to the source as it is stored now; people may have changed or removed it."""
        async with self._write() as work:
            current = await work.sources.get(source.id)
            if current is None:
                return source
            changed = await self._with_new_address(work, change(current))
            await work.sources.save(changed)
            if changed.state is not current.state:
                await work.sources.set_state(changed.id, changed.state)
            await work.commit()
        return changed

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[UnitOfWork]:
        """One source writes at a time, so that a person's command waits for one batch of posts at most."""
        async with self._lock, self._store.write() as work:
            yield work

    async def _insert(self, source: Source, posts: Sequence[NewPost]) -> None:
        # Before the transaction, because it takes long for a long text.
        tokens = await self._run(index_all, posts)
        judged = await judge(self._store, self._run, source, posts, tokens)
        async with self._write() as work:
            current = await work.sources.get(source.id)
            if current is not None:  # else it was removed meanwhile
                ids = await work.posts.insert(source.id, posts, self._clock.now(), tokens)
                await settle(work, current, ids, judged)
                if not all(post.old_news for post in posts):
                    await recognise(work, ids, self._clock.now())
                await work.commit()

    async def _update(self, changed: Sequence[tuple[int, NewPost]]) -> None:
        tokens = await self._run(index_all, [post for _, post in changed])
        async with self._write() as work:
            await work.posts.update(changed, self._clock.now(), tokens)
            await work.commit()

    async def _rename(self, guids: Mapping[int, str]) -> None:
        async with self._write() as work:
            await work.posts.rename(guids)
            await work.commit()

    async def _withdraw(self, found: Changes) -> None:
        """Record which posts the source has deleted, and which it has again."""
        async with self._write() as work:
            await work.posts.set_withdrawn(found.withdrawn, True, self._clock.now())
            await work.posts.set_withdrawn(found.returned, False, self._clock.now())
            await work.commit()

    async def _finish(
        self, source: Source, comparison: Comparison, edition: Sequence[NewPost], change: Change
    ) -> PollResult:
        """Store the edition, its deliveries and the source in one transaction."""
        found = comparison.changes
        tokens = await self._run(index_all, edition)
        judged = await judge(self._store, self._run, source, edition, tokens)
        async with self._write() as work:
            current = await work.sources.get(source.id)
            if current is None:  # removed meanwhile
                return PollResult(source)
            now = self._clock.now()
            ids = await work.posts.insert(source.id, edition, now, tokens)
            await settle(work, current, ids, judged)
            await recognise(work, ids, now)
            await work.posts.still_shown(source.id, found.buried, now, now - self._keep_tombstones)
            polled = await self._with_new_address(work, change(current))
            await work.sources.save(polled)
            made = await fan_out(work, current, ids, comparison.left_out, now)
            await work.commit()
        failures = comparison.parsed.failures
        return PollResult(polled, len(found.new), len(found.changed), made, failures, cut=comparison.cut)

    async def _with_new_address(self, work: UnitOfWork, source: Source) -> Source:
        """The source at the address that it has moved to, unless another source has that one."""
        if not is_to_move(source, self._clock.now()):
            return source
        if await work.sources.by_url(source.moved_to) is not None:
            return source
        log.info("source.moved", source=source.name, to=printable(source.moved_to))
        return replace(source, url=source.moved_to, moved_to="", moved_since=None)
