"""Digests of a chat: added, edited, previewed, sent at once, paused, removed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count, islice

from content.errors import NotFound, UsageError
from content.i18n import Msgid
from content.types import Post, Source
from scheduler.actions import chats
from scheduler.actions.audit import Actor, Change, record
from scheduler.actions.following import ALL
from scheduler.ports import UnitOfWork
from scheduler.timetable import digests as timetable
from scheduler.timetable import hours, schedules
from scheduler.timetable.recurrences import NotUnderstood
from scheduler.types import Chat, Digest, Rest, Subscription, WhenEmpty

SHOWN_RUNS = 3
# Occurrences that are looked at to tell whether a schedule meets quiet hours.
LOOKED_AT = 40
LONGEST_NAME = 20
# The most digests of a chat.
MOST = 20
MAX_POSTS = 1000
FIRST = "1"
NO_DIGEST = Msgid("This chat has no digest. For example: {examples}")
EXAMPLES = Msgid("/digest daily 09:00 Asia/Shanghai, /digest weekdays 18:30, /digest mon,thu 08:00")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a digest is to be; None keeps what it has, or else the default.

    `sources`: what comes with it; None in it is the subscription to all public sources.
    """

    schedule: str | None = None
    name: str | None = None
    title: str | None = None
    max_posts: int | None = None
    rest: Rest | None = None
    when_empty: WhenEmpty | None = None
    sources: Sequence[Source | None] | None = None


@dataclass(frozen=True, slots=True)
class DigestSet:
    """A digest as it is now.

    `followed_nothing`: the chat follows all public sources from now on. `sent`: posts that waited for it, of
    what no longer comes with it, are sent now. `emptied`: other digests that nothing belongs to any more.
    """

    digest: Digest
    followed_nothing: bool = False
    sent: bool = False
    emptied: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """The posts that an edition would have now, and how many it would leave out."""

    posts: Sequence[Post]
    more: int


async def add(
    work: UnitOfWork, by: Actor, chat: Chat, wanted: Wanted, default_zone: str, now: datetime
) -> DigestSet:
    """Give a chat a digest more. Without `sources`, all that is sent at once comes with it.

    A time zone in the schedule of its only digest becomes the chat's; without one, the chat's own counts,
    else `default_zone`. Raises UsageError, and NotUnderstood with the nearest form of the schedule.
    """
    others = await work.digests.of(chat.id)
    if len(others) >= MOST:
        raise UsageError("A chat has at most {count} digests. Remove one first.", count=MOST)
    names = {other.name for other in others}
    free = next(str(number) for number in count(1) if str(number) not in names)
    new = Digest(0, chat.id, "", "", now, name=free)
    if wanted.schedule is None:
        raise NotUnderstood("", "daily 09:00")
    return await _set(work, by, chat, new, wanted, default_zone, now)


async def edit(
    work: UnitOfWork, by: Actor, chat: Chat, digest: Digest, wanted: Wanted, default_zone: str, now: datetime
) -> DigestSet:
    """Change a digest; see `add`."""
    return await _set(work, by, chat, digest, wanted, default_zone, now)


async def put(
    work: UnitOfWork, by: Actor, chat: Chat, wanted: Wanted, default_zone: str, now: datetime
) -> DigestSet:
    """Change the chat's digest of the wanted name, or its only one if none is named; else add it."""
    for digest in await work.digests.of(chat.id):
        if digest.name == wanted.name:
            return await edit(work, by, chat, digest, wanted, default_zone, now)
    others = await work.digests.of(chat.id)
    if wanted.name is None and len(others) > 1:
        if wanted.schedule is not None:
            schedules.parse(wanted.schedule)  # says what is wrong with it first
        raise UsageError(
            "This chat has several digests. To change one: {edit}. For another one: {add}.",
            edit=f"/digest edit {others[0].name} {wanted.schedule or ''}".strip(),
            add=f"/digest add {wanted.schedule or ''}".strip(),
        )
    if wanted.name is None and others:
        only = await named(work, chat, "")
        return await edit(work, by, chat, only, wanted, default_zone, now)
    return await add(work, by, chat, wanted, default_zone, now)


async def put_alone(
    work: UnitOfWork, by: Actor, chat: Chat, wanted: Wanted, default_zone: str, now: datetime
) -> None:
    """Let one source, that of `wanted`, come at a schedule.

    A digest that only this source comes with is changed; else it joins the digest of that schedule, or a new
    one. Raises UsageError and NotUnderstood.
    """
    (source,) = wanted.sources or (None,)
    own = await _subscription(work, chat, source)
    shared = [one for one in await work.subscriptions.of(chat.id) if one.id != own.id]
    its = await work.digests.get(own.digest_id) if own.digest_id else None
    if its and its.id not in {one.digest_id for one in shared}:
        await edit(work, by, chat, its, wanted, default_zone, now)
        return
    recurrence = schedules.stored(schedules.parse(wanted.schedule or "")[0])
    same = [one for one in await work.digests.of(chat.id) if one.recurrence == recurrence]
    if same:
        await assign(work, by, chat, source, same[0], now)
    else:
        await add(work, by, chat, wanted, default_zone, now)


