"""What a read changes of its source: validators, the next poll, failures, a new address. Pure functions."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from content.errors import ParserKilled, SkywaveError, SourceGone
from content.fetch import ServerBusy
from content.text import storable
from content.types import HOOK, Failure, ParsedSource, Source, SourceState, Validators
from scheduler.retry import KILLED_WAIT, next_poll, poll_backoff, poll_wait

# A permanent redirect must be answered at every read for this long before the stored URL changes.
MOVED_FOR = timedelta(days=1)
# The wait between two reads of a source that tells of its posts by itself.
PUSHED_WAIT = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class ReadTimes:
    """When a read started, when it was recorded, and how many seconds it took."""

    started_at: datetime
    now: datetime
    seconds: float


def after_read(
    source: Source, validators: Validators, moved: str, times: ReadTimes, interval: timedelta
) -> Source:
    """The source after a read that succeeded, whether or not anything had changed."""
    # Another target, or a read without the redirect, starts the time again.
    since = source.moved_since if moved == source.moved_to else times.now
    wait = poll_wait(interval, times.seconds)
    if source.is_pushed(times.now):
        wait = max(wait, PUSHED_WAIT)
    return replace(
        source,
        validators=_storable(validators),
        polled_at=times.now,
        next_poll_at=next_poll(source.next_poll_at, times.started_at, wait),
        failures=0,
        last_error="",
        read_seconds=times.seconds,
        moved_to=moved,
        moved_since=since if moved else None,
    )


def after_push(source: Source, now: datetime) -> Source:
    """The source after it has sent posts by itself: one that is polled is judged by its reads alone."""
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
    source: Source, error: SkywaveError, reason: str, times: ReadTimes, interval: timedelta
) -> Source:
    """The source after a read that failed: it is polled less often, or paused if it is gone for good."""
    failures = source.failures + 1
    wait = poll_backoff(poll_wait(interval, times.seconds), failures, _shortest_wait(error))
    return replace(
        source,
        failures=failures,
        last_error=reason,
        next_poll_at=times.now + wait,
        read_seconds=times.seconds,
        state=SourceState.PAUSED if isinstance(error, SourceGone) else source.state,
    )


def _shortest_wait(error: SkywaveError) -> timedelta | None:
    if isinstance(error, ParserKilled):
        return KILLED_WAIT
    return error.retry_after if isinstance(error, ServerBusy) else None


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
    return replace(validators, etag=etag, last_modified=last_modified)
