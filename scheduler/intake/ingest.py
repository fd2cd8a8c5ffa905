"""Read a source → store its posts → fan them out. Nothing is fetched while a transaction is open."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from content import changes
from content.bounds import newest
from content.changes import HANDFUL, Changes
from content.errors import ParserKilled, SkywaveError, SourceError, SourceGone
from content.fetch import Fetcher, ServerBusy, is_passing
from content.secrets import printable
from content.sources import Read, ReadContext, kind_named, kind_of, normalise
from content.text import storable
from content.types import Failure, NewPost, ParsedSource, Source, SourceState, Validators, Visibility
from scheduler.batches import batches
from scheduler.ports import Clock, Store, UnitOfWork
from scheduler.quotas import Quotas
from scheduler.retry import KILLED_WAIT, next_poll, poll_backoff, poll_wait
from scheduler.types import Broadcast, BroadcastKind

log = structlog.get_logger(__name__)

# More news than `HANDFUL` in one read is one edition, of the newest posts; the others are counted in it.
EDITION = 30
# A server that names another address for good at every read for so long means it.
MOVED_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PollResult:
    """What one read of one source did. `error` is empty when it could be read.

    `cut` says that it has more posts than were read; `before`, what a source that is added was already.
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
class _Begun:
    """When a read began, on both clocks."""

    at: datetime
    monotonic: float


@dataclass(frozen=True, slots=True)
class _Gathered:
    """What a read gave: posts that are compared with the known ones, and what to record of the read."""

    parsed: ParsedSource
    found: Changes
    validators: Validators
    begun: _Begun
    moved: str = ""

    @property
    def edition(self) -> Sequence[NewPost]:
        """The posts that are sent at once to chats without a digest."""
        return [post for post in self.found.new if not post.old_news][-EDITION:]

    @property
    def news(self) -> int:
        return sum(not post.old_news for post in self.found.new)