async def _set(
    work: UnitOfWork, by: Actor, chat: Chat, before: Digest, wanted: Wanted, default_zone: str, now: datetime
) -> DigestSet:
    digest, chat = await _changed(work, by, chat, before, wanted, default_zone, now)
    members, followed_nothing = await _members(work, chat, before, wanted)
    saved = await work.digests.save(digest)
    mine = [one.id for one in await work.subscriptions.of(chat.id) if one.digest_id == saved.id]
    sent = await timetable.take_out(work, saved, [one for one in mine if one not in members], now)
    await timetable.put_in(work, chat, saved, members, now)
    what = f"{saved.recurrence} {saved.timezone}"
    await record(work, by, Change.DIGEST_SET, now, _of(saved, what), chat=chat)
    emptied = [other.name for other in await _empty(work, chat) if other.id != saved.id]
    return DigestSet(saved, followed_nothing, sent, emptied)


async def _changed(
    work: UnitOfWork, by: Actor, chat: Chat, before: Digest, wanted: Wanted, default_zone: str, now: datetime
) -> tuple[Digest, Chat]:
    """The digest as it is wanted, and its chat, which may have another time zone now."""
    others = [one for one in await work.digests.of(chat.id) if one.id != before.id]
    digest = replace(
        before,
        name=_free_name(wanted.name, others) if wanted.name else before.name,
        title=before.title if wanted.title is None else wanted.title,
        max_posts=wanted.max_posts or before.max_posts,
        rest=wanted.rest or before.rest,
        when_empty=wanted.when_empty or before.when_empty,
    )
    if wanted.schedule is None:
        return digest, chat
    recurrence, zone = schedules.parse(wanted.schedule)
    if zone and not others:
        chat = await chats.change(work, by, chat, chats.Settings(timezone=zone), now) or chat
    zone = zone or chats.zone_of(chat, default_zone)
    digest = replace(digest, recurrence=schedules.stored(recurrence), timezone=zone)
    return replace(digest, next_run_at=timetable.following(digest, chat, now)), chat


def _free_name(name: str, others: Sequence[Digest]) -> str:
    if len(name.split()) != 1 or len(name) > LONGEST_NAME:
        raise UsageError("The name of a digest is one word of at most {count} characters", count=LONGEST_NAME)
    if any(other.name == name for other in others):
        raise UsageError("There is another digest “{name}” here", name=name)
    return name


async def _members(
    work: UnitOfWork, chat: Chat, before: Digest, wanted: Wanted
) -> tuple[Sequence[int], bool]:
    """The subscriptions that come with a digest, and whether the chat followed nothing.

    Raises UsageError if there would be none: such a digest never has posts.
    """
    if wanted.sources is not None:
        return [(await _subscription(work, chat, source)).id for source in wanted.sources], False
    followed = await work.subscriptions.of(chat.id)
    if not followed:
        await work.subscriptions.add(chat.id, None)
        return [one.id for one in await work.subscriptions.of(chat.id)], True
    mine = [one.id for one in followed if before.id and one.digest_id == before.id]
    members = mine or [one.id for one in followed if one.digest_id is None]
    if not members:
        raise UsageError(
            "This digest would be empty: all subscriptions belong to other digests. Name its sources,"
            " for example: {example}",
            example=f"{wanted.schedule or before.recurrence} for {await _name(work, followed[0])}",
        )
    return members, False


async def _subscription(work: UnitOfWork, chat: Chat, source: Source | None) -> Subscription:
    """The chat's own subscription to a source, made if it follows that one as one of all public ones."""
    own = {one.source_id: one for one in await work.subscriptions.of(chat.id)}
    wanted = source.id if source else None
    if wanted not in own:
        if source is None or source.id not in await work.subscriptions.followed(chat.id):
            name = source.name if source else Msgid("all sources")
            raise UsageError("There is no subscription to “{name}” here: subscribe to it first.", name=name)
        # What waits of it by the subscription to all goes on waiting.
        by_all = own[None]
        start = by_all.starts_after if by_all.paused_after is None else None
        await work.subscriptions.add(chat.id, source.id, start)
        own = {one.source_id: one for one in await work.subscriptions.of(chat.id)}
    return own[wanted]


async def _name(work: UnitOfWork, subscription: Subscription) -> str:
    source = await work.sources.get(subscription.source_id) if subscription.source_id else None
    return source.name if source else ALL


async def _empty(work: UnitOfWork, chat: Chat) -> Sequence[Digest]:
    """The digests of a chat that nothing belongs to."""
    used = {one.digest_id for one in await work.subscriptions.of(chat.id)}
    return [digest for digest in await work.digests.of(chat.id) if digest.id not in used]


