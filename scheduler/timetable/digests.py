"""Due digests become broadcasts. A slot runs once, also after a crash or a repeated tick."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from scheduler.log import Logger
from scheduler.ports import Clock, Store, UnitOfWork
from scheduler.stories import once
from scheduler.timetable import hours
from scheduler.timetable.schedules import next_run, parse
from scheduler.types import Broadcast, BroadcastKind, Chat, Digest, Rest, WhenEmpty

log = Logger(__name__)

# No transaction that stores a post seen longer ago than this can still be open.
SETTLED = timedelta(minutes=10)
SKIPPED = "beyond the digest's maximum"


class Digests:
    """Runs the digests that are due; `wake` is called when deliveries were made."""

    def __init__(self, store: Store, clock: Clock, wake: Callable[[], None]) -> None:
        self._store, self._clock, self._wake = store, clock, wake

    async def run_due(self) -> int:
        """Make an edition for each digest that is due; returns how many. Missed slots become one."""
        async with self._store.read() as work:
            due = await work.digests.due(self._clock.now())
        made = 0
        for digest in due:
            made += await self._run(digest.id)
        if made:
            self._wake()
        return made

    async def _run(self, digest_id: int) -> bool:
        now = self._clock.now()
        async with self._store.write() as work:
            digest = await work.digests.get(digest_id)
            # It may have been changed, or run by another process, meanwhile.
            if digest is None or digest.paused or digest.next_run_at > now:
                return False
            made = await self._run_in(work, digest, now)
            await work.commit()
        return made

    async def _run_in(self, work: UnitOfWork, digest: Digest, now: datetime) -> bool:
        chat = await work.chats.get(digest.chat_id)
        assert chat is not None, "a digest goes with its chat"
        later = replace(digest, next_run_at=following(digest, chat, now))
        if chat.gets_nothing:  # its posts are skipped when it comes back
            await work.digests.save(later)
            return False
        if (loud := _loud(chat, now)) > now:  # it is late, and quiet hours have begun
            await work.digests.save(replace(digest, next_run_at=loud))
            return False
        made = await edition(work, digest, now, slot=digest.next_run_at)
        await work.digests.save(replace(later, last_run_at=now))
        rest = await work.digests.waiting(digest) if digest.rest is Rest.NEXT else ()
        await work.digests.advance(digest.id, now - SETTLED, rest)
        log.info("digest.run", digest=digest.id, slot=digest.next_run_at.isoformat(), sent=made)
        return made

    async def refresh(self) -> None:
        """Compute the next runs again, as rules of time zones may have changed. Overdue digests stay due."""
        now = self._clock.now()
        async with self._store.write() as work:
            for chat_id in {digest.chat_id for digest in await work.digests.all()}:
                chat = await work.chats.get(chat_id)
                if chat is not None:
                    await reschedule(work, chat, chat, now)
            await work.commit()


def following(digest: Digest, chat: Chat, after: datetime) -> datetime:
    """When a digest runs next after an instant. What falls into quiet hours moves to their end."""
    recurrence, _ = parse(digest.recurrence)
    return _loud(chat, next_run(recurrence, digest.timezone, after))


def _loud(chat: Chat, instant: datetime) -> datetime:
    quiet = hours.stored(chat.quiet)
    return quiet.after(instant) if quiet else instant


async def reschedule(work: UnitOfWork, before: Chat, chat: Chat, now: datetime) -> None:
    """Compute the next runs of a chat's digests again: its quiet hours or their instants have changed."""
    for digest in await work.digests.of(chat.id):
        if digest.next_run_at > now:
            waits = before.is_quiet(now) and digest.next_run_at == before.quiet_until
            if waits and following(digest, before, now) != digest.next_run_at:
                next_run_at = _loud(chat, now)  # its slot has passed, in quiet hours
            else:
                next_run_at = following(digest, chat, now)
            await work.digests.save(replace(digest, next_run_at=next_run_at))


def portion(digest: Digest, posts: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
    """The posts of an edition, and those beyond the digest's maximum; see Rest."""
    if digest.rest is Rest.NEXT:
        return posts[: digest.max_posts], posts[digest.max_posts :]
    beyond = max(len(posts) - digest.max_posts, 0)
    return posts[beyond:], posts[:beyond]


async def edition(
    work: UnitOfWork,
    digest: Digest,
    now: datetime,
    *,
    slot: datetime | None,
    subscriptions: Sequence[int] | None = None,
) -> bool:
    """Make an edition of the posts that wait for a digest, or only of those of some subscriptions.

    False if there is none to send, its slot has run, or its chat is gone or banned.
    """
    chat = await work.chats.get(digest.chat_id)
    if chat is None or chat.gets_nothing:
        return False
    waiting = await once(work, chat, await work.digests.waiting(digest, subscriptions))
    posts, rest = portion(digest, waiting)
    if not posts and digest.when_empty is WhenEmpty.SKIP:
        return False
    broadcast = Broadcast(
        BroadcastKind.EDITION, tuple(posts), digest.title, len(rest), digest_id=digest.id, slot=slot
    )
    broadcast_id = await work.outbox.broadcast(broadcast, now)
    if broadcast_id is None:
        return False
    if digest.rest is Rest.NEVER:
        await work.outbox.skip(digest.chat_id, rest, SKIPPED)
    return await work.outbox.deliver(broadcast_id, digest.chat_id, now)


async def put_in(
    work: UnitOfWork, chat: Chat, digest: Digest, subscriptions: Sequence[int], now: datetime
) -> None:
    """Let the posts of subscriptions come with a digest from now on."""
    at_once = [
        one.id
        for one in await work.subscriptions.of(chat.id)
        if one.id in subscriptions and one.digest_id is None
    ]
    await work.subscriptions.assign(subscriptions, digest.id)
    # Posts that editions left out before must not come with the digest; those that quiet hours hold must.
    await work.subscriptions.restart(at_once, chat.quiet_from if chat.is_quiet(now) else None)


async def take_out(work: UnitOfWork, digest: Digest, subscriptions: Sequence[int], now: datetime) -> bool:
    """Let the posts of subscriptions of a digest come at once from now on.

    Those that wait are one last edition; False if there are none.
    """
    last = replace(digest, when_empty=WhenEmpty.SKIP, rest=Rest.NEVER)
    sent = await edition(work, last, now, slot=None, subscriptions=subscriptions)
    await work.subscriptions.assign(subscriptions, None)
    await work.subscriptions.restart(subscriptions)
    return sent


async def end(work: UnitOfWork, digest: Digest, now: datetime) -> bool:
    """Remove a digest: the posts of its subscriptions come at once again.

    What waits is sent; False if nothing waited.
    """
    mine = [one.id for one in await work.subscriptions.of(digest.chat_id) if one.digest_id == digest.id]
    sent = await take_out(work, digest, mine, now)
    await work.digests.remove(digest.id)
    return sent
