"""The emulator as a separate process: the control calls and the prompt."""

import asyncio
import sys
from typing import Any

import aiohttp
import discord
import yarl

from tests.emulators.discord.control import ControlledEmulator
from tests.emulators.test_discord.clients import Bot


async def call(port: int, action: str, **body: object) -> Any:
    session = aiohttp.ClientSession()
    async with session, session.post(f"http://127.0.0.1:{port}/_emulator/{action}", json=body) as got:
        return await got.json()


async def test_another_process_can_drive_it() -> None:
    async with ControlledEmulator() as dc:
        made = await call(dc.port, "create", kind="text", count=2)
        first = made["ids"][0]
        url, headers = f"{dc.url}/channels/{first}/messages", {"Authorization": f"Bot {dc.token}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            await call(dc.port, "fault", kind="50013", channel=first)
            async with session.post(url, json={"content": "x"}) as response:
                assert response.status == 403
            async with session.post(url, json={"content": "@everyone"}) as response:
                assert response.status == 200
            await call(dc.port, "kick", channel=first)
            async with session.post(url, json={"content": "x"}) as response:
                assert (await response.json())["code"] == 50001
        (shown,) = await call(dc.port, "messages", channel=first)
        assert (shown["content"], shown["pings"]["everyone"]) == ("@everyone", True)
        stats = await call(dc.port, "stats")
        assert (stats["sent"], stats["requests"]["POST /channels/{channel}/messages"]) == (1, 3)


async def test_a_wrong_call_says_why() -> None:
    async with ControlledEmulator() as dc:
        channel = str(dc.text(dc.guild("Club"), "news").id)
        for action, body, why in (
            (
                "press",
                {"channel": channel, "label": "Prev"},
                "no button 'Prev' to press in 'news'; there: none",
            ),
            ("archive", {"channel": channel}, "'news' is no thread"),
            ("dance", {}, "dance"),
        ):
            assert why in (await call(dc.port, action, **body))["error"]


async def test_the_prompt_works_with_a_pipe() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.emulators.discord", "--linger", "10"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin and process.stdout
    lines = [(await process.stdout.readline()).decode().strip() for _ in range(3)]
    token, url, gateway = (line.partition("=")[2] for line in lines)
    base, old = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
    discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = url, yarl.URL(gateway)
    bot = Bot()
    running = asyncio.create_task(bot.start(token))
    process.stdin.write(b"/latest page=4\n!press Next\n!channel nowhere\n")
    await bot.until("interaction", 2)
    output = (await process.communicate(b"!quit\n"))[0].decode()
    await bot.close()
    await running
    discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = base, old
    assert "page 4\n  [Next] [Late]" in output
    assert "! no channel 'nowhere'; there are: text, announcement" in output
    assert process.returncode == 0
