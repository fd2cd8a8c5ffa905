"""The ends of quiet hours and of pauses: posts that waited are sent, pauses are over."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from scheduler.log import Logger
from scheduler.ports import Clock, Store, UnitOfWork
from scheduler.stories import once
from scheduler.timetable import digests
from scheduler.timetable.hours import QuietHours, stored
from scheduler.types import FOREVER, Broadcast, BroadcastKind, Chat, Subscription

log = Logger(__name__)

# The most posts that come at the end of quiet hours; the newest are kept.
MOST = 30
BEYOND = "beyond the maximum after quiet hours"
PAUSED = "the subscription was paused"


class Quiet:
    """Ends quiet hours and pauses when their time has come; `wake` is called when deliveries were made."""

    def __init__(self, store: Store, clock: Clock, wake: Callable[[], None]) -> None:
        self._store, self._clock, self._wake = store, clock, wake

    async def run_due(self) -> int:
        """End the quiet hours and pauses that are over; returns how many editions were made."""
        async with self._store.read() as work:
            chats = await work.chats.quiet_until(self._clock.now())
            paused = await work.subscriptions.paused_until(self._clock.now())
        made = 0
        for chat in chats:
            made += await self._end(chat.id)
        if paused:
            await self._resume()
        if made:
            self._wake()
        return made

    async def _end(self, chat_id: int) -> bool:
        now = self._clock.now()
        async with self._store.write() as work:
            chat = await work.chats.get(chat_id)
            # It may have been changed, or ended by another process, meanwhile.
            if chat is None or chat.quiet_until is None or chat.quiet_until > now:
                return False
            made = await settle(work, chat, stored(chat.quiet), now)
            await work.commit()
        log.info("quiet.ended", chat=str(chat.place), sent=made)
        return made

    async def _resume(self) -> None:
        async with self._store.write() as work:
            for subscription in await work.subscriptions.paused_until(self._clock.now()):
                await resume(work, [subscription])
            await work.commit()

    async def refresh(self) -> None:
        """Compute the instants again, as rules of time zones may have changed."""
        now = self._clock.now()
        async with self._store.write() as work:
            for chat in await work.chats.quiet_until(FOREVER):
                await settle(work, chat, stored(chat.quiet), now)
            await work.commit()


async def settle(work: UnitOfWork, chat: Chat, quiet: QuietHours | None, now: datetime) -> bool:
    """Give a chat these quiet hours, or none; also at the end of a period, to set the next.

    What has waited is one edition, unless it is quiet still. Returns whether there is an edition.
    """
    waits, sent = chat.is_quiet(now), False
    period = quiet.period(now) if quiet else None
    if waits and not (period and period.start <= now):
        sent = await _edition(work, chat, now)
        waits = False
    start = None
    if period:
        start = chat.quiet_from if waits else max(period.start, now)
    end = period.end if period else None
    await work.chats.set_quiet(chat.id, str(quiet or ""), start, end)
    after = replace(chat, quiet=str(quiet or ""), quiet_from=start, quiet_until=end)
    await digests.reschedule(work, chat, after, now)
    return sent


async def rezone(work: UnitOfWork, before: Chat, chat: Chat, now: datetime) -> None:
    """Let what had the chat's zone before have its present one: its quiet hours and its digests."""
    if (quiet := stored(chat.quiet)) and (quiet.zone == before.timezone or not before.timezone):
        await settle(work, chat, replace(quiet, zone=chat.timezone), now)
    chat = await work.chats.get(chat.id) or chat
    for digest in await work.digests.of(chat.id):
        if digest.next_run_at > now and (digest.timezone == before.timezone or not before.timezone):
            moved = replace(digest, timezone=chat.timezone)
            await work.digests.save(replace(moved, next_run_at=digests.following(moved, chat, now)))


async def _edition(work: UnitOfWork, chat: Chat, now: datetime) -> bool:
    """Send the posts that have waited, in the transaction that ends the quiet hours: so they come once."""
    posts = [] if chat.gets_nothing else await once(work, chat, await work.digests.held(chat.id))
    if not posts:
        return False
    kept, rest = posts[-MOST:], posts[:-MOST]
    broadcast = Broadcast(BroadcastKind.EDITION, tuple(kept), more=len(rest))
    broadcast_id = await work.outbox.broadcast(broadcast, now)
    assert broadcast_id is not None, "only slots of digests are unique"
    await work.outbox.skip(chat.id, rest, BEYOND)
    return await work.outbox.deliver(broadcast_id, chat.id, now)


async def resume(work: UnitOfWork, subscriptions: Sequence[Subscription]) -> None:
    """End pauses. The posts that came in between are recorded as skipped."""
    for subscription in subscriptions:
        await work.outbox.skip(subscription.chat_id, await work.digests.paused(subscription), PAUSED)
    await work.subscriptions.resume([subscription.id for subscription in subscriptions])
