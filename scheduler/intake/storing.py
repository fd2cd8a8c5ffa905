"""Store what a read of a source has changed, and fan its new posts out."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from content.changes import HANDFUL, Changes
from content.errors import SkywaveError, StoreRejected
from content.secrets import printable
from content.sources.kinds import Run
from content.tokens import IndexedText, index_all
from content.types import Failure, NewPost, Source, Visibility
from scheduler.batches import batches
from scheduler.intake.fanout import fan_out
from scheduler.intake.reading import Comparison
from scheduler.intake.source_state import is_routine, is_to_move
from scheduler.intake.together import GROUP, Together
from scheduler.intake.trouble import tell_of_trouble
from scheduler.judging import NOT_YET, Judged, judge, settle
from scheduler.log import Logger
from scheduler.ports import Batch, Clock, Store, UnitOfWork
from scheduler.stories import recognise

log = Logger(__name__)

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


@dataclass(frozen=True, slots=True)
class _Save:
    """A change of a source; if its read failed by `error`, those who follow it may be told."""

    source: Source
    change: Change
    error: SkywaveError | None = None


@dataclass(frozen=True, slots=True)
class _Finish:
    """The end of a read: its last posts that are not sent, and the tokens of the edition if that is small."""

    source: Source
    comparison: Comparison
    silent: Sequence[NewPost]
    tokens: Sequence[IndexedText] | None
    judged: Judged
    change: Change


class Recorder:
    """Writes posts and sources to the store, in short transactions that several reads share.

    `run` does slow work outside the event loop. A tombstone is kept until its source has not shown the post
    for `keep_tombstones`.
    """

    def __init__(self, store: Store, run: Run, clock: Clock, keep_tombstones: timedelta) -> None:
        self._store, self._run, self._clock = store, run, clock
        self._keep_tombstones = keep_tombstones
        self._finish = Together(self._finish_all, GROUP)
        self._save = Together(self._save_all, TOGETHER)
        self._unsaved: dict[int, tuple[Source, Source]] = {}
        self._flushing = asyncio.Lock()
        self._lock = asyncio.Lock()

    async def record(self, source: Source, comparison: Comparison, change: Change) -> PollResult:
        """Store new and changed posts and what `change` makes of the source, and make the deliveries."""
        edition = comparison.edition
        sent = {post.guid for post in edition}
        # Posts that are not sent go first, the last of them into the transaction of the others. Those are
        # stored together with their deliveries, so that a crash between the transactions loses no delivery.
        silent = [post for post in comparison.changes.new if post.guid not in sent]
        *first, last = list(batches(silent, lambda post: len(post.text))) or [[]]
        for posts in first:
            await self._insert(source, posts, comparison)
        for changed in batches(comparison.changes.changed, lambda change: len(change[1].text)):
            await self._update(changed)
        for again in batches(comparison.changes.again, lambda _: 0):
            await self._rename({post_id: post.guid for post_id, post in again})
        if comparison.changes.withdrawn or comparison.changes.returned or comparison.changes.seen:
            await self._withdraw(comparison.changes)
        # A few news are found as soon as they are sent. What comes in great numbers is indexed later.
        is_news = 0 < len(edition) <= HANDFUL
        tokens = await self._run(index_all, edition) if is_news else None
        judged = await self._judged(source, [*last, *edition], comparison, edition, tokens or ())
        self._unsaved.pop(source.id, None)
        return await self._finish(_Finish(source, comparison, last, tokens, judged, change))

    async def save(self, source: Source, change: Change, error: SkywaveError | None = None) -> Source:
        """Apply `change` to the source as it is stored now; people may have changed or removed it.

        If the read failed by `error`, those who follow the source may be told.
        """
        self._unsaved.pop(source.id, None)
        return await self._save(_Save(source, change, error))

    async def save_later(self, source: Source, change: Change) -> Source:
        """As `save`, but together with others, at the latest by the next `flush`.

        After a crash before that the source is only read again.
        """
        changed = change(source)
        if is_to_move(changed, self._clock.now()) or not is_routine(source, changed):
            return await self.save(source, change)
        self._unsaved[source.id] = source, changed
        if len(self._unsaved) >= TOGETHER:
            await self.flush()
        return changed

    async def flush(self) -> None:
        """Store what `save_later` has kept. Raises StoreError, and keeps it for the next time."""
        async with self._flushing:
            unsaved, self._unsaved = self._unsaved, {}
            if not unsaved:
                return
            try:
                async with self._write() as work:
                    await work.sources.note_reads(list(unsaved.values()))
                    await work.commit()
            except StoreRejected as exc:
                # It is not known whose values they are, and these sources are read again in any case.
                log.error("sources.not_saved", sources=len(unsaved), reason=str(exc))
            except BaseException:
                self._unsaved = unsaved | self._unsaved
                raise

    async def settled(self) -> None:
        """Wait until everything that was begun is stored, also for reads that were cancelled."""
        await self._finish.settled()
        await self._save.settled()

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[UnitOfWork]:
        """One group of reads writes at a time, so that a person's command waits for one group at most."""
        async with self._lock, self._store.write() as work:
            yield work

    async def _save_all(self, jobs: Sequence[_Save]) -> Sequence[Source]:
        """Save sources whose reads have failed; those that were removed stay as they were."""
        async with self._write() as work:
            saved = [await self._saved(work, job) for job in jobs]
            await work.commit()
        return saved

    async def _saved(self, work: UnitOfWork, job: _Save) -> Source:
        current = await work.sources.get(job.source.id)
        if current is None:
            return job.source
        changed = await self._with_new_address(work, job.change(current))
        if job.error is not None:
            changed = await tell_of_trouble(work, changed, job.error, self._clock.now())
        await work.sources.save(changed)
        if changed.state is not current.state:
            await work.sources.set_state(changed.id, changed.state)
        return changed

    async def _judged(
        self,
        source: Source,
        posts: Sequence[NewPost],
        comparison: Comparison,
        tokenized: Sequence[NewPost] = (),
        tokens: Sequence[IndexedText] = (),
    ) -> Judged:
        """What filters say of posts. One that is new since the comparison is asked when they are stored."""
        if not comparison.is_filtered:
            return NOT_YET
        known = {post.guid: of_post for post, of_post in zip(tokenized, tokens, strict=False)}
        return await judge(self._store, self._run, source, posts, [known.get(post.guid) for post in posts])

    async def _insert(self, source: Source, posts: Sequence[NewPost], comparison: Comparison) -> None:
        judged = await self._judged(source, posts, comparison)
        async with self._write() as work:
            current = await work.sources.get(source.id)
            if current is not None:  # else it was removed meanwhile
                (ids,) = await work.posts.insert_all([Batch(source.id, posts)], self._clock.now())
                await settle(work, current, ids, judged)
                await work.commit()

    async def _update(self, changed: Sequence[tuple[int, NewPost]]) -> None:
        # Before the transaction, because it takes long for a long text.
        tokens = await self._run(index_all, [post for _, post in changed])
        async with self._write() as work:
            await work.posts.update(changed, self._clock.now(), tokens)
            await work.commit()

    async def _rename(self, guids: Mapping[int, str]) -> None:
        async with self._write() as work:
            await work.posts.rename(guids)
            await work.commit()

    async def _withdraw(self, found: Changes) -> None:
        """Record which posts the source has deleted, which it has again, and what the others look like."""
        async with self._write() as work:
            await work.posts.set_withdrawn(found.withdrawn, True, self._clock.now())
            await work.posts.set_withdrawn(found.returned, False, self._clock.now())
            await work.posts.set_raw_hashes(found.seen)
            await work.commit()

    async def _finish_all(self, jobs: Sequence[_Finish]) -> Sequence[PollResult]:
        """Store the ends of several reads: posts, deliveries and sources, in one transaction."""
        async with self._write() as work:
            stored = {source.id: source for source in await work.sources.by_ids([j.source.id for j in jobs])}
            alive = [job for job in jobs if job.source.id in stored]  # others were removed meanwhile
            now, polled = self._clock.now(), dict[int, PollResult]()
            added = iter(
                await work.posts.insert_all([batch for job in alive for batch in _batches(job)], now)
            )
            filtered = await work.filters.are_used()
            followed = await work.subscriptions.have_followers(stored)
            for job in alive:
                current, silent, edition = stored[job.source.id], next(added), next(added)
                if filtered:
                    await settle(work, current, [*silent, *edition], job.judged)
                sent = edition if current.id in followed else ()
                polled[current.id] = await self._polled(work, job, current, sent)
            await work.sources.save(*(result.source for result in polled.values()))
            await work.commit()
        return [polled.get(job.source.id, PollResult(job.source)) for job in jobs]

    async def _polled(
        self, work: UnitOfWork, job: _Finish, current: Source, edition: Sequence[int]
    ) -> PollResult:
        """Let the edition be sent; the source is still to be saved."""
        comparison, found, now = job.comparison, job.comparison.changes, self._clock.now()
        if comparison.has_tombstones:
            await work.posts.still_shown(current.id, found.buried, now, now - self._keep_tombstones)
        await recognise(work, edition, now)
        made = await fan_out(work, current, edition, comparison.left_out, now) if edition else 0
        polled = await self._with_new_address(work, job.change(current))
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


def _batches(job: _Finish) -> tuple[Batch, Batch]:
    """The posts of a read that are not sent, and those that are."""
    edition = job.comparison.edition
    return Batch(job.source.id, job.silent), Batch(job.source.id, edition, job.tokens)
