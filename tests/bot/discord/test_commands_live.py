"""Slash commands as people give them, everywhere that Discord lets them."""

import pytest

from tests.bot.discord.live import Live, text_of
from tests.emulators.discord import Channel, DiscordEmulator, Guild


@pytest.mark.parametrize("kind", ["text", "announcement", "thread", "dm"])
async def test_a_command_is_answered_everywhere(
    dc: DiscordEmulator, sky: Live, club: Guild, news: Channel, kind: str
) -> None:
    place = {
        "text": lambda: news,
        "announcement": lambda: dc.announcement(club, "announcements"),
        "thread": lambda: dc.thread(news, "a thread"),
        "dm": lambda: dc.dm(dc.user("Ann")),
    }[kind]()
    reply = await sky.answer(place, "latest")
    assert reply.channel_id == place.id
    assert "LATEST UPDATES" in text_of(reply)
    assert "https://example.org/old" in text_of(reply)
