"""An emulated Discord with a guild, and Skywave running on it.

Tests with `sky` share an emulator and a deployment for each file, which forgets everything between two of them: to
start one takes longer than most of these tests. Tests with `lone` or with settings of their own have their own.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.bot.discord.live import Live, live
from tests.bot.shared import Shared, in_one_loop, pytest_runtest_makereport  # noqa: F401
from tests.emulators.discord import Channel, DiscordEmulator, Guild, Permission, User
from tests.emulators.discord.permissions import EVERYONE


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    in_one_loop(items, Path(__file__).parent)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shared[Live]]:
    made = Shared(DiscordEmulator, live, migrated_file, tmp_path_factory)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="module")
async def dc(request: pytest.FixtureRequest, shared: Shared[Live]) -> AsyncIterator[DiscordEmulator]:
    if "sky" in request.fixturenames:
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
def sky(shared: Shared[Live], dc: DiscordEmulator, news: Channel, talk: Channel) -> Live:
    return shared.running


@pytest_asyncio.fixture(loop_scope="module")
async def lone(dc: DiscordEmulator, news: Channel, talk: Channel, folder: Path) -> AsyncIterator[Live]:
    async with live(dc, folder) as running:
        yield running
