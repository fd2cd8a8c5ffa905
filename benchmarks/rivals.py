"""Other programs on the same server: a child process that prints one line when it is done.

`telegram URL` with RATE SECONDS CHATS PEOPLE: python-telegram-bot with its AIORateLimiter, everything given
to it at once, and a reply now and then. `discord URL` with CHANNELS POSTS: discord.py at full speed. These
are the values of a JSON list in a file, whose path is the last argument: a command line cannot hold so many.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

import aiohttp
import discord
from telegram.error import TelegramError
from telegram.ext import AIORateLimiter, ExtBot

TALK = 0.5  # seconds between two replies
RETRIES = 5


async def on_telegram(url: str, rate: int, seconds: float, chats: list[int], people: list[int]) -> object:
    """Broadcast for some seconds; returns how long each reply took meanwhile."""
    limiter = AIORateLimiter(overall_max_rate=rate, overall_time_period=1, max_retries=RETRIES)
    bot = ExtBot("123456:TEST", base_url=f"{url}/bot", rate_limiter=limiter)
    await bot.initialize()
    until, took = time.monotonic() + seconds, []

    async def send(chat: int) -> None:
        try:
            await bot.send_message(chat, "The beacon was heard again.")
        except TelegramError:
            return

    async def reply(chat: int) -> None:
        began = time.monotonic()
        await send(chat)
        took.append(time.monotonic() - began)

    sends = [asyncio.create_task(send(chat)) for chat in chats]
    replies = list[asyncio.Task[None]]()
    while time.monotonic() < until:
        await asyncio.sleep(TALK)
        replies.append(asyncio.create_task(reply(people[len(replies) % len(people)])))
    waiting = sum(not one.done() for one in replies)
    for task in (*sends, *replies):
        task.cancel()
    return {"took": took, "waiting": waiting}


async def on_discord(url: str, channels: list[int], posts: int) -> object:
    """Send posts to all channels at once; returns how many were lost."""
    discord.http.Route.BASE = url
    client = discord.Client(intents=discord.Intents.none(), max_ratelimit_timeout=30.0)
    await client.login("TEST.discord.token")
    began = time.monotonic()

    async def send(channel: int) -> bool:
        try:
            await client.get_partial_messageable(channel).send("The beacon was heard again.")
        except (discord.DiscordException, aiohttp.ClientError):
            return False
        return True

    arrived = await asyncio.gather(*(send(channel) for channel in channels * posts))
    took = time.monotonic() - began
    await client.close()
    return {"arrived": sum(arrived), "lost": len(arrived) - sum(arrived), "seconds": took}


async def main(kind: str, url: str, given: str) -> None:
    """Run the rival and print its result."""
    values = json.loads(Path(given).read_text(encoding="utf-8"))
    found = await (on_telegram if kind == "telegram" else on_discord)(url, *values)
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