def meets_quiet_hours(digest: Digest, chat: Chat, now: datetime) -> bool:
    """Whether some of its next slots fall into the chat's quiet hours."""
    quiet = hours.stored(chat.quiet)
    recurrence, _ = schedules.parse(digest.recurrence)
    runs = islice(schedules.occurrences(recurrence, digest.timezone, now), LOOKED_AT)
    return quiet is not None and any(quiet.after(run) != run for run in runs)


async def named(work: UnitOfWork, chat: Chat, name: str) -> Digest:
    """The chat's digest of a name; without a name, its only one. Raises NotFound and UsageError."""
    found = await work.digests.of(chat.id)
    if not found:
        raise NotFound(NO_DIGEST, examples=EXAMPLES)
    names = ", ".join(digest.name for digest in found)
    if name:
        for digest in found:
            if digest.name == name:
                return digest
        raise NotFound("There is no digest “{name}” here, only: {names}", name=name, names=names)
    if len(found) > 1:
        raise UsageError("This chat has several digests: {names}. Say which one.", names=names)
    return found[0]


async def of_chat(work: UnitOfWork, chat: Chat, digest_id: int) -> Digest:
    """The digest of an id that a button names. Raises NotFound."""
    found = await work.digests.get(digest_id)
    if found is None or found.chat_id != chat.id:
        raise NotFound("That digest was removed. /digest list shows the others.")
    return found


async def assign(
    work: UnitOfWork, by: Actor, chat: Chat, source: Source | None, digest: Digest | None, now: datetime
) -> bool:
    """Let the posts of one subscription come with a digest, or at once (None).

    Returns whether posts that waited for its digest are sent now.
    """
    subscription = await _subscription(work, chat, source)
    before = await work.digests.get(subscription.digest_id) if subscription.digest_id else None
    sent = False
    if digest is not None:
        await timetable.put_in(work, chat, digest, [subscription.id], now)
    elif before is not None:
        sent = await timetable.take_out(work, before, [subscription.id], now)
    name = source.name if source else ALL
    rhythm = f"digest {digest.name}" if digest else "at once"
    await record(work, by, Change.RHYTHM, now, f"{name}: {rhythm}", chat=chat)
    return sent


async def sources_of(work: UnitOfWork, digest: Digest) -> Sequence[str]:
    """The names of what comes with a digest, `all` for all public sources."""
    followed = await work.subscriptions.of(digest.chat_id)
    return [await _name(work, one) for one in followed if one.digest_id == digest.id]


def next_runs(digest: Digest, chat: Chat, now: datetime) -> Sequence[datetime]:
    """The next runs of a digest, with the one that is due if there is one."""
    runs = [digest.next_run_at]
    while len(runs) < SHOWN_RUNS:
        runs.append(timetable.following(digest, chat, max(runs[-1], now)))
    return runs


async def preview(work: UnitOfWork, digest: Digest) -> Preview:
    """What `send` would send now."""
    posts, rest = timetable.portion(digest, await work.digests.waiting(digest))
    return Preview(await work.posts.by_ids(posts), len(rest))


async def send(work: UnitOfWork, by: Actor, chat: Chat, digest: Digest, now: datetime) -> bool:
    """Make an edition of what waits, between two runs. False if there is nothing to send."""
    sent = await timetable.edition(work, digest, now, slot=None)
    if sent:
        await record(work, by, Change.DIGEST_SENT, now, _of(digest), chat=chat)
    return sent


async def pause(work: UnitOfWork, by: Actor, chat: Chat, digest: Digest, now: datetime) -> bool:
    """Let a digest not run until it is resumed; its posts wait. False if it is paused already."""
    if digest.paused:
        return False
    await work.digests.save(replace(digest, paused=True))
    await record(work, by, Change.DIGEST_PAUSED, now, _of(digest), chat=chat)
    return True


async def resume(work: UnitOfWork, by: Actor, chat: Chat, digest: Digest, now: datetime) -> bool:
    """Let a digest run again, from its next slot on. False if it is not paused."""
    if not digest.paused:
        return False
    next_run_at = timetable.following(digest, chat, now)
    await work.digests.save(replace(digest, paused=False, next_run_at=next_run_at))
    await record(work, by, Change.DIGEST_RESUMED, now, _of(digest), chat=chat)
    return True


async def remove(work: UnitOfWork, by: Actor, chat: Chat, digest: Digest, now: datetime) -> bool:
    """Remove a digest: its posts come as they appear again. What waits is sent; False if nothing waited."""
    sent = await timetable.end(work, digest, now)
    await record(work, by, Change.DIGEST_ENDED, now, _of(digest), chat=chat)
    return sent


def _of(digest: Digest, what: str = "") -> str:
    """What the audit says, with the digest's name unless it is the first."""
    if digest.name == FIRST:
        return what
    return f"{digest.name}: {what}" if what else digest.name
