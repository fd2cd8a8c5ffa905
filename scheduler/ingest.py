"""Poll a source → store its posts → fan them out. Nothing is fetched while a transaction is open."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from content import changes
from content.errors import ParserKilled, SkywaveError, SourceError
from content.fetch import ServerBusy
from content.sources import ReadContext, kind_of, normalise
from content.types import Failure, ParsedSource, Source, Validators, Visibility
from scheduler.ports import Clock, Store, UnitOfWork
from scheduler.retry import KILLED_WAIT, poll_backoff
from scheduler.types import Broadcast, BroadcastKind

log = structlog.get_logger(__name__)

# More instant posts than this in one poll become one edition, so that no chat is flooded.
SINGLE_POSTS = 5
# Sources that are read at once.
CONCURRENCY = 20


@dataclass(frozen=True, slots=True)
class PollResult:
    """What one poll of one source did. `error` is empty when it could be read."""

    source: Source
    new: int = 0
    changed: int = 0
    deliveries: int = 0
    failures: tuple[Failure, ...] = ()
    error: str = ""


class Ingest:
    """Keeps the store in step with the sources; `wake` is called when deliveries were made."""

    def __init__(
        self,
        store: Store,
        context: ReadContext,
        clock: Clock,
        interval: timedelta,
        wake: Callable[[], None],
    ) -> None:
        self._store, self._context, self._clock = store, context, clock
        self._interval, self._wake = interval, wake

    async def check(self, url: str) -> tuple[str, ParsedSource]:
        """Fetch and parse without storing: the URL in its stored form, and what is there.

        Raises UsageError for what cannot be a source, SourceError for what cannot be read.
        """
        url = normalise(url)
        read = await kind_of(url).read(url, Validators(), self._context)
        return url, read.parsed or ParsedSource()

    async def add(self, url: str, visibility: Visibility, title: str = "") -> PollResult:
        """Add a source after it could be read once; a known one is made public if that is asked for.

        Raises UsageError and SourceError as `check` does.
        """
        url, parsed = await self.check(url)
        async with self._store.write() as work:
            source = await work.sources.by_url(url)
            if source is None:
                source = await work.sources.add(kind_of(url).name, url, title or parsed.title, visibility)
            elif visibility is Visibility.PUBLIC:
                source = replace(source, visibility=visibility)
                await work.sources.save(source)
            await work.commit()
        return (
            await self._take(source, parsed, source.validators)
            if source.polled_at is None
            else PollResult(source)
        )

    async def poll_due(self) -> Sequence[PollResult]:
        """Poll the sources that are due."""
        async with self._store.read() as work:
            due = await work.sources.due(self._clock.now())
        return [result async for result in self.poll_each(due)]

    async def poll_each(self, sources: Sequence[Source]) -> AsyncIterator[PollResult]:
        """Poll sources side by side, giving each result as it comes."""
        room = asyncio.Semaphore(CONCURRENCY)

        async def one(source: Source) -> PollResult:
            async with room:
                return await self._guarded(source)

        tasks = [asyncio.create_task(one(source)) for source in sources]
        try:
            for finished in asyncio.as_completed(tasks):
                yield await finished
        finally:
            for task in tasks:
                task.cancel()

    async def _guarded(self, source: Source) -> PollResult:
        try:
            return await self.poll(source)
        except SkywaveError:
            raise
        except Exception as exc:
            # The edge of the task: whatever broke, the other sources are polled, and this one later.
            log.exception("source.broken", source=source.name)
            return await self._failed(source, SourceError(f"internal error: {type(exc).__name__}"))

    async def poll(self, source: Source) -> PollResult:
        """Read one source and store what is new; a failure is recorded on the source, not raised."""
        try:
            read = await kind_of(source.url).read(source.url, source.validators, self._context)
        except SourceError as exc:
            return await self._failed(source, exc)
        if read.parsed is None:
            log.debug("source.unchanged", source=source.name)
            return PollResult(await self._save(source, lambda now: self._succeeded(now, "", read.validators)))
        return await self._take(source, read.parsed, read.validators)

    async def _take(self, source: Source, parsed: ParsedSource, validators: Validators) -> PollResult:
        async with self._store.read() as work:
            known = await work.posts.known(source.id)
        now = self._clock.now()
        found = await self._context.run(changes.diff, known, parsed, source_url=source.url, now=now)
        async with self._store.write() as work:
            current = await work.sources.get(source.id)
            if current is None:  # removed meanwhile
                return PollResult(source)
            ids = await work.posts.insert(source.id, found.new, now)
            await work.posts.update(found.changed)
            first = current.polled_at is None
            polled = self._succeeded(current, parsed.title, validators)
            if first and ids:
                polled = replace(polled, starts_after=ids[-1])
            await work.sources.save(polled)
            deliveries = 0 if first or not ids else await self._fan_out(work, current, ids)
            await work.commit()
        say = log.info if ids or parsed.failures else log.debug
        say("source.polled", source=source.name, new=len(ids), failed_items=len(parsed.failures))
        if deliveries:
            self._wake()
        return PollResult(polled, len(ids), len(found.changed), deliveries, parsed.failures)

    async def _fan_out(self, work: UnitOfWork, source: Source, ids: Sequence[int]) -> int:
        now = self._clock.now()
        editions = [ids] if len(ids) > SINGLE_POSTS else [[post_id] for post_id in ids]
        kind = BroadcastKind.EDITION if len(ids) > SINGLE_POSTS else BroadcastKind.POST
        made = 0
        for posts in editions:
            broadcast_id = await work.outbox.broadcast(Broadcast(kind, tuple(posts)), now)
            if broadcast_id is not None:
                made += await work.outbox.fan_out(broadcast_id, source, now)
        return made

    def _succeeded(self, source: Source, title: str, validators: Validators) -> Source:
        now = self._clock.now()
        return replace(
            source,
            title=source.title or title,
            validators=validators,
            polled_at=now,
            next_poll_at=now + (source.interval or self._interval),
            failures=0,
            last_error="",
        )

    async def _failed(self, source: Source, error: SourceError) -> PollResult:
        asked = error.retry_after if isinstance(error, ServerBusy) else None
        if isinstance(error, ParserKilled):
            asked = KILLED_WAIT

        def failed(now: Source) -> Source:
            wait = poll_backoff(now.interval or self._interval, now.failures + 1, asked)
            due = self._clock.now() + wait
            return replace(now, failures=now.failures + 1, last_error=str(error), next_poll_at=due)

        saved = await self._save(source, failed)
        log.warning("source.failed", source=source.name, failures=saved.failures, reason=str(error))
        return PollResult(saved, error=str(error))

    async def _save(self, source: Source, change: Callable[[Source], Source]) -> Source:
        """Store what a poll changed of a source, as it is now: people may have changed or removed it."""
        async with self._store.write() as work:
            current = await work.sources.get(source.id)
            if current is None:
                return source
            changed = change(current)
            await work.sources.save(changed)
            await work.commit()
        return changed