class Ingest:
    """Keeps the store in step with the sources; `wake` is called when deliveries were made.

    A tombstone is kept until its source has not had the post for `keep_tombstones`.
    """

    def __init__(
        self,
        store: Store,
        context: ReadContext,
        clock: Clock,
        interval: timedelta,
        wake: Callable[[], None],
        keep_tombstones: timedelta = timedelta(days=365),
        *,
        for_people: Fetcher,
        quotas: Quotas,
    ) -> None:
        self._store, self._context, self._clock = store, context, clock
        self._interval, self._wake, self._quotas = interval, wake, quotas
        self._keep_tombstones = keep_tombstones
        self._turn = asyncio.Lock()
        self._for_people = replace(context, fetcher=for_people)

    def _context_for(self, added_by: str) -> ReadContext:
        """People's URLs reach public addresses only, whatever the operator allows the own ones."""
        return self._for_people if added_by else self._context

    async def check(self, url: str, *, added_by: str = "") -> tuple[str, ParsedSource]:
        """Fetch and parse without storing: the URL in its stored form, and what is there.

        Raises UsageError for what cannot be a source, SourceError for what cannot be read.
        """
        url = normalise(url)
        read = await kind_of(url).read(url, Validators(), self._context_for(added_by))
        return url, read.parsed or ParsedSource()

    async def add(
        self,
        url: str,
        visibility: Visibility,
        title: str = "",
        *,
        added_by: str = "",
        tags: Sequence[str] = (),
        waits: bool = False,
    ) -> PollResult:
        """Add a source after it could be read once; a known one is made public if that is asked for.

        Tags are added to those that a known one has.

        `added_by` is a person; empty, an operator or the command line. Raises UsageError and SourceError as
        `check` does, QuotaExceeded for a person. With `waits`, one that cannot be read for a passing reason
        is added all the same, and tried again by the poller.
        """
        begun, failure = self._begin(), None
        try:
            url, parsed = await self.check(url, added_by=added_by)
        except SourceError as exc:
            if not (waits and is_passing(exc)):
                raise
            url, parsed, failure = normalise(url), ParsedSource(), exc
        async with self._store.write() as work:
            source = await work.sources.by_url(url)
            before = source.visibility if source else None
            if source is None:
                if added_by:
                    await self._quotas.may_add(work, added_by)
                source = await work.sources.add(
                    kind_of(url).name, url, storable(title or parsed.title), visibility, added_by=added_by
                )
            elif visibility is Visibility.PUBLIC:
                source = _made_public(source)
                await work.sources.save(source)
            if not set(tags) <= set(source.tags):
                source = replace(source, tags=tuple(dict.fromkeys((*source.tags, *map(storable, tags)))))
                await work.sources.save(source)
            await work.commit()
        if failure and source.polled_at is None:
            return await self._failed(source, failure, begun)
        if source.polled_at is not None:
            return PollResult(source, failures=source.unread, before=before)
        return replace(await self._take(source, parsed, source.validators, begun), before=before)

    async def poll(self, source: Source) -> PollResult:
        """Read one source and store what is new. A failure of any kind is recorded on the source.

        Raises StoreError only if that cannot be recorded either.
        """
        begun = self._begin()
        try:
            return await self._poll(source, begun)
        except SkywaveError as exc:
            return await self._failed(source, exc, begun)
        except Exception as exc:
            # The edge of the task: whatever broke, the other sources are read, and this one later.
            log.exception("source.broken", source=source.name)
            return await self._failed(
                source, SourceError("internal error: {error}", error=type(exc).__name__), begun
            )

    async def _poll(self, source: Source, begun: _Begun) -> PollResult:
        context = self._context_for(source.added_by)
        read: Read = await kind_named(source.kind).read(source.url, source.validators, context)
        if read.parsed is not None:
            return await self._take(source, read.parsed, read.validators, begun, read.moved)
        log.debug("source.unchanged", source=source.name)
        saved = await self._save(source, lambda now: self._read(now, read.validators, begun, read.moved))
        return PollResult(saved, failures=saved.unread)

    async def _take(
        self, source: Source, parsed: ParsedSource, validators: Validators, begun: _Begun, moved: str = ""
    ) -> PollResult:
        found = await self._compare(source, parsed)
        gathered = _Gathered(parsed, found, validators, begun, moved)
        edition = gathered.edition
        announced = {post.guid for post in edition}
        # A crash in between loses nothing: what is to be sent now is stored together with its deliveries.
        stored = [post for post in found.new if post.guid not in announced]
        for batch in batches(stored, lambda post: len(post.text)):
            await self._insert(source, batch)
        for changed in batches(found.changed, lambda change: len(change[1].text)):
            await self._update(source, changed)
        return await self._finish(source, gathered, edition)

    async def _compare(self, source: Source, parsed: ParsedSource) -> Changes:
        async with self._store.read() as work:
            known = await work.posts.known(source.id)
            current = await work.sources.get(source.id) or source
        now, run = self._clock.now(), self._context.run
        dates = [post.published_at for post in parsed.posts]
        posts = newest(parsed.posts, dates, self._context.max_posts)
        taken = replace(parsed, posts=tuple(posts))
        found = await run(changes.diff, known, taken, source_url=source.url, now=now)
        cut = len(posts) < max(parsed.total, len(parsed.posts))
        told = await run(changes.with_old_news, found.new, known, since=current.polled_at, now=now, cut=cut)
        return replace(found, new=told)

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[UnitOfWork]:
        """One source at a time, so that what people do waits for one batch of posts at most."""
        async with self._turn, self._store.write() as work:
            yield work

    async def _insert(self, source: Source, posts: Sequence[NewPost]) -> None:
        tokens = await self._context.run(changes.index_all, posts)
        async with self._write() as work:
            if await work.sources.get(source.id) is not None:  # else it was removed meanwhile
                await work.posts.insert(source.id, posts, self._clock.now(), tokens)
                await work.commit()

    async def _update(self, source: Source, changed: Sequence[tuple[int, NewPost]]) -> None:
        tokens = await self._context.run(changes.index_all, [post for _, post in changed])
        async with self._write() as work:
            await work.posts.update(changed, tokens)
            await work.commit()

    async def _finish(self, source: Source, read: _Gathered, edition: Sequence[NewPost]) -> PollResult:
        """Store what is news, with its deliveries and what was learned of the source, or nothing of it."""
        tokens = await self._context.run(changes.index_all, edition)
        async with self._write() as work:
            current = await work.sources.get(source.id)
            if current is None:  # removed meanwhile
                return PollResult(source)
            now = self._clock.now()
            ids = await work.posts.insert(source.id, edition, now, tokens)
            await work.posts.still_shown(source.id, read.found.buried, now, now - self._keep_tombstones)
            polled = await self._moved(work, self._succeeded(current, read))
            await work.sources.save(polled)
            made = await self._fan_out(work, current, ids, read.news - len(edition))
            await work.commit()
        new, failures = len(read.found.new), read.parsed.failures
        say = log.info if new or failures else log.debug
        say("source.polled", source=source.name, new=new, failed_items=len(failures))
        if made:
            self._wake()
        cut = changes.cut_short(read.parsed, self._kept(read.parsed))
        return PollResult(polled, new, len(read.found.changed), made, failures, cut=cut)

    async def _fan_out(self, work: UnitOfWork, source: Source, ids: Sequence[int], more: int) -> int:
        now = self._clock.now()
        if len(ids) > HANDFUL:
            broadcasts = [Broadcast(BroadcastKind.EDITION, tuple(ids), more=more)]
        else:
            broadcasts = [Broadcast(BroadcastKind.POST, (post_id,)) for post_id in ids]
        made = 0
        for broadcast in broadcasts:
            broadcast_id = await work.outbox.broadcast(broadcast, now)
            if broadcast_id is not None:
                made += await work.outbox.fan_out(broadcast_id, source, now)
        return made

    def _begin(self) -> _Begun:
        return _Begun(self._clock.now(), self._clock.monotonic())

    def _seconds(self, begun: _Begun) -> float:
        return self._clock.monotonic() - begun.monotonic

    def _kept(self, parsed: ParsedSource) -> int:
        return min(len(parsed.posts), self._context.max_posts)

    def _succeeded(self, source: Source, read: _Gathered) -> Source:
        return replace(
            self._read(source, read.validators, read.begun, read.moved),
            title=source.title or storable(read.parsed.title),
            warning=changes.cut_short(read.parsed, self._kept(read.parsed)),
            unread=tuple(Failure(storable(one.name), storable(one.reason)) for one in read.parsed.failures),
        )

    def _read(self, source: Source, validators: Validators, begun: _Begun, moved: str) -> Source:
        """A source after a read that succeeded, also if it has not changed."""
        seconds, now = self._seconds(begun), self._clock.now()
        wait = poll_wait(source.interval or self._interval, seconds)
        return replace(
            source,
            validators=_storable(validators),
            polled_at=now,
            next_poll_at=next_poll(source.next_poll_at, begun.at, wait),
            failures=0,
            last_error="",
            read_seconds=seconds,
            moved_to=moved,
            moved_since=(source.moved_since if moved == source.moved_to else now) if moved else None,
        )

    async def _moved(self, work: UnitOfWork, source: Source) -> Source:
        """A source at the address that its server has named for long enough, if no other source has it.

        A read that fails changes nothing: the guard may refuse the address, or nobody is there.
        """
        since = None if source.failures else source.moved_since
        if since is None or self._clock.now() - since < MOVED_FOR:
            return source
        if await work.sources.by_url(source.moved_to) is not None:
            return source
        log.info("source.moved", source=source.name, to=printable(source.moved_to))
        return replace(source, url=source.moved_to, moved_to="", moved_since=None)

    async def _failed(self, source: Source, error: SkywaveError, begun: _Begun) -> PollResult:
        asked = error.retry_after if isinstance(error, ServerBusy) else None
        reason = storable(str(error))
        if isinstance(error, ParserKilled):
            asked = KILLED_WAIT

        def failed(now: Source) -> Source:
            seconds = self._seconds(begun)
            interval = poll_wait(now.interval or self._interval, seconds)
            return replace(
                now,
                failures=now.failures + 1,
                last_error=reason,
                next_poll_at=self._clock.now() + poll_backoff(interval, now.failures + 1, asked),
                read_seconds=seconds,
                state=SourceState.PAUSED if isinstance(error, SourceGone) else now.state,
            )

        saved = await self._save(source, failed)
        log.warning("source.failed", source=source.name, failures=saved.failures, reason=reason)
        return PollResult(saved, error=reason)

    async def _save(self, source: Source, change: Callable[[Source], Source]) -> Source:
        """Store what a read changed of a source, as it is now: people may have changed or removed it."""
        async with self._write() as work:
            current = await work.sources.get(source.id)
            if current is None:
                return source
            changed = await self._moved(work, change(current))
            await work.sources.save(changed)
            if changed.state is not current.state:
                await work.sources.set_state(changed.id, changed.state)
            await work.commit()
        return changed


def _made_public(source: Source) -> Source:
    """A source for everybody, and the operator's. If nobody followed it, what has come is old news."""
    polled_at = source.polled_at if source.unfollowed_since is None else None
    return replace(
        source, visibility=Visibility.PUBLIC, polled_at=polled_at, unfollowed_since=None, added_by=""
    )


def _storable(validators: Validators) -> Validators:
    """Validators that can be stored as they are: a server's header is bytes, and may be no text."""
    given = (validators.etag, validators.last_modified)
    etag, last_modified = (value if storable(value) == value else "" for value in given)
    return replace(validators, etag=etag, last_modified=last_modified)
