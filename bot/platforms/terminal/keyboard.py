"""Reads lines from a person at a TTY or from a pipe.

The text typed so far can be read, so that a post that arrives does not garble it.
"""

import asyncio
import sys
import threading
from typing import Protocol, TextIO

from rich.cells import cell_len

PROMPT = "skywave> "


class Keyboard(Protocol):
    """A source of lines. A thread of its own reads it, because `line` blocks."""

    @property
    def prompts(self) -> bool:
        """Whether it writes the prompt itself."""
        ...

    def line(self) -> str:
        """Wait for the next line; empty at the end."""
        ...

    def typed(self) -> str:
        """The text typed so far of the next line."""
        ...

    def close(self) -> None: ...


class Pipe:
    """Lines of a file."""

    prompts = False

    def __init__(self, source: TextIO) -> None:
        self._source = source

    def line(self) -> str:
        return self._source.readline()

    def typed(self) -> str:
        return ""

    def close(self) -> None:
        return None


class Readline:
    """A person at a terminal with readline, whose buffer holds the text typed so far."""

    prompts = True

    def __init__(self) -> None:
        import readline  # not on Windows
        import termios

        self._readline = readline
        self._settings = termios.tcgetattr(sys.stdin)

    def line(self) -> str:
        try:
            return input(PROMPT) + "\n"
        except EOFError:
            return ""

    def typed(self) -> str:
        return self._readline.get_line_buffer()

    def close(self) -> None:
        """Restore the terminal's settings: readline turned echo off, and the process may end mid-line."""
        import termios

        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._settings)


def keyboard_of(source: TextIO, interactive: bool) -> Keyboard:
    if not interactive or source is not sys.stdin:
        return Pipe(source)
    try:
        return Readline()
    except ImportError:
        return Pipe(source)


def taken_back(typed: str, columns: int) -> str:
    """The control sequence that erases the prompt and the typed text, which may fill several rows."""
    rows = max(0, cell_len(PROMPT + typed) - 1) // columns
    return (f"\x1b[{rows}A" if rows else "") + "\r\x1b[J"


class Lines:
    """Reads lines in a thread, because asyncio cannot await a TTY or a pipe on every system."""

    def __init__(self, keyboard: Keyboard) -> None:
        self._keyboard = keyboard
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._wanted = threading.Semaphore(0)
        threading.Thread(target=self._read, name="terminal", daemon=True).start()

    async def next(self) -> str | None:
        """The next line, None at the end."""
        self._wanted.release()
        return await self._lines.get()

    def _read(self) -> None:
        while True:
            self._wanted.acquire()  # `line` prints the prompt, which must come after the last reply
            line = self._keyboard.line()
            try:
                self._loop.call_soon_threadsafe(self._lines.put_nowait, line or None)
            except RuntimeError:
                return  # the loop is closed
            if not line:
                return
