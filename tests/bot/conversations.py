"""A person at a desk who presses the buttons of the last reply by their labels."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.commands.types import Button, Question, Reply
from tests.bot.conftest import Desk, shown
from tests.bot.transcripts import Transcript


@dataclass
class Conversation:
    """What is said and pressed is noted in a transcript; everything returns what the reply says."""

    desk: Desk
    transcript: Transcript = field(default_factory=lambda: Transcript(Path()))
    who: dict[str, Any] = field(default_factory=dict)
    reply: Reply | None = None
    asking: Button | None = None

    async def say(self, line: str) -> str:
        self.transcript.did(line)
        return self._saw(await self.desk.say(line, **self.who))

    async def press(self, label: str) -> str:
        """Press a button, which may ask its question. Raises LookupError."""
        button, offered = self.button(label), [one.sent for one in self.reply.buttons] if self.reply else []
        self.transcript.did(f"[{label}]")
        made = await self.desk.router.press(button.sent, self.desk.call("", **self.who), offered)
        if not isinstance(made, Question):
            return self._saw(made)
        self.asking = button
        self.transcript.saw(f"{made.prompt} ({made.placeholder})")
        return made.prompt

    async def type(self, text: str) -> str:
        """Answer the question of the button that was pressed last."""
        assert self.asking is not None
        self.transcript.did(text)
        return self._saw(await self.desk.press(self.asking.sent, typed=text, **self.who))

    def button(self, label: str) -> Button:
        buttons = self.reply.buttons if self.reply else ()
        found = [button for button in buttons if button.label == label]
        if not found:
            raise LookupError(f"no button {label!r}; there: {[button.label for button in buttons]}")
        return found[0]

    def _saw(self, reply: Reply | None) -> str:
        """Note a reply. Its buttons are those of the message that a person sees now."""
        assert reply is not None
        if reply.rows:
            self.reply = reply
        said = shown(reply)
        self.transcript.saw(said, [[button.label for button in row] for row in reply.rows if row])
        return said
