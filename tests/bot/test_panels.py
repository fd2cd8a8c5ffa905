"""Panels: what they show and set, and what becomes of buttons that are old, foreign or overtaken."""

from pathlib import Path

import pytest

from tests.bot.conftest import Desk
from tests.bot.conversations import Conversation
from tests.bot.transcripts import Transcript

TRANSCRIPT = Path(__file__).parent / "panels.txt"
OTHER = "https://example.net/other.json"


@pytest.fixture
async def ann(desk: Desk) -> Conversation:
    """An admin of a chat that follows everything and one source."""
    await desk.source("post-1")
    await desk.source("post-2", url=OTHER, title="Field notes")
    await desk.say("/subscribe")
    await desk.say("/subscribe Field notes")
    return Conversation(desk, Transcript(TRANSCRIPT))


async def test_an_admin_sets_everything_with_buttons(ann: Conversation) -> None:
    await ann.say("/subscriptions")
    await ann.press("Field notes")
    await ann.press("How much of a post")
    await ann.press("full")
    await ann.press("Pictures")
    await ann.press("no pictures")
    await ann.press("Pictures")
    await ann.press("pictures, as in this chat")
    await ann.press("Unsubscribe")
    await ann.press("Undo")
    await ann.press("Settings of this chat")
    await ann.press("Time zone")
    await ann.press("Type it")
    await ann.type("UTC+8")
    await ann.press("Time zone")
    await ann.press("Type it")
    await ann.type("Atlantis")
    await ann.type("geo:52.52,13.4")
    await ann.press("Language")
    await ann.press("简体中文")
    await ann.press("语言")
    await ann.press("English")
    ann.transcript.compare()
