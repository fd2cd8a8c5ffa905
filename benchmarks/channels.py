"""Skywave and discord.py against an emulated Discord."""

import asyncio
import json
import random
import tempfile
from pathlib import Path

from benchmarks import processes
from benchmarks.processes import PATIENCE, Server, child, server
from benchmarks.results import Result, at_most
from benchmarks.times import steady_rate
from benchmarks.worlds import World
from scheduler.types import ChatKind

TOKEN = "TEST.discord.token"
CHANNELS, POSTS, RATE = 300, 7, 50
RIVAL_POSTS = 2
BROKEN = 0.05  # share of the requests that fail with a 5xx
FAULTS = ("500", "502")
LATENCY, JITTER = 40, 20  # ms


async def _channels(dc: Server, count: int) -> list[str]:
    made: list[str] = (await dc.ask("create", kind="text", name="news", count=count))["ids"]
    return made


async def _break(dc: Server, channels: list[str], count: int) -> None:
    """Let this many sends fail once, evenly spread."""
    rng = random.Random(1)
    for _ in range(count):
        await dc.ask("fault", kind=rng.choice(FAULTS), channel=rng.choice(channels))


async def broadcast(broken: float) -> tuple[float, int]:
    """Messages a second of several broadcasts in a row, and the number of 429s."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/skywave.db"
        async with server("discord", strict=RATE, latency=LATENCY, jitter=JITTER) as dc:
            channels = await _channels(dc, CHANNELS)
            await _break(dc, channels, int(CHANNELS * POSTS * broken))
            world = await World.make(url)
            await world.follow("discord", channels, ChatKind.CHANNEL)
            for n in range(POSTS):
                await world.publish(f"news {n}")
            await world.close()
            settings = {
                "database_url": url,
                "discord_token": TOKEN,
                "discord_api_url": dc.url,
                "discord_gateway_url": dc.gateway,
            }
            async with child("-m", "bot", "run", log=Path(folder) / "log.txt", **settings):
                async with asyncio.timeout(PATIENCE * 2):
                    while await dc.sent() < CHANNELS * POSTS:
                        await asyncio.sleep(0.5)
            return steady_rate((await dc.ask("times"))["shown"]), await dc.refused()


async def rival(broken: float) -> tuple[float, int, int]:
    """discord.py alone: messages a second, 429s, posts lost."""
    async with server("discord", strict=RATE, latency=LATENCY, jitter=JITTER) as dc:
        channels = await _channels(dc, CHANNELS)
        await _break(dc, channels, int(CHANNELS * RIVAL_POSTS * broken))
        given = [int(channel) for channel in channels], RIVAL_POSTS
        async with processes.rival("discord", dc.url, *given) as process:
            found = await process.line()
        return found["arrived"] / found["seconds"], await dc.refused(), found["lost"]


async def discord_50() -> list[Result]:
    """Broadcasts to 300 channels at a strict limit, without and with server errors."""
    results = []
    for name, broken in (("discord-50", 0.0), ("discord-50-errors", BROKEN)):
        rate, refused = await broadcast(broken)
        their_rate, their_refused, lost = await rival(broken)
        used, theirs = rate / RATE, their_rate / RATE
        results += [
            Result(f"{name}-used", "share of the limit", used, theirs, used / theirs, ">= 0.9", used >= 0.9),
            Result(f"{name}-refused", "answers of 429", refused, their_refused, None, "0", refused == 0),
            Result(f"{name}-lost", "posts lost", 0, lost),
        ]
    return results


async def _cpu(channels: int, rounds: int) -> float:
    """Microseconds of CPU per post, over several rounds of one post to each channel."""
    async with server("discord", strict=100_000) as dc:
        ids = await _channels(dc, channels)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(ids, file)
            file.flush()
            async with child("-m", "benchmarks.posting", dc.url, file.name, str(rounds)) as process:
                return float((await process.line())["cpu"])


async def discord_cpu() -> list[Result]:
    """CPU per post, with many channels and with few."""
    few, many = await _cpu(200, 20), await _cpu(10_000, 2)
    return [at_most("discord-cpu", "µs CPU a post at 10,000 channels, beside 200", many, few, 1.5)]
