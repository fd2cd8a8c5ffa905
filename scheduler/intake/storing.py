"""Store what a read of a source has changed, and fan its new posts out."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import structlog

from content.changes import HANDFUL, Changes
from content.errors import SkywaveError, StoreRejected
from content.secrets import printable
from content.sources.kinds import Run
from content.tokens import index_all
from content.types import Failure, NewPost, Source, Visibility
from scheduler.batches import batches
from scheduler.intake.fanout import fan_out
from scheduler.intake.reading import Comparison
from scheduler.intake.source_state import is_to_move
from scheduler.intake.trouble import tell_of_trouble
from scheduler.intake.writer import Writer
from scheduler.judging import judge, settle
from scheduler.ports import Clock, Store, UnitOfWork
from scheduler.stories import recognise

log = structlog.get_logger(__name__)

Change = Callable[[Source], Source]

# So many sources that have not changed are saved together.
TOGETHER = 200


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
    """Writes posts and sources to the store, in short transactions that several reads share.

    `run` does slow work outside the event loop. A tombstone is kept until its source has not shown the post
    for `keep_tombstones`.
    """

    def __init__(self, store: Store, run: Run, clock: Clock, keep_tombstones: timedelta) -> None:
        self._store, self._run, self._clock = store, run, clock
        self._keep_tombstones = keep_tombstones
        self._writer = Writer(store, clock)
        self._unsaved: dict[int, Change] = {}
        self._flushing = asyncio.Lock()

    async def record(self, source: Source, comparison: Comparison, change: Change) -> PollResult:
        """Store new and changed posts and what `change` makes of the source, and make the deliveries."""
        edition = comparison.edition
        sent = {post.guid for post in edition}
        # Posts that are not sent go first, the last of them into the transaction of the others. Those are
        # stored together with their deliveries, so that a crash between the transactions loses no delivery.
        silent = [post for post in comparison.changes.new if post.guid not in sent]
        *first, last = list(batches(silent, lambda post: len(post.text))) or [[]]
        for posts in first:
            await self._insert(source, posts)
        for changed in batches(comparison.changes.changed, lambda change: len(change[1].text)):
            await self._update(changed)
        for again in batches(comparison.changes.again, lambda _: 0):
            guids = {post_id: post.guid for post_id, post in again}
            await self._writer.write(partial(self._rename, guids))
        if comparison.changes.withdrawn or comparison.changes.returned:
            await self._writer.write(partial(self._withdraw, comparison.changes))
        return await self._finish(source, comparison, last, change)

    async def save(self, source: Source, change: Change, error: SkywaveError | None = None) -> Source:
        """Apply `change` to the source as it is stored now; people may have changed or removed it.

        If the read failed by `error`, those who follow the source may be told.
        """
        self._unsaved.pop(source.id, None)
        return await self._writer.write(partial(self._save, source, change, error))

    async def save_later(self, source: Source, change: Change) -> Source:
        """As `save`, but together with others, at the latest by the next `flush`.

        After a crash before that the source is only read again.
        """
        changed = change(source)
        if is_to_move(changed, self._clock.now()):
            return await self.save(source, change)
        self._unsaved[source.id] = change
        if len(self._unsaved) >= TOGETHER:
            await self.flush()
        return changed

    async def flush(self) -> None:
        """Store what `save_later` has kept. Raises StoreError, and keeps it for the next time."""
        async with self._flushing:
            unsaved, self._unsaved = self._unsaved, {}
            try:
                if unsaved:
                    await self._writer.write(partial(self._save_all, unsaved))
            except StoreRejected as exc:
                # It is not known whose values they are, and these sources are read again in any case.
                log.error("sources.not_saved", sources=len(unsaved), reason=str(exc))
            except BaseException:
                self._unsaved = unsaved | self._unsaved
                raise

    async def settled(self) -> None:
        """Wait until everything that was begun is stored, also for reads that were cancelled."""
        await self._writer.settled()

    async def _save(
        self, source: Source, change: Change, error: SkywaveError | None, work: UnitOfWork
    ) -> Source:
        current = await work.sources.get(source.id)
        if current is None:
            return source
        changed = await self._with_new_address(work, change(current))
        if error is not None:
            changed = await tell_of_trouble(work, changed, error, self._clock.now())
        await work.sources.save(changed)
        if changed.state is not current.state:
            await work.sources.set_state(changed.id, changed.state)
        return changed

    async def _save_all(self, changed: Mapping[int, Change], work: UnitOfWork) -> None:
        """Apply changes to sources, by their ids."""
        stored = await work.sources.by_ids(list(changed))
        await work.sources.save(*(changed[source.id](source) for source in stored))

    async def _insert(self, source: Source, posts: Sequence[NewPost]) -> None:
        judged = await judge(self._store, self._run, source, posts, [None] * len(posts))

        async def insert(work: UnitOfWork) -> None:
            current = await work.sources.get(source.id)
            if current is not None:  # else it was removed meanwhile
                ids = await work.posts.insert(source.id, posts, self._clock.now(), later=True)
                await settle(work, current, ids, judged)

        await self._writer.write(insert)

    async def _update(self, changed: Sequence[tuple[int, NewPost]]) -> None:
        # Before the transaction, because it takes long for a long text.
        tokens = await self._run(index_all, [post for _, post in changed])

        async def update(work: UnitOfWork) -> None:
            await work.posts.update(changed, self._clock.now(), tokens)

        await self._writer.write(update)

    async def _rename(self, guids: Mapping[int, str], work: UnitOfWork) -> None:
        await work.posts.rename(guids)

    async def _withdraw(self, found: Changes, work: UnitOfWork) -> None:
        """Record which posts the source has deleted, and which it has again."""
        await work.posts.set_withdrawn(found.withdrawn, True, self._clock.now())
        await work.posts.set_withdrawn(found.returned, False, self._clock.now())

    async def _finish(
        self, source: Source, comparison: Comparison, silent: Sequence[NewPost], change: Change
    ) -> PollResult:
        """Store the last posts that are not sent, the edition, its deliveries and the source together."""
        edition, found = comparison.edition, comparison.changes
        # A few news are found as soon as they are sent. What comes in great numbers is indexed later.
        is_news = len(edition) <= HANDFUL
        tokens = await self._run(index_all, edition) if edition and is_news else None
        known = dict(zip((post.guid for post in edition), tokens or (), strict=False))
        posts = [*silent, *edition]
        judged = await judge(self._store, self._run, source, posts, [known.get(post.guid) for post in posts])
        self._unsaved.pop(source.id, None)

        async def finish(work: UnitOfWork) -> PollResult:
            current = await work.sources.get(source.id)
            if current is None:  # removed meanwhile
                return PollResult(source)
            now = self._clock.now()
            quiet = await work.posts.insert(source.id, silent, now, later=True)
            ids = await work.posts.insert(source.id, edition, now, tokens, later=not is_news)
            await settle(work, current, [*quiet, *ids], judged)
            await recognise(work, ids, now)
            if comparison.has_tombstones:
                await work.posts.still_shown(source.id, found.buried, now, now - self._keep_tombstones)
            polled = await self._with_new_address(work, change(current))
            await work.sources.save(polled)
            made = await fan_out(work, current, ids, comparison.left_out, now)
            failures = comparison.parsed.failures
            return PollResult(polled, len(found.new), len(found.changed), made, failures, cut=comparison.cut)

        return await self._writer.write(finish)

    async def _with_new_address(self, work: UnitOfWork, source: Source) -> Source:
        """The source at the address that it has moved to, unless another source has that one."""
        if not is_to_move(source, self._clock.now()):
            return source
        if await work.sources.by_url(source.moved_to) is not None:
            return source
        log.info("source.moved", source=source.name, to=printable(source.moved_to))
        return replace(source, url=source.moved_to, moved_to="", moved_since=None)
