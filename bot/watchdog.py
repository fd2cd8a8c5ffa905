"""Notices an event loop that hangs, a wall clock that jumps, and a shutdown that takes too long.

A hanging loop cannot watch itself, so threads do. Threads cannot run while C code holds Python's lock, for
example in a pattern of `re`. For that case there is faulthandler, whose thread needs no lock.
"""

import asyncio
import faulthandler
import os
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable
from typing import TextIO

from scheduler.log import Logger
from scheduler.ports import Clock

log = Logger(__name__)

# An event loop that has run no callback for so many seconds is stuck.
STUCK = 30.0
# Exit status of a process that ended itself because it was stuck (sysexits.h: EX_TEMPFAIL).
EXIT_STUCK = 75
# Writing the log may hang as well. The watchdog waits so many seconds for it before it ends the process.
LOGGING = 5.0
# Seconds between two comparisons of the clocks, and the difference that counts as a jump.
COMPARED, JUMP = 5.0, 5.0

End = Callable[[int], object]
Sleep = Callable[[float], Awaitable[object]]


class Watchdog:
    """Checks in a thread that an event loop still runs callbacks.

    If it has not run one for `seconds`, the watchdog logs `loop.stuck` and calls `end` with an exit status.
    """

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
                turned.wait()  # report each hang once
            self._closing.wait(self._seconds / 3)

    def _report(self) -> None:
        frame = sys._current_frames().get(self._watched)
        stack = "".join(traceback.format_stack(frame)) if frame else ""
        # In a thread of its own, because the log may be what hangs.
        logging = threading.Thread(target=self._say, args=[stack], daemon=True)
        logging.start()
        logging.join(LOGGING)
        if self._end is not None:
            self._end(EXIT_STUCK)

    def _say(self, stack: str) -> None:
        what = "the process ends; its supervisor should restart it" if self._end else "restart the process"
        log.critical("loop.stuck", seconds=self._seconds, next_step=what, stack=stack)


async def keep_armed(end: bool, seconds: float = 2 * STUCK, file: TextIO | None = None) -> None:
    """Write all stacks to `file` if this coroutine could not run for so many seconds; with `end`, also exit.

    This works even while C code holds Python's lock. The exit status is 1.
    """
    try:
        while True:
            faulthandler.dump_traceback_later(seconds, exit=end, file=file or sys.stderr)
            await asyncio.sleep(seconds / 4)
    finally:
        faulthandler.cancel_dump_traceback_later()


def end_within(seconds: float, end: End = os._exit) -> threading.Timer:
    """End the process after so many seconds, whatever still runs, unless the timer is cancelled."""

    def cut_off() -> None:
        print(
            "skywave: the shutdown took too long, so unfinished work was cut off", file=sys.stderr, flush=True
        )
        end(EXIT_STUCK)

    timer = threading.Timer(seconds, cut_off)
    timer.daemon = True
    timer.start()
    return timer


class ClockCheck:
    """Compares the wall clock with the monotonic clock, which never jumps."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._apart = clock, self._difference(clock)

    @staticmethod
    def _difference(clock: Clock) -> float:
        return clock.now().timestamp() - clock.monotonic()

    def jumped(self) -> float:
        """Seconds by which the wall clock has jumped since the last call; 0 if it is less than JUMP."""
        apart = self._difference(self._clock)
        jump, self._apart = apart - self._apart, apart
        return jump if abs(jump) > JUMP else 0.0

    async def watch(self, on_jump: Callable[[], None], sleep: Sleep = asyncio.sleep) -> None:
        """Log each jump and call `on_jump`, until cancelled."""
        while True:
            await sleep(COMPARED)
            if jump := self.jumped():
                log.warning(
                    "clock.jumped", seconds=round(jump, 1), next_step="check the time synchronisation"
                )
                on_jump()
