"""WebSub (W3C Recommendation of 2018-01-23): subscribe to the hubs that sources name, and keep that up.

The rows say what is to be done; a tick does it. What a hub asks back is answered from the same rows.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from content.bounds import MAX_URL
from content.errors import SourceError, StoreError
from content.fetch import Fetcher
from content.secrets import is_public, printable
from content.text import storable
from content.types import Hints, Source
from content.urls import is_web_url
from scheduler.log import Logger
from scheduler.ports import Clock, Store, UnitOfWork
from scheduler.push.pushes import (
    DENIED_WAIT,
    END_WAIT,
    LIVE,
    NOT_TOLD,
    NOT_VERIFIED,
    RENEWED_AFTER,
    Push,
    PushKind,
    PushState,
    form,
    lease_of,
    new_subscription,
    wait,
)

log = Logger(__name__)

FORM = "application/x-www-form-urlencoded"
# Requests to hubs in one tick, and how many of them at a time.
A_TICK, AT_ONCE = 50, 5
MAX_CHALLENGE = 1000  # characters
MAX_REASON = 200
DENIED = "the hub denied the subscription"

Change = Callable[[Push, datetime], Push]


class WebSub:
    """Subscribes for one process. `public_url` is where hubs reach it; without that no source is subscribed.

    `fetcher` reaches public addresses only, because a feed decides which hub it names.
    """

    def __init__(self, store: Store, fetcher: Fetcher, clock: Clock, public_url: str) -> None:
        self._store, self._fetcher, self._clock = store, fetcher, clock
        self._public_url = public_url
        # Hub and topic of each subscribed source, so that a read without news of them costs no query.
        self._known: dict[int, tuple[str, str]] | None = None

    async def noticed(self, source: Source, hints: Hints, *, whole: bool) -> None:
        """A read of a source gave these hints; `whole`: if it names no hub, it has none any more."""
        if not self._public_url:
            return
        wanted = _wanted(source, hints)
        try:
            if self._known is None:
                self._known = await self._load()
            known = self._known.get(source.id)
            same = wanted == known and source.polled_at is not None  # a new source may have a used number
            if same or (wanted is None and (known is None or not whole)):
                return
            await self._change(source, wanted)
            if wanted:
                self._known[source.id] = wanted
            else:
                del self._known[source.id]
        except StoreError as exc:  # the next read notices it again
            log.warning("push.not_noticed", source=source.name, reason=str(exc))

    async def missed(self, source: Source) -> None:
        """A read has found posts of which the hub had not told: the source is polled as before."""
        async with self._store.write() as work:
            push = await work.pushes.of_source(source.id)
            if push is not None:
                await work.pushes.save(replace(push, reason=NOT_TOLD))
            await work.sources.set_pushed(source.id, None)
            await work.commit()

    async def run_due(self) -> None:
        """Subscribe, renew and end what is due."""
        if not self._public_url:
            return await self._forget()
        async with self._store.read() as work:
            due = await work.pushes.due(self._clock.now(), A_TICK)
        room = asyncio.Semaphore(AT_ONCE)

        async def do(push: Push, is_read: bool) -> None:
            async with room:
                try:
                    await self._do(push, is_read)
                except StoreError as exc:  # it stays due
                    log.warning("push.not_recorded", hub=printable(push.hub), reason=str(exc))

        await asyncio.gather(*(do(push, is_read) for push, is_read in due))

    async def verify(self, token: str, asked: Mapping[str, str]) -> str | None:
        """The answer to a hub that asks whether a request was ours; None if it was not, or not like that."""
        async with self._store.read() as work:
            push = await work.pushes.by_token(PushKind.WEBSUB, token)
        if push is None or asked.get("hub.topic") != push.topic:
            return None
        challenge = asked.get("hub.challenge", "")
        match asked.get("hub.mode"), push.state:
            case "subscribe", PushState.ASKED | PushState.RENEWING if 0 < len(challenge) <= MAX_CHALLENGE:
                lease = lease_of(asked)
                await self._update(push, lambda current, now: _verified(current, now, lease))
                log.info("push.subscribed", hub=printable(push.hub), seconds=int(lease.total_seconds()))
            case "subscribe", PushState.ACTIVE if 0 < len(challenge) <= MAX_CHALLENGE:
                pass  # the hub may not have received the first answer; the lease stays as it is
            case "unsubscribe", PushState.ENDING if 0 < len(challenge) <= MAX_CHALLENGE:
                await self._update(push, _ended)
            case "denied", PushState.ASKED | PushState.RENEWING | PushState.ACTIVE:
                reason = asked.get("hub.reason", "")
                await self._update(push, lambda current, now: _denied(current, now, reason))
                log.warning("push.denied", hub=printable(push.hub), reason=reason[:MAX_REASON])
                return ""
            case _:
                return None
        return challenge

    async def _forget(self) -> None:
        """Forget the subscriptions of a time when there was a public URL: their hubs reach nobody."""
        if self._known is None:
            async with self._store.write() as work:
                for push in await work.pushes.all():
                    if push.kind is PushKind.WEBSUB:
                        await work.pushes.remove(push.id)
                    if push.source_id is not None:
                        await work.sources.set_pushed(push.source_id, None)
                await work.commit()
            self._known = {}

    async def _load(self) -> dict[int, tuple[str, str]]:
        async with self._store.read() as work:
            pushes = await work.pushes.all()
        return {
            push.source_id: (push.hub, push.topic)
            for push in pushes
            if push.source_id is not None and push.kind is PushKind.WEBSUB
        }

    async def _change(self, source: Source, wanted: tuple[str, str] | None) -> None:
        """Leave the hub that a source has named before, and want the one that it names now."""
        now = self._clock.now()
        async with self._store.write() as work:
            if await work.sources.get(source.id) is None:  # removed meanwhile
                return
            old = await work.pushes.of_source(source.id)
            if old is not None and (old.hub, old.topic) == wanted:  # another process has noticed it
                return
            if old is not None:
                await work.pushes.save(replace(old, source_id=None, next_at=now))
                await work.sources.set_pushed(source.id, None)
            if wanted is not None:
                hub, topic = wanted
                await work.pushes.add(new_subscription(source.id, hub, topic, now))
            await work.commit()

    async def _do(self, push: Push, is_read: bool) -> None:
        """What is due for one push."""
        at_hub = push.state in (PushState.ASKED, *LIVE)
        if push.state is PushState.ENDING or not (is_read or at_hub):
            await self._update(push, _ended)
        elif is_read:
            await self._ask(push, "subscribe", _asked)
        else:
            await self._ask(push, "unsubscribe", _ending)

    async def _ask(self, push: Push, mode: str, change: Change) -> None:
        # The row changes before the request, because the hub may ask back before it answers.
        asked = await self._update(push, change)
        if asked is None:
            return
        try:
            callback = f"{self._public_url}/websub/{push.token}"
            await self._fetcher.ask(push.hub, {"Content-Type": FORM}, form(push, mode, callback))
        except SourceError as exc:
            reason = storable(str(exc))
            log.warning("push.not_asked", hub=printable(push.hub), mode=mode, reason=reason)
            await self._update(asked, lambda current, _: replace(current, reason=reason))

    async def _update(self, push: Push, change: Change) -> Push | None:
        """Change a push, unless it has changed since `push` was read; returns what it is now."""
        now = self._clock.now()
        async with self._store.write() as work:
            current = await work.pushes.get(push.id)
            if current is None or (current.state, current.source_id) != (push.state, push.source_id):
                return None
            changed = change(current, now)
            if changed.state is PushState.ENDED and changed.source_id is None:
                await work.pushes.remove(push.id)
            else:
                await work.pushes.save(changed)
                await _adjust(work, changed, now)
            await work.commit()
        return changed


def _asked(push: Push, now: datetime) -> Push:
    lives = push.state in LIVE and push.lease_until is not None and push.lease_until > now
    return replace(
        push,
        state=PushState.RENEWING if lives else PushState.ASKED,
        next_at=now + wait(push.failures),
        failures=push.failures + 1,
        reason=push.reason or (NOT_VERIFIED if push.failures else ""),
    )


def _ending(push: Push, now: datetime) -> Push:
    return replace(push, state=PushState.ENDING, next_at=now + END_WAIT, lease_until=None, reason="")


def _ended(push: Push, now: datetime) -> Push:
    return replace(push, state=PushState.ENDED, next_at=None, lease_until=None, failures=0, reason="")


def _verified(push: Push, now: datetime, lease: timedelta) -> Push:
    return replace(
        push,
        state=PushState.ACTIVE,
        lease_until=now + lease,
        next_at=now + lease * RENEWED_AFTER,
        failures=0,
        reason=NOT_TOLD if push.reason == NOT_TOLD else "",
    )


def _denied(push: Push, now: datetime, reason: str) -> Push:
    why = f"{DENIED}: {storable(reason)[:MAX_REASON]}" if reason else DENIED
    return replace(push, state=PushState.DENIED, next_at=now + DENIED_WAIT, lease_until=None, reason=why)


async def _adjust(work: UnitOfWork, push: Push, now: datetime) -> None:
    """A source that is polled less because of its push stays so until the end of the lease."""
    source = await work.sources.get(push.source_id) if push.source_id is not None else None
    if source is not None and source.is_pushed(now):
        await work.sources.set_pushed(source.id, push.lease_until)


def _wanted(source: Source, hints: Hints) -> tuple[str, str] | None:
    """The hub and the topic to subscribe to; None if a source names no usable hub.

    An address with a secret is told to no hub, unless the source itself calls it its topic.
    """
    topic = hints.topic or (source.url if is_public(source.url) else "")
    usable = all(is_web_url(url) and len(url) <= MAX_URL for url in (hints.hub, topic))
    return (hints.hub, topic) if usable else None
