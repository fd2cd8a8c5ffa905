"""Fixtures: an emulator, a guild with a channel, and a connected bot."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.emulators.discord import Channel, DiscordEmulator, Guild
from tests.emulators.test_discord.clients import Bot, connected, emulated


@pytest_asyncio.fixture
async def dc() -> AsyncIterator[DiscordEmulator]:
    async with emulated() as emulator:
        yield emulator


@pytest.fixture
def club(dc: DiscordEmulator) -> Guild:
    return dc.guild("Club")


@pytest.fixture
def news(dc: DiscordEmulator, club: Guild) -> Channel:
    return dc.text(club, "news")


@pytest_asyncio.fixture
async def bot(dc: DiscordEmulator, news: Channel) -> AsyncIterator[Bot]:
    async with connected(dc) as client:
        yield client
