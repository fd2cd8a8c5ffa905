"""Due digests become broadcasts. A slot runs once, also after a crash or a repeated tick."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from scheduler.ports import Clock, Store, UnitOfWork
from scheduler.timetable.recurrences import next_run, parse
from scheduler.types import Broadcast, BroadcastKind, Digest, Mode, WhenEmpty

log = structlog.get_logger(__name__)

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
            made += await self._run(digest.chat_id)
        if made:
            self._wake()
        return made

    async def _run(self, chat_id: int) -> bool:
        now = self._clock.now()
        async with self._store.write() as work:
            digest = await work.digests.of(chat_id)
            if digest is None or digest.next_run_at > now:  # changed, or run by another process, meanwhile
                return False
            later = replace(digest, next_run_at=following(digest, now))
            if await _gets_nothing(work, chat_id):  # its posts are skipped when it comes back
                await work.digests.save(later)
                await work.commit()
                return False
            made = await edition(work, digest, now, slot=digest.next_run_at)
            await work.digests.save(replace(later, last_run_at=now))
            await work.digests.advance(chat_id, now - SETTLED)
            await work.commit()
        log.info("digest.run", digest=digest.id, slot=digest.next_run_at.isoformat(), sent=made)
        return made

    async def refresh(self) -> None:
        """Compute the next runs again, as rules of time zones may have changed. Overdue digests stay due."""
        now = self._clock.now()
        async with self._store.write() as work:
            for digest in await work.digests.all():
                if digest.next_run_at > now:
                    await work.digests.save(replace(digest, next_run_at=following(digest, now)))
            await work.commit()


def following(digest: Digest, after: datetime) -> datetime:
    """When a digest runs next after an instant."""
    recurrence, _ = parse(digest.recurrence)
    return next_run(recurrence, digest.timezone, after)


async def edition(work: UnitOfWork, digest: Digest, now: datetime, *, slot: datetime | None) -> bool:
    """Make an edition of the posts that wait for a digest.

    False if there is none to send, its slot has run, or its chat is gone or banned.
    """
    if await _gets_nothing(work, digest.chat_id):
        return False
    posts, rest = await work.digests.waiting(digest.chat_id, digest.max_posts)
    if not posts and digest.when_empty is WhenEmpty.SKIP:
        return False
    broadcast = Broadcast(
        BroadcastKind.EDITION, tuple(posts), digest.title, len(rest), digest_id=digest.id, slot=slot
    )
    broadcast_id = await work.outbox.broadcast(broadcast, now)
    if broadcast_id is None:
        return False
    await work.outbox.skip(digest.chat_id, rest, SKIPPED)
    return await work.outbox.deliver(broadcast_id, digest.chat_id, now)


async def _gets_nothing(work: UnitOfWork, chat_id: int) -> bool:
    chat = await work.chats.get(chat_id)
    return chat is None or chat.gets_nothing


async def set_up(work: UnitOfWork, digest: Digest) -> tuple[Digest, bool]:
    """Store a chat's digest in place of its present one; all that the chat follows goes into it.

    Also returns whether the chat followed nothing: then it follows all public sources from now on.
    """
    before = await work.digests.of(digest.chat_id)
    if before is not None:
        digest = replace(digest, id=before.id, last_run_at=before.last_run_at)
    followed_nothing = not await work.subscriptions.of(digest.chat_id)
    if followed_nothing:
        await work.subscriptions.add(digest.chat_id, None)
    saved = await work.digests.save(digest)
    await work.subscriptions.set_mode(digest.chat_id, Mode.DIGEST)
    if before is None:  # posts that editions left out before must not come with the first digest
        await work.subscriptions.restart(digest.chat_id)
    return saved, followed_nothing


async def end(work: UnitOfWork, digest: Digest, now: datetime) -> bool:
    """Let posts come as they appear again; those that wait are one last edition. False if there are none."""
    sent = await edition(work, replace(digest, when_empty=WhenEmpty.SKIP), now, slot=None)
    await work.subscriptions.set_mode(digest.chat_id, Mode.INSTANT)
    await work.subscriptions.restart(digest.chat_id)
    await work.digests.remove(digest.id)
    return sent
