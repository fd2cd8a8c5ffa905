"""Fixtures: an emulator, a bot that uses it, and Ann, who has started the bot."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from telegram import Bot

from tests.emulators.telegram import Chat, TelegramEmulator, User
from tests.emulators.test_telegram.clients import make_bot


@pytest_asyncio.fixture
async def tg() -> AsyncIterator[TelegramEmulator]:
    async with TelegramEmulator() as emulator:
        yield emulator


@pytest_asyncio.fixture
async def bot(tg: TelegramEmulator) -> AsyncIterator[Bot]:
    async with make_bot(tg) as made:
        yield made


@pytest.fixture
def ann(tg: TelegramEmulator) -> User:
    return tg.user("Ann", language="zh")


@pytest.fixture
def chat(tg: TelegramEmulator, ann: User) -> Chat:
    return tg.private(ann)
