"""Runs an app: its platforms and periodic jobs, until it is told to stop."""

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

from bot.app import App
from bot.metrics import Health
from bot.platforms.types import Connects, Listens, Wiring
from bot.watchdog import ClockCheck
from content.errors import StoreError
from scheduler import membership
from scheduler.delivery.dispatch import Dispatcher
from scheduler.delivery.editing import Editor
from scheduler.delivery.pacer import Pacer
from scheduler.errors import PlatformStopped
from scheduler.leases import RENEWAL, Leases
from scheduler.log import Logger
from scheduler.ports import Edits, Sender
from scheduler.timetable.jobs import Jobs, Tick
from scheduler.types import Place

log = Logger(__name__)

T = TypeVar("T")

# Longest time between two checks for due work.
POLL_TICK = timedelta(seconds=1)
INDEX_TICK = timedelta(seconds=2)
DUE_TICK = timedelta(seconds=5)
PUSH_TICK = timedelta(seconds=30)
UPKEEP_TICK = timedelta(hours=1)
UPKEEP_AFTER = timedelta(minutes=1)  # people who wait for the start go first
# After a stop, requests in flight have this long to finish, seconds; then they are cancelled.
GRACE = 15.0
# Time for cancelled tasks to end and for the last writes to the store, seconds.
LAST = 2.0


