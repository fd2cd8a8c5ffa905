"""Keep the store in step with the sources: read a source, store its posts, fan them out."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from weakref import WeakValueDictionary

from content.errors import SkywaveError, SourceError, without_frames
from content.fetch import Fetcher, is_passing
from content.sources import NO_CHOICE, Choice, Read, ReadContext, kind_of, new_options, normalise
from content.sources.discovery import Found, discover
from content.sources.feed import KIND as FEED
from content.sources.sites import feeds_at, web_address
from content.text import storable
from content.types import ParsedSource, Source, Validators, Visibility
from scheduler.actions.adding import Wanted, add_source
from scheduler.actions.audit import COMMAND_LINE, Actor
from scheduler.intake.reading import Comparison, Reader
from scheduler.intake.source_state import ReadTimes, after_failure, after_push, after_read, with_contents
from scheduler.intake.storing import PollResult, Recorder
from scheduler.log import Logger
from scheduler.ports import Clock, Store
from scheduler.push.websub import WebSub
from scheduler.quotas import Quotas
from scheduler.rhythm import Bounds

log = Logger(__name__)


class _Stopwatch:
    """Times one read, by the wall clock and by the monotonic clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started_at, self._started = clock.now(), clock.monotonic()

    def times(self) -> ReadTimes:
        """The times of a read that ends now."""
        return ReadTimes(self._started_at, self._clock.now(), self._clock.monotonic() - self._started)


