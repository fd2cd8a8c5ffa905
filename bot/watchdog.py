"""Notices a frozen process: a loop that no longer turns, a clock that jumps, an end that does not come.

The loop cannot do that itself, so threads do. They cannot either while C code holds Python's lock, as a
pattern of `re` does: for that there is faulthandler, whose thread needs no lock.
"""

import asyncio
import faulthandler
import os
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable
from typing import TextIO

import structlog

from scheduler.ports import Clock

log = structlog.get_logger(__name__)

# A loop that has not turned for this long is stuck, seconds.
STUCK = 30.0
# Exit status of a process that ended itself because it was stuck (sysexits.h: EX_TEMPFAIL).
EXIT_STUCK = 75
# What is logged may hang as well; the end does not wait longer for it, seconds.
LOGGING = 5.0
# How often the clocks are compared, and how far they may be apart, seconds.
COMPARED, JUMP = 5.0, 5.0

End = Callable[[int], object]
Sleep = Callable[[float], Awaitable[object]]


class Watchdog:
    """Asks a loop again and again to answer. When it does not, that is logged, and `end` is called."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, *, seconds: float = STUCK, end: End | None = None
    ) -> None:
        self._loop, self._seconds, self._end = loop, seconds, end
        self._watched = threading.get_ident()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self) -> "Watchdog":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()

    def _watch(self) -> None:
        while not self._closing.is_set():
            turned = threading.Event()
            try:
                self._loop.call_soon_threadsafe(turned.set)
            except RuntimeError:
                return  # the loop is closed
            if not turned.wait(self._seconds) and not self._closing.is_set():
                self._report()
                turned.wait()
            self._closing.wait(self._seconds / 3)

    def _report(self) -> None:
        frame = sys._current_frames().get(self._watched)
        stack = "".join(traceback.format_stack(frame)) if frame else ""
        logging = threading.Thread(target=self._say, args=[stack], daemon=True)
        logging.start()
        logging.join(LOGGING)
        if self._end is not None:
            self._end(EXIT_STUCK)

    def _say(self, stack: str) -> None:
        what = "the process ends; its supervisor should restart it" if self._end else "restart the process"
        log.critical("loop.stuck", seconds=self._seconds, next_step=what, stack=stack)


async def keep_armed(end: bool, seconds: float = 2 * STUCK, file: TextIO | None = None) -> None:
    """Have the stacks written, and the process ended if `end`, when this coroutine does not run for so long.

    It works also while C code holds Python's lock. The exit status is 1 then.
    """
    try:
        while True:
            faulthandler.dump_traceback_later(seconds, exit=end, file=file or sys.stderr)
            await asyncio.sleep(seconds / 4)
    finally:
        faulthandler.cancel_dump_traceback_later()


def end_within(seconds: float, end: End = os._exit) -> threading.Timer:
    """End the process after so many seconds, whatever still keeps it, unless the timer is cancelled."""

    def cut_off() -> None:
        print("skywave: what still ran at the end was cut off", file=sys.stderr, flush=True)
        end(EXIT_STUCK)

    timer = threading.Timer(seconds, cut_off)
    timer.daemon = True
    timer.start()
    return timer


class ClockCheck:
    """Compares the wall clock with one that never jumps."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._apart = clock, self._difference(clock)

    @staticmethod
    def _difference(clock: Clock) -> float:
        return clock.now().timestamp() - clock.monotonic()

    def jumped(self) -> float:
        """Seconds by which the wall clock has jumped since the last call; 0 for less than a few."""
        apart = self._difference(self._clock)
        jump, self._apart = apart - self._apart, apart
        return jump if abs(jump) > JUMP else 0.0

    async def watch(self, on_jump: Callable[[], None], sleep: Sleep = asyncio.sleep) -> None:
        """Log each jump, until cancelled."""
        while True:
            await sleep(COMPARED)
            if jump := self.jumped():
                log.warning(
                    "clock.jumped", seconds=round(jump, 1), next_step="check the time synchronisation"
                )
                on_jump()
