"""Read a source, and compare its posts with the stored ones. No transaction is open during a read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from content import changes
from content.bounds import newest
from content.changes import Changes
from content.errors import ParseError
from content.fetch import Fetcher
from content.secrets import printable
from content.sources import Hashes, Read, ReadContext, read_source, take_pushed
from content.types import OPENING, KnownPost, NewPost, ParsedSource, Source, Validators
from scheduler.intake.full_text import FullText
from scheduler.intake.together import GROUP, Together
from scheduler.ports import Clock, Store
from scheduler.push.pushes import is_topic

# If one read brings more than `HANDFUL` new posts, the newest of them are sent as one edition.
EDITION = 30


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a read of a source changes.

    `cut` is a warning that names how many posts were read, if the source has more. `has_tombstones`: posts of
    it were deleted. `is_filtered`: there are filters, which may be asked about its posts.
    """

    parsed: ParsedSource
    changes: Changes
    cut: str
    has_tombstones: bool = False
    is_filtered: bool = True

    @property
    def edition(self) -> Sequence[NewPost]:
        """The posts that are sent at once to chats without a digest."""
        return self._news[-EDITION:]

    @property
    def left_out(self) -> int:
        """How many posts are news but did not fit into the edition."""
        return len(self._news) - len(self.edition)

    @property
    def _news(self) -> list[NewPost]:
        return [post for post in self.changes.new if not post.old_news]


class Reader:
    """Reads sources; those that people added through `for_people`, which reaches public addresses only."""

    def __init__(self, store: Store, context: ReadContext, for_people: Fetcher, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._known = Together(self._known_of, GROUP)
        self._hashes = Together(self._hashes_of, GROUP)
        self._context = context
        self._for_people = replace(context, fetcher=for_people)
        self._full_text = FullText(store)

    async def read(self, source: Source) -> Read:
        """Read a stored source. Raises SourceError."""
        context = self.context_for(source.added_by)
        if source.polled_at is not None:
            context = replace(context, hashes=partial(self._hashes, source.id))
        return await read_source(source, context)

    async def _hashes_of(self, ids: Sequence[int]) -> Sequence[Hashes]:
        """The raw hashes of the posts of several sources."""
        async with self._store.read() as work:
            found = await work.posts.raw_hashes(ids, 2 * self._context.max_posts)
        return [found[source_id] for source_id in ids]

    async def taken(self, source: Source, body: bytes, content_type: str, topic: str) -> ParsedSource:
        """The posts that a source has sent by itself. Raises SourceError, also for another topic."""
        parsed = await take_pushed(source, body, content_type, self.context_for(source.added_by))
        if topic and not is_topic(parsed.hints.topic, topic, source.url):
            raise ParseError(
                "{url} was sent the posts of {other}, which were left out",
                url=printable(source.url),
                other=printable(parsed.hints.topic),
            )
        return replace(parsed, partial=True)

    async def compare(self, source: Source, parsed: ParsedSource) -> Comparison:
        """Compare what was read with the stored posts, and get the full texts of a source that wants them.

        Comparing may take seconds, so it is done outside the event loop.
        """
        known, stored, is_filtered = await self._known(source.id)
        current = stored or source
        now, run = self._clock.now(), self._context.run
        posts = newest(parsed.posts, [post.published_at for post in parsed.posts], self._context.max_posts)
        kept = replace(parsed, posts=tuple(posts))
        is_cut = len(posts) < max(parsed.total, len(parsed.posts))

        def with_news(found: Changes) -> Changes:
            again = [post for _, post in found.again]
            since = current.polled_at
            new = changes.with_old_news(found.new, known, since=since, now=now, cut=is_cut, again=again)
            return replace(found, new=new)

        def differences() -> tuple[Changes, Mapping[str, KnownPost]]:
            found = changes.diff(known, kept, source_url=source.url, now=now)
            pairs = changes.doubles(found, known) if not parsed.partial else {}
            return found if pairs or found.is_incomplete else with_news(found), pairs

        found, pairs = await run(differences)
        if found.is_incomplete:
            whole = replace(source, validators=Validators())
            again = await read_source(whole, self.context_for(source.added_by))
            return await self.compare(source, again.parsed or ParsedSource())
        if pairs:
            found = await run(with_news, await self._renumbered(found, pairs, now))
        cut = changes.cut_short(parsed, len(posts))
        context = self.context_for(source.added_by)
        parsed, found = await self._full_text.fill(current, parsed, found, context)
        has_tombstones = any(not post.id for post in known)
        return Comparison(parsed, found, cut, has_tombstones, is_filtered)

    async def _known_of(
        self, ids: Sequence[int]
    ) -> Sequence[tuple[Sequence[KnownPost], Source | None, bool]]:
        """The posts of several sources, the sources, and whether there are filters.

        Another process, or a person, may have changed a source since it was found to be due.
        """
        async with self._store.read() as work:
            known = await work.posts.known(ids)
            stored = {source.id: source for source in await work.sources.by_ids(ids)}
            is_filtered = await work.filters.are_used()
        return [(known[source_id], stored.get(source_id), is_filtered) for source_id in ids]

    async def _renumbered(self, found: Changes, pairs: Mapping[str, KnownPost], now: datetime) -> Changes:
        """The changes, with stored posts recognised though the source has given them new guids and URLs."""
        async with self._store.read() as work:
            ids = [post.id for post in pairs.values()]
            beginnings = {one.id: one for one in await work.posts.beginnings(ids, OPENING)}
        return changes.renumbered(found, pairs, beginnings, now)

    def context_for(self, added_by: str) -> ReadContext:
        """The context for a source that a person added, or for one of the operator (`added_by` is empty)."""
        return self._for_people if added_by else self._context