class Ingest:
    """Reads sources and records the results; `wake` is called after deliveries were made.

    `bounds` limit the time between two reads of a source. `for_people` fetches the URLs that people add: it
    reaches public addresses only, whatever the operator allows for sources of their own. `hubs` are told what
    reads hint; without them no source is subscribed. `rsshub` is the URL of an RSSHub instance.
    """

    def __init__(
        self,
        store: Store,
        context: ReadContext,
        clock: Clock,
        bounds: Bounds,
        wake: Callable[[], None],
        keep_tombstones: timedelta = timedelta(days=365),
        *,
        for_people: Fetcher,
        quotas: Quotas,
        hubs: WebSub | None = None,
        rsshub: str = "",
    ) -> None:
        self._store, self._clock, self._quotas, self._rsshub = store, clock, quotas, rsshub
        self._bounds, self._wake = bounds, wake
        self._hubs = hubs
        self._alone: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._reader = Reader(store, context, for_people, clock)
        self._recorder = Recorder(store, context.run, clock, keep_tombstones)

    async def check(
        self, url: str, *, by: Actor = COMMAND_LINE, choice: Choice = NO_CHOICE, waits: bool = False
    ) -> Found:
        """Read the source with exactly this URL, without storing anything.

        With `waits`, a passing failure is not raised, but a part of what is found. Raises UsageError for a
        URL that cannot be a source, SourceError for a source that cannot be read.
        """
        kind = kind_of(url, choice)
        url, options = kind.normalise(url.strip()), new_options(kind, choice.options)
        try:
            read = await kind.read(url, options, Validators(), self._reader.context_for(by.person))
        except SourceError as exc:
            if not (waits and is_passing(exc)):
                raise
            return Found(url, choice=choice, options=options, failure=exc)
        told = options if read.found is None else replace(options, values=read.found)
        return Found(url, read.parsed or ParsedSource(), choice, told)

    async def find(
        self, address: str, *, by: Actor = COMMAND_LINE, choice: Choice = NO_CHOICE, waits: bool = False
    ) -> Found:
        """Find the source at an address that people have, and read it, without storing anything.

        Raises SeveralFeeds if a page names several feeds, and what `check` raises.
        """
        url = web_address(address.strip(), self._rsshub)
        kind = kind_of(url, choice)
        if choice.kind or kind.name != FEED:
            return await self.check(url, by=by, choice=choice, waits=waits)
        options, context = new_options(kind, choice.options), self._reader.context_for(by.person)

        async def read(feed: str) -> Read:
            return await kind.read(kind.normalise(feed), options, Validators(), context)

        found = await discover(kind.normalise(url), read)
        if found.failure and not waits:
            raise found.failure
        return replace(found, url=kind.normalise(found.url), choice=choice, options=options)

    def stored_forms(self, address: str, choice: Choice = NO_CHOICE) -> Sequence[str]:
        """The URLs that `find` may find, as far as the address itself tells them. Raises UsageError."""
        url = web_address(address.strip(), self._rsshub)
        is_feed = not choice.kind and kind_of(url).name == FEED
        return [normalise(one, choice) for one in (url, *(feeds_at(url) if is_feed else ()))]

    async def add(
        self,
        url: str,
        visibility: Visibility,
        title: str = "",
        *,
        by: Actor = COMMAND_LINE,
        choice: Choice = NO_CHOICE,
        tags: Sequence[str] = (),
        waits: bool = False,
    ) -> PollResult:
        """Add the source with exactly this URL; `check` and `add_found` say what they raise."""
        # A known source is read as well: a person must not learn from the time of the answer what others
        # follow.
        found = await self.check(url, by=by, choice=choice, waits=waits)
        return await self.add_found(found, visibility, title, by=by, tags=tags)

    async def add_found(
        self,
        found: Found,
        visibility: Visibility,
        title: str = "",
        *,
        by: Actor = COMMAND_LINE,
        tags: Sequence[str] = (),
    ) -> PollResult:
        """Add a source that was read; see `add_source` for one that is known.

        One that cannot be read now is tried again by the poller. Raises QuotaExceeded for a person.
        """
        watch, parsed = _Stopwatch(self._clock), found.parsed
        wanted = Wanted(
            found.url, title or parsed.title, visibility, tags, choice=found.choice, options=found.options
        )
        async with self._store.write() as work:
            source, before = await add_source(work, by, wanted, self._clock.now(), self._quotas)
            await work.commit()
        if source.polled_at is not None:  # a known source, whose posts are stored
            return PollResult(source, failures=source.unread, before=before)
        if found.failure:
            return await self._failed(source, found.failure, watch)
        if self._hubs:
            await self._hubs.noticed(source, parsed.hints, whole=True)
        read = Read(parsed, source.validators, hints=parsed.hints)
        result = await self._store_posts(source, read, parsed, watch)
        return replace(result, before=before)

    async def poll(self, source: Source) -> PollResult:
        """Read one source and store what has changed; any failure is recorded on the source.

        That nothing has changed is stored by the next `flush` at the latest. Raises StoreError only if a
        failure cannot be recorded either.
        """
        watch = _Stopwatch(self._clock)
        try:
            return await self._poll(source, watch)
        except SkywaveError as exc:
            return await self._failed(source, without_frames(exc), watch)
        except Exception as exc:
            # The edge of the task: a bug that one source triggers must not stop the other sources.
            log.exception("source.broken", source=source.name)
            error = SourceError("internal error: {error}", error=type(exc).__name__)
            return await self._failed(source, error, watch)

    async def take(self, source: Source, body: bytes, content_type: str, topic: str = "") -> PollResult:
        """Store the posts that a source has sent by itself, as those of a read.

        Raises SourceError, also if they are of another `topic`, and StoreError.
        """
        parsed = await self._reader.taken(source, body, content_type, topic)
        now = self._clock.now()

        def pushed(current: Source, comparison: Comparison) -> Source:
            return after_push(current, comparison.changes.new, now)

        result = await self._recorded(source, parsed, pushed)
        log.info("source.pushed", source=source.name, new=result.new, changed=result.changed)
        return result

    async def _poll(self, source: Source, watch: _Stopwatch) -> PollResult:
        read = await self._reader.read(source)
        if self._hubs:
            await self._hubs.noticed(source, read.hints, whole=read.parsed is not None)
        if read.parsed is not None:
            result = await self._store_posts(source, read, read.parsed, watch)
            if self._hubs and result.new and source.is_pushed(self._clock.now()):
                await self._hubs.missed(source)
            return result
        log.debug("source.unchanged", source=source.name)

        times = watch.times()

        def unchanged(current: Source) -> Source:
            return after_read(current, read, times, self._bounds)

        saved = await self._recorder.save_later(source, unchanged)
        return PollResult(saved, failures=saved.unread)

    async def flush(self) -> None:
        """Store which sources were read and had not changed. Raises StoreError."""
        await self._recorder.flush()

    async def settled(self) -> None:
        """Wait until everything that was begun is stored."""
        await self._recorder.settled()

    async def _store_posts(
        self, source: Source, read: Read, parsed: ParsedSource, watch: _Stopwatch
    ) -> PollResult:
        def succeeded(current: Source, comparison: Comparison) -> Source:
            polled = after_read(current, read, watch.times(), self._bounds, comparison.changes.new)
            return with_contents(polled, comparison.parsed, comparison.cut)

        result = await self._recorded(source, parsed, succeeded)
        say = log.info if result.new or result.failures else log.debug
        say("source.polled", source=source.name, new=result.new, failed_items=len(result.failures))
        return result

    async def _recorded(
        self, source: Source, parsed: ParsedSource, change: Callable[[Source, Comparison], Source]
    ) -> PollResult:
        """Compare and store what a source has, and let it be sent."""
        # A push may come during a read: both would find the same posts to be new.
        async with self._alone.setdefault(source.id, asyncio.Lock()):
            comparison = await self._reader.compare(source, parsed)
            result = await self._recorder.record(source, comparison, lambda now: change(now, comparison))
        if result.deliveries:
            self._wake()
        return result

    async def _failed(self, source: Source, error: SkywaveError, watch: _Stopwatch) -> PollResult:
        reason = storable(str(error))

        def failed(current: Source) -> Source:
            return after_failure(current, error, reason, watch.times(), self._bounds)

        saved = await self._recorder.save(source, failed, error)
        log.warning("source.failed", source=source.name, failures=saved.failures, reason=reason)
        return PollResult(saved, error=reason)
