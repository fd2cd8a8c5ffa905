"""What is forgotten with time, in short transactions: others write in between."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from content.sources.updates import url_of_chat
from content.types import SourceState
from scheduler import membership
from scheduler.batches import batches
from scheduler.ports import Clock, Store, UnitOfWork
from scheduler.types import Place

log = structlog.get_logger(__name__)

# Rows that one transaction forgets.
ROWS = 500
# Posts that are looked for at once, and forgotten by one upkeep at most.
POSTS = 20_000
# The newest posts of each source stay, whatever their age.
NEWEST = 500
# A private source that nobody follows is removed after this long.
UNFOLLOWED = timedelta(days=30)
ACTOR = "skywave"
REMOVED = "the source was removed"
CHAT_REMOVED = "the chat was removed"


@dataclass(frozen=True, slots=True)
class Keep:
    """How long things are kept; None: for good."""

    posts: timedelta | None = timedelta(days=730)
    deliveries: timedelta = timedelta(days=30)
    searches: timedelta = timedelta(days=7)
    drafts: timedelta = timedelta(days=90)
    audit: timedelta = timedelta(days=365)


class Upkeep:
    def __init__(self, store: Store, clock: Clock, keep: Keep) -> None:
        self._store, self._clock, self._keep = store, clock, keep

    async def run(self) -> None:
        """Forget what is old, and sources that nobody has followed for a month."""
        keep, now = self._keep, self._clock.now()
        await self._forget(lambda work: work.outbox.prune(now - keep.deliveries, ROWS))
        await self._forget(lambda work: work.searches.prune(now - keep.searches, ROWS))
        await self._forget(lambda work: work.drafts.prune(now - keep.drafts, ROWS))
        await self._forget(lambda work: work.audit.prune(now - keep.audit, ROWS))
        if keep.posts is not None:
            await self._forget_posts(now - keep.posts)
        await self._remove_unfollowed(now)

    async def _forget(self, some: Callable[[UnitOfWork], Awaitable[int]]) -> None:
        forgotten = ROWS
        while forgotten >= ROWS:
            async with self._store.write() as work:
                forgotten = await some(work)
                await work.commit()

    async def _forget_posts(self, before: datetime) -> None:
        async with self._store.read() as work:
            old = await work.posts.prunable(before, NEWEST, POSTS)
        forgotten = 0
        for batch in batches(old, lambda post: post[1]):
            async with self._store.write() as work:
                forgotten += await work.posts.forget([post_id for post_id, _ in batch], self._clock.now())
                await work.commit()
        if forgotten:
            log.info("posts.forgotten", posts=forgotten)

    async def _remove_unfollowed(self, now: datetime) -> None:
        async with self._store.write() as work:
            await work.sources.note_unfollowed(now)
            await work.commit()
        async with self._store.read() as work:
            forgotten = await work.sources.unfollowed(now - UNFOLLOWED)
        for source in forgotten:
            if await remove_source(self._store, source.id, ACTOR, now, only_unfollowed=True) is not None:
                log.info("source.removed", source=source.name, reason="no chat has followed it for a month")


async def remove_source(
    store: Store, source_id: int, actor: str, now: datetime, *, only_unfollowed: bool = False
) -> int | None:
    """Remove a source with its posts and cancel what waits of it; returns how many deliveries that is.

    None if it is gone already, or is followed again although only an unfollowed one was to go.
    """
    async with store.write() as work:
        source = await work.sources.get(source_id)
        if source is None or (only_unfollowed and source.unfollowed_since is None):
            return None
        newest = await work.posts.newest_id()
        cancelled = await work.outbox.cancel(REMOVED, now, source_id=source_id)
        # Nothing that it has is sent from now on, and nothing more is read.
        await work.sources.save(replace(source, starts_after=newest))
        await work.sources.set_state(source_id, SourceState.PAUSED)
        await work.audit.add(actor, "source removed", source.name, now)
        await work.commit()
    while await _remove_posts(store, source_id, newest):
        pass
    async with store.write() as work:
        # A read that was on its way may have brought more.
        cancelled += await work.outbox.cancel(REMOVED, now, source_id=source_id)
        await work.sources.remove(source_id)
        await work.commit()
    return cancelled


async def remove_chat(store: Store, place: Place, actor: str, now: datetime) -> int:
    """Forget a chat, or a place with all its topics, and cancel what waits; returns how many deliveries.

    Nothing is left that names it, not in the audit either. Private sources that it followed alone are
    removed by upkeep.
    """
    async with store.read() as work:
        chats = await membership.named(work, place)
        own = [await work.sources.by_url(url_of_chat(str(chat.place))) for chat in chats]
    cancelled = 0
    for source in filter(None, own):
        cancelled += await remove_source(store, source.id, actor, now) or 0
    async with store.write() as work:
        chats = await membership.named(work, place)
        for chat in chats:
            cancelled += await work.outbox.cancel(CHAT_REMOVED, now, chat_id=chat.id)
        await work.chats.remove([chat.id for chat in chats])
        for chat in chats:
            await work.audit.forget(str(chat.place))
            await work.audit.forget(repr(chat.place))  # as `chats set` named it once
        await work.audit.add(actor, "chat removed", "", now)
        await work.commit()
    return cancelled


async def _remove_posts(store: Store, source_id: int, newest: int) -> int:
    """Remove some of a source's posts; returns how many."""
    async with store.read() as work:
        some = await work.posts.of_source(source_id, newest, ROWS)
    for batch in batches(some, lambda post: post[1]):
        async with store.write() as work:
            await work.posts.remove([post_id for post_id, _ in batch])
            await work.commit()
    return len(some)
