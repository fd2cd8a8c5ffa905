"""An emulated Telegram, and Skywave running on it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.bot.telegram.live import Live, live
from tests.emulators.telegram import TelegramEmulator


@pytest_asyncio.fixture
async def tg() -> AsyncIterator[TelegramEmulator]:
    async with TelegramEmulator() as emulator:
        yield emulator


@pytest.fixture
def folder(sqlite_url: str, tmp_path: Path) -> Path:
    """A folder of its own, with a database."""
    return tmp_path


@pytest_asyncio.fixture
async def sky(tg: TelegramEmulator, folder: Path) -> AsyncIterator[Live]:
    async with live(tg, folder) as running:
        yield running
