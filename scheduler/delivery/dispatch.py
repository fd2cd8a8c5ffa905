"""claim → send → record: takes up what one platform's chats are owed, so many deliveries at once."""

import asyncio
import random
from collections import deque

import structlog

from content.errors import StoreError
from scheduler.delivery.journal import STORE_RETRY, Journal
from scheduler.delivery.pacer import PATIENCE, Pacer
from scheduler.delivery.renderings import Composer
from scheduler.delivery.sending import ENDED, Sending
from scheduler.errors import SendError
from scheduler.ports import Clock, Mark, Postponed, Sender, Store
from scheduler.types import Delivery, PartState

log = structlog.get_logger(__name__)

# A platform's parts in flight at once: what its limit lets leave in this many seconds, and while writing has
# waited for company four times, within bounds. Where repeated keys are known a kill doubles nothing, and
# there may be more: some of them wait for the library to repeat them.
IN_FLIGHT, IN_FLIGHT_KEYED = 0.2, 0.5
# The fewest are what 30 a second need at a round trip of 0.2 s; more would only be more to double at a kill.
FEWEST, MOST = 6, 400
# How often the outbox is looked at without being woken, seconds.
IDLE = 5.0


class Dispatcher:
    """Sends what one platform's chats are owed, as fast as its limits allow."""

    def __init__(
        self,
        store: Store,
        platform: Sender,
        compose: Composer,
        pacer: Pacer,
        clock: Clock,
        rng: random.Random,
        epoch: int,
    ) -> None:
        self._store, self._platform, self._pacer = store, platform, pacer
        self._clock, self._rng, self._epoch = clock, rng, epoch
        self._journal = Journal(store, clock, epoch, gather=pacer.gather)
        rate = pacer.limits.overall.count / pacer.limits.overall.seconds
        seconds = IN_FLIGHT_KEYED if platform.deduplicates else IN_FLIGHT
        self._width = _bounded(rate * (seconds + 4 * pacer.gather))
        # Besides those, as many may wait for their own chat's limit as leave while one of them does.
        self._most = self._width + _bounded(rate * PATIENCE)
        in_flight = asyncio.Semaphore(self._width)
        self._sending = Sending(store, platform, compose, pacer, clock, rng, self._journal, in_flight)
        self._wakeup = asyncio.Event()
        self._stopping = False

    @property
    def stopped(self) -> SendError | None:
        """Why this platform sends nothing more."""
        return self._sending.stopped

    def wake(self) -> None:
        """Something may be due: look at once."""
        self._wakeup.set()

    def stop(self) -> None:
        """Take up nothing more; `run` returns when what is in flight has been recorded."""
        self._stopping = True
        self._pacer.close()
        self._wakeup.set()

    async def run(self) -> None:
        """Dispatch until told to stop, or until the platform refuses the token."""
        recovered = False
        while not (self._stopping or self.stopped):
            self._wakeup.clear()
            try:
                if not recovered:
                    await self.recover()
                    recovered = True
                await self.drain()
            except StoreError as exc:
                # Whether a claim was committed may be unknown, too: look for what nobody works on.
                recovered = False
                log.error("store.unavailable", reason=str(exc), next_step="sending waits until it answers")
                await self._clock.sleep(STORE_RETRY)
                continue
            await self._idle()

    async def recover(self) -> int:
        """Settle what an earlier process left behind; returns how many outcomes are unknown.

        In one unit of work: what is known to be unknown must not lose what follows from it.
        """
        async with self._store.write() as work:
            left = await work.outbox.recover(self._platform.name, self._epoch)
            marks: list[Mark] = []
            for delivery in left:
                unknown = next(part for part in reversed(delivery.parts) if part.state is PartState.UNKNOWN)
                marks += self._sending.after_unknown(delivery, unknown, ENDED)
            await work.outbox.record((), marks, self._clock.now(), self._epoch)
            await work.commit()
        self._journal.expect(marks)
        return len(left)

    async def drain(self) -> int:
        """Dispatch all that is due now, each chat's in order; returns how many deliveries were taken up."""
        claimed, running = deque[Delivery](), set[asyncio.Task[None]]()
        self._journal.forget_due()
        try:
            total = await self._take_up(claimed, running)
        except asyncio.CancelledError:
            for task in running:
                task.cancel()
            self._journal.abandon()
            raise
        finally:
            # Whatever ends this, nothing that was begun goes on unseen.
            if running:
                await asyncio.wait(running)
            await self._journal.settled()
        await self._release(claimed)
        return total

    async def _take_up(self, claimed: deque[Delivery], running: set[asyncio.Task[None]]) -> int:
        total, ended = 0, asyncio.Event()
        broken: list[BaseException] = []

        def end(task: asyncio.Task[None]) -> None:
            running.discard(task)
            ended.set()
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            if error is not None:
                broken.append(error)

        while not (self._stopping or self.stopped):
            found = 0
            if not claimed and len(running) < self._most:
                claimed.extend(await self._claim())
                total += (found := len(claimed))
            while claimed and len(running) < self._most:
                task = asyncio.create_task(self._sending.deliver(claimed.popleft()))
                running.add(task)
                task.add_done_callback(end)
            if not running:
                break
            if found == self._width and len(running) < self._most:
                continue  # there may be more
            await ended.wait()  # asyncio.wait would look at each that runs, every time
            ended.clear()
            if broken:
                raise broken[0]
        return total

    async def _claim(self) -> list[Delivery]:
        async with self._store.write() as work:
            claimed = await work.outbox.claim(
                self._platform.name, self._clock.now(), self._width, self._epoch
            )
            await work.commit()
        return list(claimed)

    async def _release(self, claimed: deque[Delivery]) -> None:
        """Give back what was claimed and not begun."""
        now = self._clock.now()
        waits = [Postponed(d.id, now, d.attempts, d.form, d.reason) for d in claimed]
        if waits:
            await self._journal.mark(*waits)

    async def _idle(self) -> None:
        """Sleep until woken, or until something may be due."""
        due = self._journal.due_in()
        wait = IDLE if due is None else min(IDLE, due)
        try:
            async with asyncio.timeout(wait):
                await self._wakeup.wait()
        except TimeoutError:
            return


def _bounded(count: float) -> int:
    return int(min(MOST, max(FEWEST, count)))
