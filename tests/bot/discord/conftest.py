"""An emulated Discord with a guild, and Skywave running on it.

The tests of a file with `sky` share a deployment and its emulator, because a start takes longer than most of
them. Both forget everything between two tests. `lone` is a deployment on an emulator of its own.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.bot.discord.live import Live, live
from tests.bot.live import SkippingClock
from tests.bot.shared import Shared, in_one_loop, pytest_runtest_makereport  # noqa: F401
from tests.emulators.discord import Channel, DiscordEmulator, Guild, Permission, User
from tests.emulators.discord.permissions import EVERYONE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    in_one_loop(items, Path(__file__).parent)


def _emulator(clock: SkippingClock) -> DiscordEmulator:
    return DiscordEmulator(today=lambda: clock.now().timestamp())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(
    migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Shared[Live]]:
    made = Shared(_emulator, live, migrated_file, tmp_path_factory)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def dc(request: pytest.FixtureRequest, shared: Shared[Live]) -> AsyncIterator[DiscordEmulator]:
    if "shares" in request.fixturenames:
        async with shared.for_a(request.node) as running:
            yield running.dc
    else:
        async with DiscordEmulator() as emulator:
            yield emulator


@pytest.fixture
def folder(sqlite_url: str, tmp_path: Path) -> Path:
    """A folder of its own, with a database."""
    return tmp_path


@pytest.fixture
def club(dc: DiscordEmulator) -> Guild:
    """A guild in which the bot may do what it asks for when it is invited."""
    return dc.guild("Club", bot_permissions=EVERYONE | Permission.MANAGE_THREADS, is_new=False)


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


@pytest.fixture
def shares() -> None:
    """Tells `dc` that a test takes part."""


@pytest.fixture
def sky(shared: Shared[Live], shares: None, dc: DiscordEmulator, news: Channel, talk: Channel) -> Live:
    return shared.running


@pytest_asyncio.fixture(loop_scope="module")
async def lone(dc: DiscordEmulator, news: Channel, talk: Channel, folder: Path) -> AsyncIterator[Live]:
    async with live(dc, folder) as running:
        yield running
