"""Take what hubs and hooks send, within bounds: a flood of calls fills no memory and delays no poll."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from content.errors import NotFound, SkywaveError
from content.types import Source, SourceState
from scheduler.intake.ingest import Ingest
from scheduler.intake.storing import PollResult
from scheduler.log import Logger
from scheduler.ports import Clock, Store
from scheduler.push.pushes import LIVE, SEEN, Push, PushKind, digest

log = Logger(__name__)

# Calls that are answered at a time, and calls that wait to be stored: their bodies are in memory.
AT_ONCE, QUEUED = 16, 16
# Look-ups of addresses at a time: a flood of wrong ones must leave the database to the others.
LOOKS = 2
# The same limits for one push.
OWN_AT_ONCE, OWN_QUEUED = 2, 4
# Calls of one push in a minute.
A_MINUTE = 60
MINUTE = 60.0
# A flood is logged once in this many seconds.
LOGGED = 60.0


class Unknown(NotFound):
    """No push has this address, or the secret is wrong: the caller is not told which."""

    def __init__(self) -> None:
        super().__init__("not found")


class Busy(SkywaveError):
    """A call was not taken: it may be repeated `after` seconds. `own`: the caller calls too often."""

    def __init__(self, after: int, *, own: bool = False) -> None:
        super().__init__("too many calls: try again later")
        self.after, self.own = after, own


@dataclass(slots=True)
class _Use:
    """What one push uses now. `empty_at`: when a bucket of `A_MINUTE` calls is empty, monotonic seconds."""

    running: int = 0
    queued: int = 0
    empty_at: float = 0.0


@dataclass(frozen=True, slots=True)
class _Call:
    push: Push
    source: Source
    body: bytes = field(repr=False)
    content_type: str
    signed: bool
    done: asyncio.Future[PollResult]


class Receiver:
    """Takes calls while it `run`s; other processes answer that they are busy, and take nothing.

    `looks` is held while the database is asked about an address that somebody has called.
    """

    def __init__(self, store: Store, ingest: Ingest, clock: Clock) -> None:
        self._store, self._ingest, self._clock = store, ingest, clock
        self._calls: asyncio.Queue[_Call] = asyncio.Queue(QUEUED)
        self._uses: defaultdict[int, _Use] = defaultdict(_Use)
        self._running = 0
        self.looks = asyncio.Semaphore(LOOKS)
        self._takes = False
        self._refused, self._told_at = 0, 0.0

    async def run(self) -> None:
        """Store what was sent, one call after the other, until it is cancelled."""
        self._takes = True
        try:
            while True:
                await self._store_next()
        finally:
            self._takes = False
            while not self._calls.empty():
                self._tell(self._calls.get_nowait(), Busy(10))
                self._calls.task_done()

    async def idle(self) -> None:
        """Wait until all that was taken is stored."""
        await self._calls.join()

    async def stop(self) -> None:
        """Take nothing more, and wait until all that was taken is stored."""
        self._takes = False
        await self.idle()

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[None]:
        """Room to answer a call. Raises Busy at once if there is none."""
        if self._running >= AT_ONCE or not self._takes:
            raise self._busy(10)
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    @asynccontextmanager
    async def called(self, kind: PushKind, token: str) -> AsyncIterator[tuple[Push, Source]]:
        """The push that has this address, with room to read its body. Raises Unknown and Busy."""
        async with self.looks, self._store.read() as work:
            push = await work.pushes.by_token(kind, token)
            source_id = push.source_id if push else None
            source = await work.sources.get(source_id) if source_id is not None else None
        if push is None or source is None or source.state is SourceState.PAUSED:
            raise Unknown
        if push.kind is PushKind.WEBSUB and push.state not in LIVE:
            raise Unknown
        use = self._uses[push.id]
        if use.running >= OWN_AT_ONCE:
            raise self._busy(10, own=True)
        use.running += 1
        try:
            yield push, source
        finally:
            use.running -= 1

    def take(
        self, push: Push, source: Source, body: bytes, content_type: str, *, signed: bool = True
    ) -> asyncio.Future[PollResult]:
        """Let a call that was checked be stored soon. Raises Busy.

        A body that is `signed` is taken once. Who knows the secret itself may send anything at any time.
        """
        use, now = self._uses[push.id], self._clock.monotonic()
        empty_at = max(use.empty_at, now) + MINUTE / A_MINUTE
        if empty_at - now > MINUTE or use.queued >= OWN_QUEUED:
            raise self._busy(30, own=True)
        call = _Call(push, source, body, content_type, signed, asyncio.get_running_loop().create_future())
        try:
            self._calls.put_nowait(call)
        except asyncio.QueueFull:
            raise self._busy(10) from None
        use.empty_at = empty_at
        use.queued += 1
        return call.done

    def _busy(self, after: int, *, own: bool = False) -> Busy:
        self._refused += 1
        now = self._clock.monotonic()
        if self._takes and now - self._told_at >= LOGGED:
            log.warning("push.flood", refused=self._refused)
            self._refused, self._told_at = 0, now
        return Busy(after, own=own)

    async def _store_next(self) -> None:
        call = await self._calls.get()
        try:
            result = await self._take(call)
        except SkywaveError as exc:
            log.warning("push.not_taken", source=call.source.name, reason=str(exc))
            self._tell(call, exc)
        except Exception as exc:
            # The edge of the task: a bug that one body triggers must not stop the others.
            log.exception("push.broken", source=call.source.name)
            self._tell(call, SkywaveError(f"internal error: {type(exc).__name__}"))
        else:
            if not call.done.done():
                call.done.set_result(result)
        finally:
            self._tell(call, Busy(10))  # if this was cancelled
            self._uses[call.push.id].queued -= 1
            self._calls.task_done()

    def _tell(self, call: _Call, error: SkywaveError) -> None:
        if not call.done.done():
            call.done.set_exception(error)
            call.done.exception()  # a hub does not wait for it

    async def _take(self, call: _Call) -> PollResult:
        """Store what a call brings, unless the same body came before."""
        body = digest(call.body)
        async with self._store.read() as work:
            push = await work.pushes.get(call.push.id)
        if push is None or push.source_id != call.source.id:  # removed meanwhile
            raise Unknown
        if call.signed and body in push.seen:
            log.debug("push.repeated", source=call.source.name)
            return PollResult(call.source)
        result = await self._ingest.take(call.source, call.body, call.content_type, push.topic)
        await self._record(push.id, body, result)
        return result

    async def _record(self, push_id: int, body: str, result: PollResult) -> None:
        """Remember the body; a hub that has told of something new is trusted to do so again."""
        now = self._clock.now()
        async with self._store.write() as work:
            push = await work.pushes.get(push_id)
            if push is None:
                return
            works = push.kind is PushKind.WEBSUB and push.state in LIVE and result.new > 0
            changed = replace(push, last_at=now, seen=(*push.seen, body)[-SEEN:])
            if works and push.source_id is not None:
                changed = replace(changed, reason="")
                await work.sources.set_pushed(push.source_id, push.lease_until)
            await work.pushes.save(changed)
            await work.commit()
