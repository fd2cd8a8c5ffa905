"""Announcement channels whose posts are published to the servers that follow them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from scheduler.types import Delivery
from tests.bot.discord.live import Live, live
from tests.emulators.discord import Channel, DiscordEmulator, Guild, Limits
from tests.emulators.discord.faults import delivered_then_dropped

CROSSPOSTED = 1
ROUTE = "POST /channels/{channel}/messages/{message}/crosspost"
MOST = 10  # an hour


@pytest_asyncio.fixture
async def dc() -> AsyncIterator[DiscordEmulator]:
    async with DiscordEmulator(limits=Limits(crossposts=MOST, channel=1000, overall=1000)) as emulator:
        yield emulator


@pytest.fixture
def loud(dc: DiscordEmulator, club: Guild) -> Channel:
    return dc.announcement(club, "loud")


@pytest_asyncio.fixture
async def sky(dc: DiscordEmulator, loud: Channel, news: Channel, folder: Path) -> AsyncIterator[Live]:
    async with live(dc, folder) as running:
        yield running


async def announces(sky: Live, channel: Channel) -> None:
    known = await sky.follow(channel)
    await sky.write("UPDATE chats SET crosspost = 1 WHERE id = ?", known.id)


def published(sky: Live, channel: Channel) -> list[bool]:
    return [bool(message.flags & CROSSPOSTED) for message in sky.dc.messages(channel)]


async def _unpublished(sky: Live, channel: Channel) -> Delivery | None:
    """The delivery that waits to be published; what waits for the channel's pace needs to wait no more."""
    for delivery in await sky.deliveries(channel):
        if delivery.reason.startswith("arrived"):
            return delivery
        if delivery.state == "pending":
            sky.skip(max(0.0, (delivery.due_at - sky.clock.now()).total_seconds()))
    return None


async def test_a_post_is_published_where_that_is_asked_for(
    dc: DiscordEmulator, sky: Live, club: Guild, loud: Channel, news: Channel
) -> None:
    quiet, twice = dc.announcement(club, "quiet"), dc.announcement(club, "twice")
    for channel in (loud, twice, news):
        await announces(sky, channel)
    await sky.follow(quiet)
    dc.faults.add(delivered_then_dropped(), ROUTE, twice.id)
    await sky.publish("new")
    for channel in (loud, quiet, twice, news):
        assert await sky.ended_at_last(channel) == ["sent"]
    assert [published(sky, channel) for channel in (loud, quiet, twice)] == [[True], [False], [True]]
    reasons = {channel: (await sky.deliveries(channel))[0].reason for channel in (loud, twice, news)}
    assert reasons[loud] == reasons[twice] == ""  # to publish what was published already is no error
    assert reasons[news].startswith("arrived, but not published: ")  # a channel that has no followers


async def test_what_is_beyond_the_limit_is_published_later(sky: Live, loud: Channel) -> None:
    await announces(sky, loud)
    names = [f"n{n}" for n in range(MOST + 1)]
    for start in range(0, len(names), 3):  # more at once would be one edition
        await sky.publish(*names[start : start + 3])
    waiting = await sky.until(partial(_unpublished, sky, loud))
    assert published(sky, loud) == [True] * MOST + [False]
    assert waiting.attempts == 0
    assert timedelta(minutes=55) < waiting.due_at - sky.clock.now() <= timedelta(hours=1)
    assert set(sky.ledger(loud).values()) == {"sent"}
    assert len(sky.dc.requests(*ROUTE.split(" "))) == MOST  # no request was made in vain
