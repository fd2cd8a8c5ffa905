"""The ticks go on, whatever one of them does."""

import asyncio
from collections.abc import MutableMapping
from datetime import timedelta
from typing import Any

import pytest

from content.errors import StoreBusy
from scheduler.timetable.jobs import Jobs, Tick

SOON = timedelta(milliseconds=5)


class Counter:
    """A tick that does `act` each time and says when it has run `wanted` times."""

    def __init__(self, wanted: int, error: Exception | None = None) -> None:
        self._wanted, self._error = wanted, error
        self.runs = 0
        self.done = asyncio.Event()

    async def run(self) -> None:
        self.runs += 1
        if self.runs >= self._wanted:
            self.done.set()
        if self._error:
            raise self._error


@pytest.mark.parametrize(
    ("error", "event"), [(StoreBusy("locked"), "tick.failed"), (ValueError("a bug"), "tick.broken")]
)
async def test_a_tick_that_fails_is_logged_and_tried_again_and_stops_no_other(
    error: Exception, event: str, logged: list[MutableMapping[str, Any]]
) -> None:
    broken, sound = Counter(3, error), Counter(3)
    jobs = Jobs([Tick("broken", SOON, broken.run), Tick("sound", SOON, sound.run)])
    jobs.start()
    async with asyncio.timeout(10):
        await asyncio.gather(broken.done.wait(), sound.done.wait())
    await jobs.stop()
    assert {(entry["event"], entry["tick"]) for entry in logged} == {(event, "broken")}


async def test_a_tick_runs_at_once_unless_it_has_time() -> None:
    day = timedelta(days=1)
    daily, patient = Counter(1), Counter(1)
    jobs = Jobs([Tick("patient", day, patient.run, after=day), Tick("daily", day, daily.run)])
    jobs.start()
    async with asyncio.timeout(10):
        await daily.done.wait()
        assert not patient.runs
        jobs.look_now()
        await patient.done.wait()
    await jobs.stop()


async def test_a_tick_never_runs_beside_itself() -> None:
    other = Counter(5)
    running, most, go_on = 0, 0, asyncio.Event()

    async def slow() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await go_on.wait()
        running -= 1

    jobs = Jobs([Tick("slow", SOON, slow), Tick("other", SOON, other.run)])
    jobs.start()
    async with asyncio.timeout(10):
        await other.done.wait()
    await jobs.stop()
    assert most == 1


async def test_stopping_ends_what_runs() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def endless() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    jobs = Jobs([Tick("endless", SOON, endless)])
    jobs.start()
    async with asyncio.timeout(10):
        await begun.wait()
        await jobs.stop()
        await ended.wait()
