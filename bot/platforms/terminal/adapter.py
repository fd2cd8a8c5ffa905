"""The terminal adapter: a person types at a TTY, or a pipe sends lines and gets plain text."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from rich.console import Console

from bot.commands.types import Button, Call, Question, Reply, Upload
from bot.platforms.terminal.keyboard import PROMPT, Keyboard, Lines, keyboard_of, taken_back
from bot.platforms.terminal.limits import HERE, NAME
from bot.platforms.terminal.render import plain, render, styled
from bot.platforms.types import Wiring
from bot.visible import visible
from content import present
from content.document import Document
from content.errors import UsageError
from scheduler.types import Chat, ChatKind, Form, Limits, Message, Payload, Sent

# The person at the terminal, who is an operator.
ACTOR = "terminal:me"


class TerminalSender:
    """Prints messages."""

    name = NAME
    deduplicates = False

    def __init__(self, limits: Limits, output: TextIO) -> None:
        self.limits = limits
        self._console = Console(file=output, highlight=False, soft_wrap=True)
        self._output, self._printed = output, 0
        self.waiting: Keyboard | None = None  # set while a line is read: a person may be typing it

    def render(self, document: Document, form: Form) -> Sequence[Message]:
        return render(document, form)

    async def send(self, chat: Chat, message: Message, *, key: str, silent: bool = False) -> Sent:
        self.show(message.payload)
        return Sent(chat.place.address, (str(self._printed),))

    def show(self, payload: Payload) -> None:
        """Print a message, after an empty line. A line that is being typed is moved below it."""
        typed = self.waiting.typed() if self.waiting else ""
        if self.waiting:
            self._output.write(taken_back(typed, self._console.width))
        elif self._printed:
            self._output.write("\n")
        self._printed += 1
        if self._console.is_terminal:
            self._console.print(styled(payload))
        else:
            self._output.write(plain(payload) + "\n")
        if self.waiting:
            self._output.write("\n" + PROMPT + typed)
        self._output.flush()

    def write(self, line: str) -> None:
        self._output.write(visible(line) + "\n")
        self._output.flush()


class TerminalAdapter(TerminalSender):
    """The sender, which also reads commands from the input."""

    def __init__(
        self,
        limits: Limits,
        source: TextIO | None = None,
        output: TextIO | None = None,
        keyboard: Keyboard | None = None,
    ) -> None:
        super().__init__(limits, output or sys.stdout)
        self._keyboard = keyboard
        self._source = source or sys.stdin
        self._interactive = self._source.isatty() and self._output.isatty()
        self._buttons: tuple[Button, ...] = ()  # of the last reply that had some
        self._asking: Button | None = None  # the button whose question the next line answers

    async def check(self) -> str:
        return "a person at a terminal" if self._interactive else "a pipe"

    async def listen(self, wiring: Wiring) -> None:
        """Answer lines until the input ends. If there was none, show the newest posts."""
        if self._interactive:
            await self._answer("/start", wiring)
            await self._answer("/latest", wiring)
        answered = self._interactive
        keyboard = self._keyboard or keyboard_of(self._source, self._interactive)
        lines = Lines(keyboard)
        try:
            while (line := await self._next(lines, keyboard)) is not None:
                if line.strip():
                    answered = True
                    await self._answer(line.strip(), wiring)
        finally:
            keyboard.close()
        if not answered:
            await self._answer("/latest", wiring)

    async def _next(self, lines: Lines, keyboard: Keyboard) -> str | None:
        if not self._interactive:
            return await lines.next()
        self._output.write("\n" if keyboard.prompts else "\n" + PROMPT)
        self._output.flush()
        self.waiting = keyboard
        try:
            return await lines.next()
        finally:
            self.waiting = None

    async def _answer(self, line: str, wiring: Wiring) -> None:
        name, _, arguments = line.partition(" ")
        locale = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
        call = Call(name[1:].lower(), arguments.strip(), HERE, ChatKind.TERMINAL, "", ACTOR, locale, _always)
        if arguments and wiring.router.takes_file(call.name):
            call = replace(call, upload=_upload(Path(arguments.strip()).expanduser()), show=self._progress)
        asking, self._asking = self._asking, None
        pressed = next((button for button in self._buttons if _means(line, button)), None)
        reply: Reply | Question | None
        if asking is not None and not (name.startswith("/") and wiring.router.knows(call.name)):
            answer = replace(call, name="", arguments=line)
            reply = await wiring.router.press(asking.sent, answer, [asking.sent], answered=True)
            if isinstance(reply, Reply) and not reply.rows:  # it was not understood: the next line may be
                self._asking = asking
        elif pressed is not None:
            link = next((button.url for button in self._buttons if button.url), "")
            press = replace(call, name="", arguments=link)
            reply = await wiring.router.press(pressed.sent, press, [pressed.sent])
        elif name.startswith("/"):
            reply = await wiring.router.command(call)
        else:
            t = (await wiring.router.translator(call)).t
            reply = Reply(present.error(t("Commands begin with a slash: /latest, /search WORDS, /help.")))
        if isinstance(reply, Question):
            self._asking = pressed
            self._ask(reply)
        elif reply is not None:
            self._show(reply, (await wiring.router.translator(call)).t)
        wiring.wake()

    async def _progress(self, document: Document) -> None:
        self.show(self.render(document, Form.PLAIN)[0].payload)

    def _ask(self, question: Question) -> None:
        hint = f" ({question.placeholder})" if question.placeholder else ""
        self.write(f"{question.prompt}{hint}")

    def _show(self, reply: Reply, t: Callable[[str], str]) -> None:
        for message in self.render(reply.document, Form.FULL):
            self.show(message.payload)
        if reply.file is not None:
            self.write(reply.file.content.decode())
        self._buttons = reply.buttons or self._buttons
        lines = [line for row in reply.rows if (line := " ".join(_named(row)))]
        if lines:
            lines[-1] += "  " + t("(type the label of a button)")
        for line in lines:
            self.write(line)


def _named(row: Sequence[Button]) -> list[str]:
    """A row with words or times. Page numbers are not shown, because the text already shows them."""
    named = row if any(_has_words(button.label) for button in row) else ()
    return [f"[{button.label}: {button.url}]" if button.url else f"[{button.label}]" for button in named]


def _has_words(label: str) -> bool:
    return ":" in label or any(map(str.isalpha, label))


def _means(line: str, button: Button) -> bool:
    """Whether a line is the label of a button, perhaps without the signs at its ends."""
    label = button.label.casefold()
    return not button.url and line.casefold() in (label, _words(label))


def _words(label: str) -> str:
    """A label without the signs at its ends."""
    kept = [place for place, sign in enumerate(label) if sign.isalnum()]
    return label[kept[0] : kept[-1] + 1] if kept else label


def _upload(file: Path) -> Upload:
    """A file of this machine, which the person at it may read."""

    async def read() -> bytes:
        try:
            return file.read_bytes()
        except OSError as exc:
            raise UsageError(f"{file} cannot be read: {exc.strerror}") from exc

    return Upload(file.name, file.stat().st_size if file.is_file() else 0, read)


async def _always() -> bool:
    return True
