"""Claim → send → record: the deliveries of one platform, many at once."""

import asyncio
import random
from collections import deque

from content.errors import StoreError
from scheduler.delivery.journal import STORE_RETRY, Journal
from scheduler.delivery.pacer import PATIENCE, Pacer
from scheduler.delivery.renderings import Composer
from scheduler.delivery.sending import PROCESS_ENDED, Sending
from scheduler.errors import SendError
from scheduler.log import Logger
from scheduler.ports import Clock, Outcome, Postponed, Sender, Store
from scheduler.types import Delivery, PartState

log = Logger(__name__)

# Concurrency = rate × (seconds + 4 commit gaps), clamped to FEWEST..MOST. Where the platform recognises
# repeated keys a crash duplicates nothing, so there may be more: some wait for the library to repeat them.
IN_FLIGHT, IN_FLIGHT_KEYED = 0.2, 0.5
# FEWEST is what 30 a second need at a round trip of 0.2 s. More in flight means more possible duplicates
# after a crash.
FEWEST, MOST = 6, 400
# The outbox is queried at least this often, seconds.
IDLE = 5.0


class Dispatcher:
    """Sends the deliveries of one platform, as fast as its limits allow."""

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
        self._clock, self._epoch = clock, epoch
        self._journal = Journal(store, clock, epoch, gather=pacer.gather)
        rate = pacer.limits.overall.count / pacer.limits.overall.seconds
        seconds = IN_FLIGHT_KEYED if platform.deduplicates else IN_FLIGHT
        self._in_flight = _clamped(rate * (seconds + 4 * pacer.gather))
        # More tasks may wait for their own chats' limits: as many as the platform lets through in PATIENCE.
        self._most_tasks = self._in_flight + _clamped(rate * PATIENCE)
        places = asyncio.Semaphore(self._in_flight)
        self._sending = Sending(store, platform, compose, pacer, clock, rng, self._journal, places)
        self._wakeup = asyncio.Event()
        self._stopping = False

    @property
    def stopped(self) -> SendError | None:
        """Why this platform sends nothing more."""
        return self._sending.stopped

    def wake(self) -> None:
        """Query the outbox at once: something may be due."""
        self._wakeup.set()

    def stop(self) -> None:
        """Begin nothing more; `run` returns when everything in flight has been recorded."""
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
                # It may be unknown whether a claim was committed: reset the claims that no task works on.
                recovered = False
                log.error("store.unavailable", reason=str(exc), next_step="sending waits until it answers")
                await self._clock.sleep(STORE_RETRY)
                continue
            await self._idle()

    async def recover(self) -> int:
        """Settle the deliveries of a dead process; returns how many outcomes are unknown.

        In one unit of work: a part must not become unknown without what follows from that.
        """
        async with self._store.write() as work:
            interrupted = await work.outbox.recover(self._platform.name, self._epoch)
            outcomes: list[Outcome] = []
            for delivery in interrupted:
                unknown = next(part for part in reversed(delivery.parts) if part.state is PartState.UNKNOWN)
                outcomes += self._sending.after_unknown(delivery, unknown, PROCESS_ENDED)
            await work.outbox.record((), outcomes, self._clock.now(), self._epoch)
            await work.commit()
        self._journal.expect(outcomes)
        return len(interrupted)

    async def drain(self) -> int:
        """Dispatch everything that is due now, each chat's in order; returns how many deliveries."""
        claimed, running = deque[Delivery](), set[asyncio.Task[None]]()
        self._journal.drop_past_due()
        try:
            total = await self._send_all(claimed, running)
        except asyncio.CancelledError:
            for task in running:
                task.cancel()
            self._journal.abandon()
            raise
        finally:
            # However this ends, no task that was begun is left running.
            if running:
                await asyncio.wait(running)
            await self._journal.settled()
        await self._release(claimed)
        return total

    async def _send_all(self, claimed: deque[Delivery], running: set[asyncio.Task[None]]) -> int:
        """Claim and send until nothing is due; after a failure the caller cleans up both collections."""
        total, ended = 0, asyncio.Event()
        errors: list[BaseException] = []

        def end(task: asyncio.Task[None]) -> None:
            running.discard(task)
            ended.set()
            error = asyncio.CancelledError() if task.cancelled() else task.exception()
            if error is not None:
                errors.append(error)

        while not (self._stopping or self.stopped):
            found = 0
            if not claimed and len(running) < self._most_tasks:
                claimed.extend(await self._claim())
                found = len(claimed)
                total += found
            while claimed and len(running) < self._most_tasks:
                task = asyncio.create_task(self._sending.send(claimed.popleft()))
                running.add(task)
                task.add_done_callback(end)
            if not running:
                break
            if found == self._in_flight and len(running) < self._most_tasks:
                continue  # a full claim: more may be due
            await ended.wait()  # asyncio.wait would visit every running task each time
            ended.clear()
            if errors:
                raise errors[0]
        return total

    async def _claim(self) -> list[Delivery]:
        async with self._store.write() as work:
            now = self._clock.now()
            claimed = await work.outbox.claim(self._platform.name, now, self._in_flight, self._epoch)
            await work.commit()
        return list(claimed)

    async def _release(self, claimed: deque[Delivery]) -> None:
        """Give back what was claimed and not begun."""
        now = self._clock.now()
        back = [Postponed(d.id, now, d.attempts, d.form, d.reason) for d in claimed]
        if back:
            await self._journal.record(*back)

    async def _idle(self) -> None:
        """Sleep until woken, or until something may be due."""
        due = self._journal.due_in()
        wait = IDLE if due is None else min(IDLE, due)
        try:
            async with asyncio.timeout(wait):
                await self._wakeup.wait()
        except TimeoutError:
            return


def _clamped(count: float) -> int:
    return int(min(MOST, max(FEWEST, count)))