class Runner:
    """Runs an app's platforms and ticks until it is told to stop, or until all platforms have ended."""

    def __init__(self, app: App, senders: Sequence[Sender], *, grace: float = GRACE) -> None:
        self._app, self._senders, self._grace = app, senders, grace
        self._ends_at: float | None = None  # on the loop's clock
        self._stop = asyncio.Event()
        self._pacers = {sender.name: Pacer(sender.limits, app.clock) for sender in senders}
        self._serving: set[str] = set()  # platforms that are connected
        self.refused: dict[str, str] = {}  # platforms that stopped, and why

    def stop(self) -> None:
        """Start nothing new, finish what is in flight, then end `run`. A second call changes nothing."""
        if self._ends_at is None:
            self._ends_at = asyncio.get_running_loop().time() + self._grace
        self._stop.set()

    def _left(self) -> float:
        """Seconds until unfinished work is cancelled. All steps of the shutdown share this one deadline."""
        if self._ends_at is None:
            return self._grace
        return max(0.0, self._ends_at - asyncio.get_running_loop().time())

    async def run(self) -> None:
        """Wait for the leases, then serve until stopped."""
        app = self._app
        names = ["ticks", *(sender.name for sender in self._senders)]
        holder = f"{socket.gethostname()}:{os.getpid()}:{app.rng.getrandbits(32):08x}"
        leases = Leases(app.store, app.clock, holder, at_once=app.store.is_sqlite)
        epochs = await self._unless_stopped(leases.acquire(names))
        if epochs is None:
            return
        await app.ensure_examples()
        await app.quiet.refresh()
        await app.digests.refresh()
        jobs = Jobs(self._ticks(leases, names))
        jobs.start()
        beside = [
            asyncio.create_task(ClockCheck(app.clock).watch(jobs.look_now)),
            asyncio.create_task(app.receiver.run()),
        ]
        try:
            await self._serve(epochs)
        finally:
            await self._give_up_after(LAST, app.receiver.stop(), "pushes")
            for task in beside:
                task.cancel()
            await self._give_up_after(self._left() + LAST, jobs.stop(), "ticks")
            await self._give_up_after(LAST, app.poller.stop(), "reads")
            await self._give_up_after(LAST, leases.release(names), "leases")

    async def _give_up_after(self, seconds: float, work: Coroutine[None, None, None], what: str) -> None:
        """Run a step of the shutdown; log it if it takes too long or the store does not answer."""
        try:
            async with asyncio.timeout(seconds):
                await work
        except (TimeoutError, StoreError) as exc:
            log.warning("end.cut_off", what=what, reason=str(exc) or "it took too long")

    async def listen_only(self) -> None:
        """Only answer people, while another process polls and sends."""
        await self._app.ensure_examples()
        for sender in self._senders:
            if isinstance(sender, Listens):
                await sender.listen(self._wiring(self._pacers[sender.name], self._app.services.wake))

    async def health(self) -> Health:
        """The current figures for the metrics and the readiness check."""
        problems = {
            sender.name: self.refused.get(sender.name, "not connected yet")
            for sender in self._senders
            if sender.name not in self._serving
        }
        try:
            async with self._app.store.read() as work:
                counts, unknowns = await work.outbox.counts(), await work.outbox.unknowns()
                last_read = await work.sources.last_read()
        except StoreError as exc:
            return Health({}, 0, {}, problems | {"store": str(exc)})
        unread = (self._app.clock.now() - last_read).total_seconds() if last_read else 0.0
        used = {name: pacer.used() for name, pacer in self._pacers.items()}
        states = {str(state): count for state, count in counts.items()}
        return Health(states, unknowns, used, problems, unread)

    def _ticks(self, leases: Leases, names: Sequence[str]) -> list[Tick]:
        app = self._app

        async def renew() -> None:
            if await leases.renew(names) is None:
                log.error("lease.lost", next_step="another process has taken over; this one ends")
                self.stop()

        ticks = [
            Tick("poll", POLL_TICK, app.poller.poll_due),
            Tick("index", INDEX_TICK, app.indexing.run_due),
            Tick("quiet", DUE_TICK, app.quiet.run_due),
            Tick("digests", DUE_TICK, app.digests.run_due),
            Tick("drafts", DUE_TICK, app.services.drafts.publish_due),
            Tick("push", PUSH_TICK, app.hubs.run_due),
            Tick("upkeep", UPKEEP_TICK, app.upkeep.run, after=UPKEEP_AFTER),
        ]
        return ticks if app.store.is_sqlite else [*ticks, Tick("leases", RENEWAL, renew)]

    def _wiring(self, pacer: Pacer, wake: Callable[[], None]) -> Wiring:
        return Wiring(self._app.router, pacer, self._app.store, self._app.clock, wake)

    async def _serve(self, epochs: Mapping[str, int]) -> None:
        async with asyncio.TaskGroup() as group:
            for sender in self._senders:
                group.create_task(self._platform(sender, epochs[sender.name]))

    async def _platform(self, sender: Sender, epoch: int) -> None:
        """Dispatch for one platform, and listen if it can. If it stops, the others go on."""
        app = self._app
        pacer = self._pacers[sender.name]
        dispatcher = Dispatcher(app.store, sender, app.compose, pacer, app.clock, app.rng, epoch)
        try:
            if isinstance(sender, Connects):
                await self._unless_stopped(sender.open())
            if not self._stop.is_set():
                app.wakers.append(dispatcher.wake)
                self._serving.add(sender.name)
                wiring = self._wiring(pacer, dispatcher.wake)
                listening = sender.listen(wiring) if isinstance(sender, Listens) else None
                await self._dispatch(dispatcher, self._editor(sender, pacer), listening)
        except PlatformStopped as exc:
            await self._tell_operators(sender.name, exc)
        finally:
            self._serving.discard(sender.name)
            if isinstance(sender, Connects):
                await self._give_up_after(self._left() + LAST, sender.close(self._left()), sender.name)

    def _editor(self, sender: Sender, pacer: Pacer) -> Editor | None:
        app = self._app
        if not (app.settings.edits and isinstance(sender, Edits)):
            return None
        editor = Editor(app.store, sender, app.compose, pacer, app.clock, app.rng)
        app.wakers.append(editor.wake)
        return editor

    async def _unless_stopped(self, waiting: Coroutine[None, None, T]) -> T | None:
        """Wait for a result; None, and the wait is cancelled, if a stop is requested first."""
        task, stop = asyncio.create_task(waiting), asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in (task, stop):
                one.cancel()
            await asyncio.wait({task, stop})
        return None if task.cancelled() else task.result()

    async def _dispatch(
        self,
        dispatcher: Dispatcher,
        editor: Editor | None,
        listening: Coroutine[None, None, None] | None,
    ) -> None:
        """Dispatch, edit and listen until one ends or a stop is requested; then finish work in flight."""
        listen = [asyncio.create_task(listening)] if listening else []
        edit = [asyncio.create_task(editor.run())] if editor else []
        work = [*listen, *edit, asyncio.create_task(dispatcher.run())]
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait({*work, stop}, return_when=asyncio.FIRST_COMPLETED)
            dispatcher.stop()
            if editor:
                editor.stop()
            for task in listen:
                task.cancel()
            await asyncio.wait(work, timeout=self._left())
        finally:
            for one in (*work, stop):
                one.cancel()
            _, left = await asyncio.wait({*work, stop}, timeout=self._left() + LAST)
            if left:
                log.warning("end.cut_off", what="deliveries", reason="the store does not answer")
        # Raise a task's error: a failed listener or dispatcher must not look like a normal end.
        for error in [task.exception() for task in work if task.done() and not task.cancelled()]:
            if error is not None:
                raise error
        if dispatcher.stopped:
            raise dispatcher.stopped

    async def _tell_operators(self, platform: str, error: PlatformStopped) -> None:
        """Report in the log, and to the operators on all other platforms, that a platform has stopped."""
        self.refused[platform] = str(error)
        log.error("platform.stopped", platform=platform, reason=str(error))
        now = self._app.clock.now()
        serving = {sender.name for sender in self._senders} - set(self.refused)
        try:
            async with self._app.store.write() as work:
                for operator in self._app.settings.operators:
                    name, _, address = operator.partition(":")
                    if name in serving:
                        place = Place(name, address)
                        await membership.notify(work, place, error.message, now, values=error.values)
                await work.commit()
        except StoreError as exc:  # logged above already; the other platforms go on
            log.error("store.unavailable", reason=str(exc), next_step="the operators are not told in chats")
        self._app.services.wake()
