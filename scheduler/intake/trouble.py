"""Tell the chats that follow a source, once, that it has ended or could not be read for a week."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from content.errors import AddressRefused, SkywaveError, SourceError, SourceGone, Unreachable
from content.i18n import Msgid
from content.secrets import printable
from content.types import Source
from scheduler.ports import UnitOfWork
from scheduler.types import Broadcast, BroadcastKind

# After how long, and at least how many failed reads: a clock may jump, and Skywave may not have run.
FAILING_FOR, FAILED_READS = timedelta(days=7), 5

FAILING = Msgid(
    "“{title}” could not be read for a week, so it brought no new posts.\n{reason}\n"
    "If it has a new address, subscribe to that with /subscribe, and remove this one with /unsubscribe. "
    "Until then it is tried again from time to time."
)
GONE = Msgid(
    "“{title}” was taken down by its site and is no longer read.\n{reason}\n"
    "If it has a new address, subscribe to that with /subscribe, and remove this one with /unsubscribe."
)
OUT_OF_REACH = Msgid("{url} cannot be reached: check the address.")


async def tell_of_trouble(work: UnitOfWork, source: Source, error: SkywaveError, now: datetime) -> Source:
    """The source after its followers were told of `error`, if it is time to.

    Chats that follow all public sources are not told: the operator is, by `skywave doctor` and the status.
    """
    text = _notice(source, error, now)
    if text is None:
        return source
    values = {"title": source.name, **_reason(source, error)}
    notice = await work.outbox.broadcast(Broadcast(BroadcastKind.NOTICE, body=text, values=values), now)
    if notice is not None:
        await work.outbox.tell_followers(notice, source.id, now)
    return replace(source, trouble_told=True)


def _notice(source: Source, error: SkywaveError, now: datetime) -> Msgid | None:
    """What is to be told now; None for nothing. Failures of the database are not the source's."""
    if source.trouble_told or source.failing_since is None or not isinstance(error, SourceError):
        return None
    if isinstance(error, SourceGone):
        return GONE
    is_long = now - source.failing_since >= FAILING_FOR and source.failures >= FAILED_READS
    return FAILING if is_long else None


def _reason(source: Source, error: SkywaveError) -> Mapping[str, str | int]:
    """The error as values of a notice: its sentence, and what fills that."""
    if isinstance(error, AddressRefused | Unreachable):
        # Say nothing about the network: a person may have added the source to probe for it.
        return {"reason": OUT_OF_REACH, "url": printable(source.url)}
    return {**error.values, "reason": Msgid(error.message)}
