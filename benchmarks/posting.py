"""CPU of a post to Discord, in a child process: the sender without its rate limiter."""

import asyncio
import json
import sys
import time
from pathlib import Path

from bot.logs import configure
from bot.platforms.discord.adapter import DiscordAdapter
from scheduler.types import Chat, ChatKind, Limits, Message, Place, Rate

AT_ONCE = 32
SPAN = 5.3  # seconds after which a channel's bucket is full again


async def measure(url: str, channels: list[str], rounds: int) -> object:
    """Microseconds of CPU per post; waits between rounds keep every channel within its limit."""
    adapter = DiscordAdapter("TEST.discord.token", url, "", Limits(Rate(1_000_000), {}))
    await adapter.open()
    message = Message(
        {"content": "", "embeds": [{"title": "News", "description": "The beacon again. " * 20}]}
    )
    turn = asyncio.Semaphore(AT_ONCE)

    async def send(channel: str, n: int) -> None:
        async with turn:
            chat = Chat(1, Place("discord", channel), kind=ChatKind.CHANNEL)
            await adapter.send(chat, message, key=f"{channel[-12:]}-{n}")

    spent = 0.0
    for n in range(rounds):
        began, cpu = time.monotonic(), time.process_time()
        await asyncio.gather(*(send(channel, n) for channel in channels))
        spent += time.process_time() - cpu
        await asyncio.sleep(max(0.0, SPAN / 4 - (time.monotonic() - began)))
    await adapter.close()
    return {"cpu": spent / rounds / len(channels) * 1e6}


if __name__ == "__main__":
    configure("console", [])  # to standard error
    found = asyncio.run(measure(sys.argv[1], json.loads(Path(sys.argv[2]).read_text()), int(sys.argv[3])))
    print(json.dumps(found), flush=True)
