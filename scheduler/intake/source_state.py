"""What a read changes of its source: validators, the next poll, failures, a new address. Pure functions."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from operator import attrgetter

from content.errors import ParserKilled, SkywaveError, SourceGone
from content.fetch import ServerBusy
from content.hints import LONGEST_HINT
from content.sources import Read
from content.text import storable
from content.types import HOOK, Failure, NewPost, ParsedSource, Source, SourceState, Validators
from scheduler.retry import next_poll
from scheduler.rhythm import KILLED_WAIT, Bounds, learned, wait_after_failure, wait_after_read

# A permanent redirect must be answered at every read for this long before the stored URL changes.
MOVED_FOR = timedelta(days=1)
_TIMES = ("next_poll_at", "polled_at", "read_seconds")
_lasting = attrgetter(*(one.name for one in fields(Source) if one.name not in _TIMES))


@dataclass(frozen=True, slots=True)
class ReadTimes:
    """When a read started, when it was recorded, and how many seconds it took."""

    started_at: datetime
    now: datetime
    seconds: float


def after_read(
    source: Source, read: Read, times: ReadTimes, bounds: Bounds, new: Iterable[NewPost] = ()
) -> Source:
    """The source after a read that succeeded and found these new posts, if it had changed."""
    # Another target, or a read without the redirect, starts the time again.
    since = source.moved_since if read.moved == source.moved_to else times.now
    source = _with_stated(_with_rhythm(source, new, times.now), read)
    return replace(
        source,
        validators=_storable(read.validators),
        polled_at=times.now,
        next_poll_at=next_poll(source.next_poll_at, times.started_at, _wait(source, read, times, bounds)),
        failures=0,
        failing_since=None,
        trouble_told=False,
        last_error="",
        read_seconds=times.seconds,
        moved_to=read.moved,
        moved_since=since if read.moved else None,
    )


def _with_rhythm(source: Source, new: Iterable[NewPost], now: datetime) -> Source:
    # Old news, such as an opened archive, says nothing of the rhythm; but a first read has nothing else.
    is_first = source.polled_at is None
    posts = [post.published_at for post in new if is_first or not post.old_news]
    if not posts and source.rhythm.last is not None:
        return source
    return replace(source, rhythm=learned(source.rhythm, posts, now))


def _with_stated(source: Source, read: Read) -> Source:
    """The source with the interval that its feed states: an answer without a body does not repeat it."""
    if read.parsed is None:
        return source
    stated = min(read.parsed.hints.interval or timedelta(), LONGEST_HINT)
    return replace(source, rhythm=replace(source.rhythm, stated=stated.total_seconds()))


def _wait(source: Source, read: Read, times: ReadTimes, bounds: Bounds) -> timedelta:
    if "://" not in source.url:  # to read a folder costs nobody else anything
        bounds = replace(bounds, longest=bounds.shortest)
    asked = max(timedelta(seconds=source.rhythm.stated), read.hints.interval or timedelta())
    now, pushed = times.now, source.is_pushed(times.now)
    return wait_after_read(source.rhythm, now, bounds, asked=asked, seconds=times.seconds, pushed=pushed)


def after_push(source: Source, new: Iterable[NewPost], now: datetime) -> Source:
    """The source after it has sent posts by itself: one that is polled is judged by its reads alone."""
    source = _with_rhythm(source, new, now)
    return replace(source, polled_at=now) if source.kind == HOOK else source


def with_contents(source: Source, parsed: ParsedSource, warning: str) -> Source:
    """The source with its own title, if it was given none, and with what could not be read of it."""
    return replace(
        source,
        title=source.title or storable(parsed.title),
        warning=warning,
        unread=tuple(Failure(storable(one.name), storable(one.reason)) for one in parsed.failures),
    )


def after_failure(
    source: Source, error: SkywaveError, reason: str, times: ReadTimes, bounds: Bounds
) -> Source:
    """The source after a read that failed: it is polled less often, or paused if it is gone for good."""
    failures = source.failures + 1
    wait = wait_after_failure(bounds, failures, asked=_shortest_wait(error), seconds=times.seconds)
    return replace(
        source,
        failures=failures,
        failing_since=source.failing_since or times.now,
        last_error=reason,
        next_poll_at=times.now + wait,
        read_seconds=times.seconds,
        state=SourceState.PAUSED if isinstance(error, SourceGone) else source.state,
    )


def _shortest_wait(error: SkywaveError) -> timedelta | None:
    if isinstance(error, ParserKilled):
        return KILLED_WAIT
    return error.retry_after if isinstance(error, ServerBusy) else None


def is_routine(before: Source, after: Source) -> bool:
    """Whether a read has changed nothing of its source but when it was read, how long, and when again."""
    return _lasting(before) == _lasting(after)


def is_to_move(source: Source, now: datetime) -> bool:
    """Whether the last read succeeded and the server has named a new address for long enough.

    A failed read does not count: the guard may refuse the new address, or nothing may answer there.
    """
    if source.failures or source.moved_since is None:
        return False
    return now - source.moved_since >= MOVED_FOR


def _storable(validators: Validators) -> Validators:
    """Drop validators that are not valid Unicode, as no database stores them."""
    given = (validators.etag, validators.last_modified)
    etag, last_modified = (value if storable(value) == value else "" for value in given)
    kept = Validators(etag, last_modified, validators.content_hash)
    return validators if kept == validators else kept
