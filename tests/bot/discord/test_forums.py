"""Forums on a Discord that counts: each post is a thread, and threads have a bucket of their own."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.bot.discord.live import Live
from tests.emulators.discord import DiscordEmulator, Guild, Limits


@pytest_asyncio.fixture
async def dc() -> AsyncIterator[DiscordEmulator]:
    async with DiscordEmulator(limits=Limits()) as emulator:
        yield emulator


async def test_a_bucket_that_is_full_again_late_lets_through_what_it_has(
    dc: DiscordEmulator, sky: Live, club: Guild
) -> None:
    forum = dc.forum(club, "updates")
    await sky.follow(forum)
    for name in ("one", "two", "three"):
        await sky.publish(name)
    assert await sky.ended(forum) == ["sent"] * 3
    assert [thread.name for thread in club.threads.values()] == ["Post one", "Post two", "Post three"]
