"""The ticks. The only file that knows APScheduler: it says when, the database says what is due."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from content.errors import SkywaveError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Tick:
    """Work that is done again and again; a run that takes longer than `every` skips the next one."""

    name: str
    every: timedelta
    run: Callable[[], Awaitable[object]]


class Jobs:
    """Runs ticks on the event loop until it is stopped."""

    def __init__(self, ticks: list[Tick]) -> None:
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        for tick in ticks:
            self._scheduler.add_job(
                _guarded,
                IntervalTrigger(seconds=tick.every.total_seconds(), timezone=UTC),
                args=[tick],
                id=tick.name,
                next_run_time=datetime.now(UTC),
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
            )

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        self._scheduler.shutdown(wait=False)


async def _guarded(tick: Tick) -> None:
    try:
        await tick.run()
    except SkywaveError as exc:
        log.error("tick.failed", tick=tick.name, reason=str(exc))
    except Exception:
        # The edge of the task: the next tick tries again.
        log.exception("tick.broken", tick=tick.name)
