"""An emulated Telegram, and Skywave running on it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.bot.telegram.live import Live, live, registered
from tests.emulators.telegram import Chat, TelegramEmulator


@pytest_asyncio.fixture
async def tg() -> AsyncIterator[TelegramEmulator]:
    async with TelegramEmulator() as emulator:
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
def ann(tg: TelegramEmulator) -> Chat:
    return tg.private(tg.user("Ann"))


@pytest_asyncio.fixture
async def sky(tg: TelegramEmulator, folder: Path) -> AsyncIterator[Live]:
    async with live(tg, folder) as running:
        yield running


@pytest_asyncio.fixture
async def with_menus(tg: TelegramEmulator, folder: Path) -> AsyncIterator[Live]:
    """The same, and its commands are registered."""
    async with live(tg, folder, menus=True) as running:
        await registered(tg)
        yield running
