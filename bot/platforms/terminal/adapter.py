"""The terminal as a platform: a person at a TTY, or lines from a pipe that are answered in plain text."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TextIO

from rich.console import Console

from bot.commands.types import Button, Call, Reply
from bot.platforms.terminal.render import plain, render, styled
from bot.platforms.types import Wiring
from bot.visible import visible
from content import present
from content.document import Document
from scheduler.limits import Limits
from scheduler.types import Chat, ChatKind, Form, Message, Payload, Place, Sent

NAME = "terminal"
HERE = Place(NAME, "me")
# Who sits at the terminal runs the deployment.
ACTOR = "terminal:me"
PROMPT = "skywave> "


class TerminalPlatform:
    """Prints messages."""

    name = NAME
    deduplicates = False

    def __init__(self, output: TextIO) -> None:
        self._console = Console(file=output, highlight=False, soft_wrap=True)
        self._output, self._printed = output, 0

    def render(self, document: Document, form: Form) -> Sequence[Message]:
        return render(document, form)

    async def send(self, chat: Chat, message: Message, *, key: str) -> Sent:
        self.show(message.payload)
        return Sent(chat.place.address, (str(self._printed),))

    async def edit(self, chat: Chat, sent: Sent, message: Message) -> None:
        self.show(message.payload)

    async def recall(self, chat: Chat, message: Message, since: datetime) -> Sent | None:
        return None

    async def publish(self, sent: Sent) -> None:
        return None

    def show(self, payload: Payload) -> None:
        """Print a message; an empty line parts it from the one before."""
        if self._printed:
            self._output.write("\n")
        self._printed += 1
        if self._console.is_terminal:
            self._console.print(styled(payload))
        else:
            self._output.write(plain(payload) + "\n")
        self._output.flush()

    def write(self, line: str) -> None:
        self._output.write(visible(line) + "\n")
        self._output.flush()


class TerminalAdapter:
    name = NAME

    def __init__(self, limits: Limits, source: TextIO | None = None, output: TextIO | None = None) -> None:
        self.limits = limits
        self._source = source or sys.stdin
        self._output = output or sys.stdout
        self._interactive = self._source.isatty() and self._output.isatty()
        self.platform = TerminalPlatform(self._output)
        self._buttons: tuple[Button, ...] = ()  # of the last reply

    async def open(self) -> None:
        return None

    async def close(self, patience: float = 0.0) -> None:
        return None

    async def check(self) -> str:
        return "a person at a terminal" if self._interactive else "a pipe"

    async def listen(self, wiring: Wiring) -> None:
        """Answer lines until the input ends; without a single one, show the newest posts."""
        if self._interactive:
            await self._answer("/start", wiring)
            await self._answer("/latest", wiring)
        answered = self._interactive
        lines = Lines(self._source)
        while (line := await lines.next(self._prompt)) is not None:
            if line.strip():
                answered = True
                await self._answer(line.strip(), wiring)
        if not answered:
            await self._answer("/latest", wiring)

    def _prompt(self) -> None:
        if self._interactive:
            self._output.write("\n" + PROMPT)
            self._output.flush()

    async def _answer(self, line: str, wiring: Wiring) -> None:
        name, _, arguments = line.partition(" ")
        locale = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
        call = Call(name[1:].lower(), arguments.strip(), HERE, ChatKind.TERMINAL, "", ACTOR, locale, _always)
        pressed = next((button for button in self._buttons if _means(line, button)), None)
        if pressed is not None:
            reply = await wiring.router.press(pressed.data, call, [pressed.data])
        elif name.startswith("/"):
            reply = await wiring.router.command(call)
        else:
            reply = Reply(present.error("Commands begin with a slash: /latest, /search WORDS, /help."))
        if reply is not None:
            self._show(reply)
        wiring.wake()

    def _show(self, reply: Reply) -> None:
        for message in self.platform.render(reply.document, Form.FULL):
            self.platform.show(message.payload)
        self._buttons = reply.buttons
        # The numbers of pages stand in the text already.
        named = [f"[{button.label}]" for button in reply.buttons if any(map(str.isalpha, button.label))]
        if named:
            self.platform.write(f"{' '.join(named)}  (type what is on a button)")


def _means(line: str, button: Button) -> bool:
    """Whether somebody typed what is on a button: its words, or the number of a page."""
    return line.casefold() == button.label.strip("· ").casefold()


async def _always() -> bool:
    return True


class Lines:
    """Lines of a file as they come. A thread reads them: a pipe or a TTY cannot be awaited everywhere."""

    def __init__(self, source: TextIO) -> None:
        self._source = source
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._wanted = threading.Semaphore(0)
        threading.Thread(target=self._read, name="terminal", daemon=True).start()

    async def next(self, prompt: Callable[[], None]) -> str | None:
        """The next line, None at the end."""
        prompt()
        self._wanted.release()
        return await self._lines.get()

    def _read(self) -> None:
        while True:
            self._wanted.acquire()
            line = self._source.readline()
            try:
                self._loop.call_soon_threadsafe(self._lines.put_nowait, line or None)
            except RuntimeError:
                return  # the loop has ended
            if not line:
                return
