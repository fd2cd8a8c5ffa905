"""What people decide with commands and words, at a terminal, as a story that can be read."""

import asyncio
import io
import queue
from pathlib import Path

from bot.loading import load_settings
from bot.platforms.terminal.adapter import TerminalAdapter
from bot.platforms.terminal.limits import LIMITS
from scheduler.types import Place
from tests.bot import everything
from tests.bot.live import PATIENCE, Deployment
from tests.bot.transcripts import ThatDay, Transcript
from tests.e2e.program import FeedServer, item

TRANSCRIPT = Path(__file__).parent / "everything.txt"
SHOWN = 16  # lines of an answer, which may be a whole file
HERE = Place("terminal", "me")


class Typing(io.StringIO):
    """Lines that are typed one after the other. Who asks for one has dealt with those before."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._lines: queue.Queue[str] = queue.Queue()

    def readline(self, size: int | None = -1) -> str:  # type: ignore[override]
        self._loop.call_soon_threadsafe(self.asked.set)
        return self._lines.get(timeout=PATIENCE)

    def type(self, line: str) -> None:
        """Type a line; an empty one ends the input."""
        self._lines.put(line)


class Person:
    """The person at the terminal."""

    def __init__(self, sky: Deployment[Place], typing: Typing, output: io.StringIO, folder: Path) -> None:
        self.sky, self.transcript = sky, Transcript(TRANSCRIPT)
        self._typing, self._output, self._folder, self._seen = typing, output, folder, 0

    async def say(self, line: str) -> None:
        self.transcript.did(line.replace(f"{self._folder}/", ""))
        async with asyncio.timeout(PATIENCE):
            await self._typing.asked.wait()
            self._typing.asked.clear()
            self._typing.type(f"{line}\n")
            await self._typing.asked.wait()
        self._note()

    async def press(self, label: str) -> None:
        await self.say(label)

    async def type(self, text: str) -> None:
        await self.say(text)

    async def send(self, name: str, content: bytes) -> None:
        (self._folder / name).write_bytes(content)
        await self.say(f"/import {self._folder / name}")

    async def ask_why(self) -> None:
        await self.say("/why A new antenna")

    async def sees(self) -> None:
        await self.sky.ended_at_last(HERE)
        self._note()

    def _note(self) -> None:
        printed = self._output.getvalue()
        lines = (
            printed[self._seen :]
            .replace(self.sky.feeds.url, "https://feeds.example")
            .strip("\n")
            .splitlines()
        )
        more = [f"(and {len(lines) - SHOWN} more lines)"] if len(lines) > SHOWN else []
        if lines:
            self.transcript.saw("\n".join(lines[:SHOWN] + more))
        self._seen = len(printed)


async def test_people_decide_what_comes_and_when(sqlite_url: str, tmp_path: Path) -> None:
    settings = load_settings(
        database_url=sqlite_url, telegram_token="", allowed_networks="127.0.0.0/8", poll_interval=3600
    )
    typing, output = Typing(), io.StringIO()
    async with FeedServer().serving() as feeds:
        adapter = TerminalAdapter(LIMITS, typing, output)
        sky = Deployment[Place](feeds, settings, lambda: [adapter], ThatDay())
        await sky.open()
        try:
            sky.serve(item("old"))
            await sky.add_source()
            sky.start()
            ann = Person(sky, typing, output, tmp_path)
            await everything.decide_what_comes(ann)
            await everything.decide_when_it_comes(ann)
            await everything.decide_the_rest(ann)
            await ann.say("/operator")
            await ann.press("Chats")
            typing.type("")
        finally:
            await sky.close()
    ann.transcript.compare()
