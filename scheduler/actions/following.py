"""What a chat follows: to follow a source or all public ones, and to end that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from content.i18n import Msgid
from content.types import Source, Visibility
from scheduler.actions.audit import Actor, Change, record
from scheduler.judging import judge_waiting
from scheduler.ports import UnitOfWork
from scheduler.quotas import Quotas
from scheduler.timetable import quiet
from scheduler.types import FOREVER, Chat, Digest, Subscription

# What people type for everything, and what the audit calls it.
ALL = "all"
# Why a delivery is cancelled.
UNSUBSCRIBED = Msgid("unsubscribed")


@dataclass(frozen=True, slots=True)
class Outlook:
    """How the posts of a subscription come: with `digest`, or at once if that is None.

    `only_examples`: no posts come, as examples are never sent.
    """

    digest: Digest | None
    only_examples: bool


@dataclass(frozen=True, slots=True)
class Unfollowed:
    """How many subscriptions have `ended`, and how many deliveries were `cancelled`.

    `through_all`: the chat goes on following the source as one of all public ones. `digests`: they stay
    scheduled although nothing belongs to them any more. `number`: what `undo` takes.
    """

    ended: int
    cancelled: int = 0
    number: int = 0
    through_all: bool = False
    digests: Sequence[Digest] = ()


async def follow(
    work: UnitOfWork, by: Actor, chat: Chat, source: Source | None, now: datetime, quotas: Quotas
) -> bool:
    """Let a chat follow a source (None: all public ones) from the next post on. False if it did already.

    Raises QuotaExceeded.
    """
    if by.limited and source:
        await quotas.may_follow(work, chat.id, source)
    added = await work.subscriptions.add(chat.id, source.id if source else None)
    if added:
        await record(work, by, Change.SUBSCRIBE, now, _name(source), chat=chat)
    return added


async def outlook(work: UnitOfWork, chat: Chat, source: Source | None) -> Outlook:
    """What a chat can expect that follows a source (None: all public ones)."""
    if source:
        only_examples = source.visibility is Visibility.EXAMPLE
    else:
        visible = await work.sources.visible_to(chat.id)
        only_examples = not any(one.visibility is Visibility.PUBLIC for one in visible)
    wanted = source.id if source else None
    own = [one for one in await work.subscriptions.of(chat.id) if one.source_id == wanted]
    digest = await work.digests.get(own[0].digest_id) if own and own[0].digest_id else None
    return Outlook(digest, only_examples)


async def unfollow(
    work: UnitOfWork, by: Actor, chat: Chat, source: Source | None, now: datetime
) -> Unfollowed:
    """End a chat's own subscription to a source, or everything that it follows if that is None.

    Its deliveries of what it no longer follows are cancelled.
    """
    subscriptions = await work.subscriptions.of(chat.id)
    ended = [one for one in subscriptions if _is(one, source)]
    if not ended:
        followed = await work.subscriptions.followed(chat.id)
        return Unfollowed(0, through_all=source is not None and source.id in followed)
    return await end(work, by, chat, ended, now, _name(source))


async def end(
    work: UnitOfWork, by: Actor, chat: Chat, ended: Sequence[Subscription], now: datetime, name: str
) -> Unfollowed:
    """End some of a chat's subscriptions, and cancel its deliveries of what it no longer follows."""
    before = await work.subscriptions.followed(chat.id)
    number = await work.endings.keep(chat.id, [one.id for one in ended], now)
    for one in ended:
        await work.subscriptions.remove(chat.id, one.source_id)
    await record(work, by, Change.UNSUBSCRIBE, now, name, chat=chat)
    if not await work.subscriptions.of(chat.id):
        cancelled = await work.outbox.cancel(UNSUBSCRIBED, now, chat_id=chat.id)
        return Unfollowed(len(ended), cancelled, number, digests=await _emptied(work, chat, ended))
    after, cancelled = await work.subscriptions.followed(chat.id), 0
    for source_id in sorted(set(before) - set(after)):
        cancelled += await work.outbox.cancel(UNSUBSCRIBED, now, chat_id=chat.id, source_id=source_id)
    through_all = any(one.source_id in after for one in ended)
    return Unfollowed(len(ended), cancelled, number, through_all, await _emptied(work, chat, ended))


async def undo(work: UnitOfWork, by: Actor, chat: Chat, number: int, now: datetime) -> int | None:
    """Restore the subscriptions that were ended under a number, as they were; returns how many.

    None if that was long ago, or undone before. Deliveries that were cancelled stay so.
    """
    restored = await work.endings.restore(chat.id, number)
    for one in await work.subscriptions.of(chat.id) if restored else ():
        if one.filter:  # a digest also has the posts that came meanwhile
            filter_id = await work.filters.keep(one.filter, now)
            await judge_waiting(work, chat.id, one.source_id, filter_id, one.filter)
    if restored:
        await record(work, by, Change.SUBSCRIBE, now, f"undo, {restored}", chat=chat)
    return restored


async def _emptied(work: UnitOfWork, chat: Chat, ended: Sequence[Subscription]) -> Sequence[Digest]:
    """The digests of subscriptions that have ended, if no other belongs to them."""
    used = {one.digest_id for one in await work.subscriptions.of(chat.id)}
    had = {one.digest_id for one in ended}
    return [one for one in await work.digests.of(chat.id) if one.id in had and one.id not in used]


async def pause(
    work: UnitOfWork, by: Actor, chat: Chat, source: Source | None, until: datetime | None, now: datetime
) -> int:
    """Send no posts of a chat's own subscription to a source, or of any (None), until a moment.

    Posts in between are not sent later. `until` is None: until `resume`. Returns how many are paused now.
    """
    paused = [one for one in await work.subscriptions.of(chat.id) if _is(one, source)]
    return await pause_some(work, by, chat, paused, until, now, _name(source))


async def pause_some(
    work: UnitOfWork,
    by: Actor,
    chat: Chat,
    paused: Sequence[Subscription],
    until: datetime | None,
    now: datetime,
    name: str,
) -> int:
    """The same for some of a chat's subscriptions, which the audit calls `name`."""
    await work.subscriptions.pause([one.id for one in paused], until or FOREVER)
    if paused:
        what = f"{name} until {until:%Y-%m-%d %H:%M} UTC" if until else name
        await record(work, by, Change.PAUSE, now, what, chat=chat)
    return len(paused)


async def resume(work: UnitOfWork, by: Actor, chat: Chat, source: Source | None, now: datetime) -> int:
    """Send the posts of a chat's own subscription to a source, or of all (None), from now on again.

    Returns how many were paused.
    """
    mine = [one for one in await work.subscriptions.of(chat.id) if _is(one, source)]
    return await resume_some(work, by, chat, mine, now, _name(source))


async def resume_some(
    work: UnitOfWork, by: Actor, chat: Chat, some: Sequence[Subscription], now: datetime, name: str
) -> int:
    """The same for some of a chat's subscriptions, which the audit calls `name`."""
    paused = [one for one in some if one.paused_after is not None]
    await quiet.resume(work, paused)
    if paused:
        await record(work, by, Change.RESUME, now, name, chat=chat)
    return len(paused)


def _is(subscription: Subscription, source: Source | None) -> bool:
    return source is None or subscription.source_id == source.id


async def visible_sources(work: UnitOfWork, chat: Chat) -> Sequence[tuple[Source, bool]]:
    """The sources that a chat may see, each with whether the chat follows it."""
    followed = await work.subscriptions.followed(chat.id)
    return [(source, source.id in followed) for source in await work.sources.visible_to(chat.id)]


def _name(source: Source | None) -> str:
    return source.name if source else ALL
