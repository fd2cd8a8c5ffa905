"""What people decide with commands and buttons, with the real client library, as a story that can be read."""

import re
from pathlib import Path

from bot.commands import COMMANDS
from tests.bot import everything
from tests.bot.discord.live import Live, live, text_of
from tests.bot.live import PATIENCE
from tests.bot.transcripts import ThatDay, Transcript
from tests.emulators.discord import Channel, DiscordEmulator, Interaction, Message, User
from tests.emulators.discord.types import LOADING, walk

TRANSCRIPT = Path(__file__).parent / "everything.txt"
# The option in which each command takes its text.
OPTIONS = {command.name: command.parameters[0].name for command in COMMANDS if command.parameters}

# An id, which has the time in it.
SNOWFLAKE = re.compile(r"[0-9]{18,}")


class Person:
    """Somebody in a channel, who sees the bot's messages there."""

    def __init__(self, sky: Live, channel: Channel, user: User, transcript: Transcript) -> None:
        self.sky, self.channel, self.user, self.transcript = sky, channel, user, transcript
        self._known = self._seen()
        self._form: Interaction | None = None

    async def say(self, line: str) -> None:
        self.transcript.did(f"{self.user.name} sends {SNOWFLAKE.sub('…', line)}")
        name, _, text = line[1:].partition(" ")
        options = {OPTIONS[name]: text} if text else {}
        await self._answered(self.sky.dc.slash(self.channel, name, by=self.user, **options))

    async def press(self, label: str) -> None:
        self.transcript.did(f"{self.user.name} presses [{label}]")
        pressed = self.sky.dc.press(self.channel, label, by=self.user)
        await self.sky.acknowledged(pressed)
        if pressed.modal is None:
            await self._answered(pressed)
            return
        self._form = pressed
        (field,) = walk(pressed.modal["components"], (4,))
        asked = [str(item.get("label") or item.get("content")) for item in walk(pressed.modal["components"])]
        asked = [one for one in asked if one != "None"]
        self.transcript.saw("\n".join((f"(form “{pressed.modal['title']}”)", *asked)))
        self.transcript.saw(f"(answer like: {field.get('placeholder')})")

    async def type(self, text: str) -> None:
        assert self._form is not None and self._form.modal is not None
        self.transcript.did(f"{self.user.name} answers {text}")
        (field,) = [str(item["custom_id"]) for item in walk(self._form.modal["components"], (4,))]
        await self._answered(self.sky.dc.submit(self._form, **{field: text}))

    async def send(self, name: str, content: bytes) -> None:
        self.transcript.did(f"{self.user.name} sends {name} with /import")
        file = self.sky.dc.attach(name, content)
        await self._answered(self.sky.dc.slash(self.channel, "import", by=self.user, file=file))

    async def ask_why(self) -> None:
        self.transcript.did(f"{self.user.name} chooses “Why was this sent?” in the menu of that message")
        post = self.sky.dc.messages(self.channel)[-1]
        await self._answered(self.sky.dc.choose(post, "Why was this sent?", by=self.user))

    async def sees(self) -> None:
        await self.sky.ended_at_last(self.channel)
        self._note()

    async def _answered(self, made: Interaction) -> None:
        """Note what the person sees after an interaction."""
        await self.sky.acknowledged(made)
        await self.sky.dc.wait_for(lambda: self._seen() != self._known or None, PATIENCE)
        self._note()

    def _seen(self) -> list[Message]:
        everything = [*self.channel.messages.values(), *self.channel.hidden.values()]
        mine = (m for m in everything if m.author == self.sky.dc.bot and m.only_for in (None, self.user.id))
        return sorted((m for m in mine if not m.flags & LOADING), key=lambda message: message.id)

    def _note(self) -> None:
        """Note what is new or has changed."""
        for message in self._seen():
            if message not in self._known:
                files = "".join(f"\n(file {file['filename']})" for file in message.files)
                rows = [row["components"] for row in message.components if row.get("type") == 1]
                labels = [[str(item["label"]) for item in row] for row in rows if isinstance(row, list)]
                who = "(alone:) " if message.only_for else ""
                self.transcript.saw(SNOWFLAKE.sub("…", who + text_of(message) + files), labels)
        self._known = self._seen()


async def test_people_decide_what_comes_and_when(dc: DiscordEmulator, empty_folder: Path) -> None:
    ann, olga = dc.user("Ann"), dc.user("Olga")
    guild, transcript = dc.guild("Radio club", owner=ann), Transcript(TRANSCRIPT)
    board = dc.text(guild, "board")
    async with live(dc, empty_folder, clock=ThatDay(), operators=f"discord:{olga.id}") as sky:
        here = Person(sky, board, ann, transcript)
        await everything.decide_what_comes(here)
        await everything.decide_when_it_comes(here)
        await everything.decide_the_rest(here)
        await here.press("Keep it")
        there = Person(sky, dc.dm(olga), olga, transcript)
        await everything.operate(there, "#board (Radio club)", f"discord:{board.id}")
        assert await sky.find(board) is None
    transcript.compare()
