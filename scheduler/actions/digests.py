"""A chat's digest: set, previewed, sent at once, ended."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from content.types import Post
from scheduler.actions import chats
from scheduler.actions.audit import Actor, Change, record
from scheduler.ports import UnitOfWork
from scheduler.timetable import digests as timetable
from scheduler.timetable import recurrences
from scheduler.types import Chat, Digest, WhenEmpty

SHOWN_RUNS = 3


@dataclass(frozen=True, slots=True)
class Options:
    """What editions look like; None keeps what the chat's digest has, or else the default."""

    title: str | None = None
    max_posts: int | None = None
    when_empty: WhenEmpty | None = None


AS_BEFORE = Options()


@dataclass(frozen=True, slots=True)
class DigestSet:
    """`followed_nothing`: the chat follows all public sources from now on."""

    digest: Digest
    followed_nothing: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """The posts that an edition would have now, and how many it would leave out."""

    posts: Sequence[Post]
    more: int


async def set_digest(
    work: UnitOfWork,
    by: Actor,
    chat: Chat,
    schedule: str,
    default_zone: str,
    now: datetime,
    options: Options = AS_BEFORE,
) -> DigestSet:
    """Give a chat its digest, or change the one that it has. All that it follows goes into it.

    A time zone in `schedule` becomes the chat's; without one, the chat's own counts, else `default_zone`.
    Raises NotUnderstood.
    """
    recurrence, zone = recurrences.parse(schedule)
    if zone:
        chat = await chats.change(work, by, chat, chats.Settings(timezone=zone), now) or chat
    timezone = zone or chats.zone_of(chat, default_zone)
    first = recurrences.next_run(recurrence, timezone, now)
    before = await work.digests.of(chat.id) or Digest(0, chat.id, "", "", first)
    wanted = replace(
        before,
        recurrence=str(recurrence),
        timezone=timezone,
        next_run_at=first,
        title=before.title if options.title is None else options.title,
        max_posts=options.max_posts or before.max_posts,
        when_empty=options.when_empty or before.when_empty,
    )
    saved, followed_nothing = await timetable.set_up(work, wanted)
    await record(work, by, Change.DIGEST_SET, now, f"{recurrence} {timezone}", chat=chat)
    return DigestSet(saved, followed_nothing)


def next_runs(digest: Digest, now: datetime) -> Sequence[datetime]:
    """The next runs of a digest, with the one that is due if there is one."""
    recurrence, _ = recurrences.parse(digest.recurrence)
    after = min(now, digest.next_run_at - timedelta(microseconds=1))
    return list(islice(recurrences.occurrences(recurrence, digest.timezone, after), SHOWN_RUNS))


async def preview(work: UnitOfWork, digest: Digest) -> Preview:
    """What `send` would send now."""
    ids, rest = await work.digests.waiting(digest.chat_id, digest.max_posts)
    return Preview(await work.posts.by_ids(ids), len(rest))


async def send(work: UnitOfWork, by: Actor, chat: Chat, digest: Digest, now: datetime) -> bool:
    """Make an edition of what waits, between two runs. False if there is nothing to send."""
    sent = await timetable.edition(work, digest, now, slot=None)
    if sent:
        await record(work, by, Change.DIGEST_SENT, now, chat=chat)
    return sent


async def end(work: UnitOfWork, by: Actor, chat: Chat, digest: Digest, now: datetime) -> bool:
    """End a digest: posts come as they appear again. What waits is sent; False if nothing waited."""
    sent = await timetable.end(work, digest, now)
    await record(work, by, Change.DIGEST_ENDED, now, chat=chat)
    return sent
