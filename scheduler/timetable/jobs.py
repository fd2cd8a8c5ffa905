"""The ticks. The only file that knows APScheduler: it says when, the database says what is due."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from content.errors import SkywaveError
from scheduler.log import Logger

log = Logger(__name__)

# Seconds that running ticks get to finish at the end; nearly all take some milliseconds.
FINISH = 5.0


@dataclass(frozen=True, slots=True)
class Tick:
    """Work that is done again and again; a run that takes longer than `every` skips the next one.

    `after` is how long after the start the first run is.
    """

    name: str
    every: timedelta
    run: Callable[[], Awaitable[object]]
    after: timedelta = timedelta()


class Jobs:
    """Runs ticks on the event loop until it is stopped."""

    def __init__(self, ticks: list[Tick]) -> None:
        # It takes time to load, and no command but `run` and `chat` has ticks.
        from apscheduler.schedulers.asyncio import AsyncIOScheduler
        from apscheduler.triggers.interval import IntervalTrigger

        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._running: set[asyncio.Task[object]] = set()
        for tick in ticks:
            self._scheduler.add_job(
                self._run,
                IntervalTrigger(seconds=tick.every.total_seconds(), timezone=UTC),
                args=[tick],
                id=tick.name,
                next_run_time=datetime.now(UTC) + tick.after,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )

    def start(self) -> None:
        self._scheduler.start()

    def look_now(self) -> None:
        """Run all ticks at once: after the wall clock was set back, their next runs are far away."""
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(UTC))

    async def stop(self) -> None:
        """End. A tick that runs may finish; one that takes too long is cancelled and rolled back."""
        self._scheduler.pause()
        if self._running:
            await asyncio.wait(self._running, timeout=FINISH)
        self._scheduler.shutdown(wait=False)
        if self._running:
            await asyncio.wait(self._running)

    async def _run(self, tick: Tick) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            await tick.run()
        except asyncio.CancelledError:
            log.debug("tick.cancelled", tick=tick.name)  # by stop; APScheduler would call it an error
        except SkywaveError as exc:
            log.error("tick.failed", tick=tick.name, reason=str(exc))
        except Exception:
            # The edge of the task: the next tick tries again.
            log.exception("tick.broken", tick=tick.name)
        finally:
            self._running.discard(task)
