"""Forums on a Discord that counts: each post is a thread, and threads have a bucket of their own."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.bot.discord.live import Live, text_of
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
    thread = next(iter(club.threads.values()))
    why = await sky.answer_to(dc.choose(dc.messages(thread)[0], "Why was this sent?"))
    assert "Post one" in text_of(why) and "This chat follows all public sources" in text_of(why)
