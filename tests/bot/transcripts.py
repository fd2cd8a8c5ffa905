"""Transcripts: what people did and saw in a chat, as text that a test compares with a file beside it."""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from tests.bot.live import SkippingClock
from tests.builders import NOW


class ThatDay(SkippingClock):
    """A clock that stands at NOW until a test skips time: a transcript has the same dates every day."""

    def __init__(self) -> None:
        super().__init__()
        self._now = NOW

    def now(self) -> datetime:
        return self._now

    def skip(self, seconds: float) -> None:
        super().skip(seconds)
        self._now += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        before = self._now
        await super().sleep(seconds)
        self._now = before


class Transcript:
    """Collects what happens in a chat, and compares it with a file. TRANSCRIPTS=write writes the file."""

    def __init__(self, path: Path) -> None:
        self._path, self._lines = path, list[str]()

    def did(self, what: str) -> None:
        """Note what a person did."""
        self._lines += [f"> {what}", ""]

    def saw(self, text: str, rows: Sequence[Sequence[str]] = ()) -> None:
        """Note what the bot showed: a text above rows of buttons."""
        self._lines += [f"  {line}".rstrip() for line in text.splitlines()]
        self._lines += ["  " + " ".join(f"[{label}]" for label in row) for row in rows]
        self._lines.append("")

    def compare(self) -> None:
        """Fail if the file says something else."""
        text = "\n".join(self._lines)
        if os.environ.get("TRANSCRIPTS") == "write":
            self._path.write_text(text)
        assert text == self._path.read_text()
