"""An emulated Discord with a guild, and Skywave running on it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.platforms.discord.commands import command_payloads
from tests.bot.discord.live import Live, live
from tests.emulators.discord import Channel, DiscordEmulator, Guild, Permission, User
from tests.emulators.discord.api_account import register
from tests.emulators.discord.permissions import EVERYONE


@pytest.fixture(scope="session")
def commands() -> str:
    """The commands as JSON, so that each test has a copy of its own."""
    return json.dumps(command_payloads())


@pytest_asyncio.fixture
async def dc(commands: str) -> AsyncIterator[DiscordEmulator]:
    """A Discord that knows the commands from an earlier start: registering them takes long."""
    async with DiscordEmulator() as emulator:
        register(emulator.world, json.loads(commands))
        yield emulator


@pytest.fixture
def folder(url_with_feed: str, tmp_path: Path) -> Path:
    """A folder of its own, with a database that has one feed."""
    return tmp_path


@pytest.fixture
def empty_folder(sqlite_url: str, tmp_path: Path) -> Path:
    """The same with a database without rows, for a story of a certain day: its feed is read on that day."""
    return tmp_path


@pytest.fixture
def club(dc: DiscordEmulator) -> Guild:
    """A guild in which the bot may do what it asks for when it is invited."""
    return dc.guild("Club", bot_permissions=EVERYONE | Permission.MANAGE_THREADS)


@pytest.fixture
def news(dc: DiscordEmulator, club: Guild) -> Channel:
    return dc.text(club, "news")


@pytest.fixture
def talk(dc: DiscordEmulator, club: Guild) -> Channel:
    return dc.text(club, "talk")


@pytest.fixture
def bob(dc: DiscordEmulator, club: Guild) -> User:
    """A member without any rights."""
    bob = dc.user("Bob")
    dc.join(club, bob)
    return bob


@pytest_asyncio.fixture
async def sky(dc: DiscordEmulator, news: Channel, talk: Channel, folder: Path) -> AsyncIterator[Live]:
    async with live(dc, folder) as running:
        yield running
