"""A loop that is stuck is noticed from outside, and so is a clock that jumps."""

import asyncio
import subprocess
import sys
import threading
from datetime import datetime, timedelta

from structlog.testing import capture_logs

from bot.watchdog import EXIT_STUCK, ClockCheck, Watchdog, end_within
from tests.fakes import FakeClock

PATIENCE = 30.0

STUCK = """
import asyncio, re, sys, threading
from bot.watchdog import Watchdog, end_within, keep_armed
import os
async def main():
    {start}
    await asyncio.sleep(0)
    {block}
asyncio.run(main())
"""
IN_PYTHON = "threading.Event().wait()"
IN_C = "re.match('(x+x+)+y', 'x' * 64)"  # holds Python's lock for ages


def run(start: str, block: str) -> subprocess.CompletedProcess[str]:
    """A process whose loop is blocked."""
    code = STUCK.format(start=start, block=block)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


async def test_a_loop_that_is_stuck_is_reported_with_its_stack() -> None:
    ended = threading.Event()

    def end(_: int) -> None:
        ended.set()

    with capture_logs() as events, Watchdog(asyncio.get_running_loop(), seconds=0.05, end=end):
        assert ended.wait(PATIENCE)  # blocks the loop
        await asyncio.sleep(0)
    (stuck,) = [event for event in events if event["event"] == "loop.stuck"]
    assert "test_a_loop_that_is_stuck" in stuck["stack"]


async def test_a_loop_that_turns_is_not_reported() -> None:
    with capture_logs() as events, Watchdog(asyncio.get_running_loop(), seconds=PATIENCE):
        await asyncio.sleep(0)
    assert not events


def test_a_process_that_is_stuck_ends_itself() -> None:
    done = run("Watchdog(asyncio.get_running_loop(), seconds=0.2, end=os._exit).__enter__()", IN_PYTHON)
    assert done.returncode == EXIT_STUCK
    assert "loop.stuck" in done.stdout + done.stderr


def test_a_process_that_is_stuck_in_c_ends_itself_too() -> None:
    done = run("armed = asyncio.create_task(keep_armed(True, 0.5))", IN_C)
    assert done.returncode == 1
    assert "Timeout" in done.stderr and "main" in done.stderr


def test_an_end_that_does_not_come_is_forced() -> None:
    done = run("end_within(0.2)", IN_PYTHON)
    assert (done.returncode, done.stderr) == (
        EXIT_STUCK,
        "skywave: the shutdown took too long, so unfinished work was cut off\n",
    )


def test_an_end_that_came_is_not_forced() -> None:
    ends: list[int] = []
    timer = end_within(PATIENCE, ends.append)
    timer.cancel()
    timer.join(PATIENCE)
    assert not ends


class SetClock(FakeClock):
    """A clock whose wall time can be set."""

    shift = timedelta()

    def now(self) -> datetime:
        return super().now() + self.shift


def test_a_jump_of_the_wall_clock_is_seen_once() -> None:
    clock = SetClock(manual=True)
    check = ClockCheck(clock)
    clock.advance(3600)
    assert check.jumped() == 0
    for hours in (-1, 2):
        clock.shift += timedelta(hours=hours)
        assert check.jumped() == hours * 3600
        assert check.jumped() == 0
    clock.shift += timedelta(seconds=1)
    assert check.jumped() == 0


async def test_a_jump_is_logged_and_acted_upon() -> None:
    clock, woken = SetClock(), asyncio.Event()
    with capture_logs() as events:
        watching = asyncio.create_task(ClockCheck(clock).watch(woken.set, clock.sleep))
        await asyncio.sleep(0)
        clock.shift = -timedelta(hours=1)
        async with asyncio.timeout(PATIENCE):
            await woken.wait()
        watching.cancel()
        await asyncio.wait({watching})
    assert [(event["event"], event["seconds"]) for event in events] == [("clock.jumped", -3600.0)]
