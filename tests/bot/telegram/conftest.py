"""An emulated Telegram, and Skywave running on it.

The tests of a file with `sky` share a deployment and its emulator, because a start takes longer than most of
them. Both forget everything between two tests. `lone` is a deployment on an emulator of its own.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.bot.live import SkippingClock
from tests.bot.shared import Shared, in_one_loop, pytest_runtest_makereport  # noqa: F401
from tests.bot.telegram.live import Live, live
from tests.emulators.telegram import Chat, TelegramEmulator

World = Shared[Live]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    in_one_loop(items, Path(__file__).parent)


def _emulator(_clock: SkippingClock) -> TelegramEmulator:
    return TelegramEmulator()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(
    migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Shared[Live]]:
    made = Shared(_emulator, live, migrated_file, tmp_path_factory)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def tg(request: pytest.FixtureRequest, shared: World) -> AsyncIterator[TelegramEmulator]:
    if "shares" in request.fixturenames:
        async with shared.for_a(request.node) as running:
            yield running.tg
    else:
        async with TelegramEmulator() as emulator:
            yield emulator


@pytest.fixture
def folder(sqlite_url: str, tmp_path: Path) -> Path:
    """A folder of its own, with a database."""
    return tmp_path


@pytest.fixture
def ann(tg: TelegramEmulator) -> Chat:
    return tg.private(tg.user("Ann"))


@pytest.fixture
def shares() -> None:
    """Tells `tg` that a test takes part."""


@pytest.fixture
def sky(shared: World, shares: None, tg: TelegramEmulator) -> Live:
    return shared.running


@pytest_asyncio.fixture(loop_scope="module")
async def lone(tg: TelegramEmulator, folder: Path) -> AsyncIterator[Live]:
    async with live(tg, folder) as running:
        yield running
