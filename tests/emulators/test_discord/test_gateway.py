"""Sessions that end, resume and become invalid."""

import aiohttp
import pytest

from tests.emulators.discord import Channel, DiscordEmulator, Link
from tests.emulators.test_discord.clients import Bot, at


def whats(dc: DiscordEmulator) -> list[str]:
    return [entry.what for entry in dc.transcript.entries if isinstance(entry, Link)]


async def test_drop_and_resume(dc: DiscordEmulator, news: Channel, bot: Bot) -> None:
    dc.gateway.drop()
    await dc.wait_for(lambda: not dc.gateway.connections)
    dc.rename(news, "while away")
    await bot.until("resumed")
    await bot.until("guild_channel_update")
    assert at(bot, news).name == "while away"
    assert whats(dc) == ["identified", "ended", "resumed"]


async def test_reconnect_and_invalid_sessions(dc: DiscordEmulator, bot: Bot) -> None:
    dc.gateway.reconnect()
    await bot.until("resumed")
    dc.gateway.close(4000)
    await bot.until("resumed", 2)
    dc.gateway.invalidate(resumable=True)
    await bot.until("resumed", 3)
    assert dc.gateway.identified == 1
    dc.gateway.invalidate()
    await bot.until("ready", 2)
    assert dc.gateway.identified == 2


async def test_sessions_that_cannot_be_resumed(dc: DiscordEmulator, bot: Bot) -> None:
    dc.gateway.resumable = False
    dc.gateway.drop()
    await bot.until("ready", 2)
    assert dc.gateway.identified == 2


async def test_outage(dc: DiscordEmulator, news: Channel, bot: Bot) -> None:
    await dc.stop()
    dc.rename(news, "after")
    await dc.start()
    await bot.until("guild_channel_update")
    assert whats(dc)[-1] == "resumed"


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"op": 2, "d": {"token": "other", "intents": 1}}', 4004),
        ('{"op": 2, "d": {"token": "TEST.discord.token", "intents": 2}}', 4014),
        ('{"op": 2, "d": {"token": "TEST.discord.token"}}', 4013),
        ('{"op": 8, "d": {}}', 4003),
        ("{", 4002),
    ],
)
async def test_what_closes_a_connection(dc: DiscordEmulator, frame: str, code: int) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(dc.gateway_url) as socket:
        hello = await socket.receive_json()
        assert (hello["op"], hello["d"]["heartbeat_interval"]) == (10, 41_250)
        await socket.send_str('{"op": 1, "d": null}')
        assert (await socket.receive_json(timeout=10))["op"] == 11
        await socket.send_str(frame)
        await socket.receive(timeout=10)
        assert socket.close_code == code
