"""`skywave run` against an emulated Telegram, while people send commands."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import median

from benchmarks import processes
from benchmarks.processes import JITTER, LATENCY, PATIENCE, Child, Server, child, server
from benchmarks.results import Result
from benchmarks.times import p99, steady_rate, waits
from benchmarks.worlds import World
from scheduler.types import ChatKind

TOKEN = "123456:TEST"
PEOPLE = 5
IDLE = 10.0  # seconds of commands before the broadcast


@dataclass(slots=True)
class Scene:
    """A deployment with chats that follow a source, and people who only send commands."""

    tg: Server
    world: World
    bot: Child
    people: list[int]

    async def connected(self) -> None:
        """Return when the bot polls for updates."""
        async with asyncio.timeout(PATIENCE):
            while "getupdates" not in (await self.tg.ask("stats"))["requests"]:
                await asyncio.sleep(0.1)

    async def talk(self, every: float) -> None:
        """Let people send commands, one after another, until cancelled."""
        for chat in cycle(self.people):
            await self.tg.ask("say", chat=chat, text="/latest")
            await asyncio.sleep(every)

    async def talk_for(self, seconds: float, every: float) -> list[float]:
        """Seconds that people wait for a reply while there is no broadcast."""
        before = len((await self.tg.ask("times"))["said"])
        talking = asyncio.create_task(self.talk(every))
        await asyncio.sleep(seconds)
        talking.cancel()
        await asyncio.sleep(2.0)
        times = await self.tg.ask("times")
        return waits(times["said"][before:], times["shown"])

    async def broadcast(self, name: str, timeout: float = 150.0) -> int:
        """Publish a post and return when it has reached every chat."""
        chats = await self.world.publish(name)
        sent = await self.tg.sent()
        async with asyncio.timeout(timeout):
            while await self.tg.sent() < sent + chats:
                await asyncio.sleep(0.5)
        return chats


@asynccontextmanager
async def scene(chats: int, strict: int, *, paid: bool = False, faults: float = 0) -> AsyncIterator[Scene]:
    """A new deployment on a strict server, where a share of the messages fails at first."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/skywave.db"
        async with server("telegram", strict=strict, latency=LATENCY, jitter=JITTER, faults=faults) as tg:
            ids = (await tg.ask("create", kind="private", count=chats))["ids"]
            people = (await tg.ask("create", kind="private", count=PEOPLE))["ids"]
            world = await World.make(url)
            await world.follow("telegram", [str(chat) for chat in ids], ChatKind.PRIVATE)
            settings = {
                "database_url": url,
                "telegram_token": TOKEN,
                "telegram_api_url": tg.url,
                "commands_per_minute": "1000",  # these people send more than one person may
            }
            log = Path(folder) / "log.txt"
            paying = str(paid).lower()
            async with child("-m", "bot", "run", log=log, telegram_paid_broadcast=paying, **settings) as bot:
                made = Scene(tg, world, bot, people)
                await made.connected()
                yield made
            await world.close()


async def rival(rate: int, seconds: float, chats: int) -> tuple[float, int, float]:
    """python-telegram-bot with its limiter: messages a second, 429s, the longest wait for a reply."""
    async with server("telegram", strict=rate, latency=LATENCY, jitter=JITTER) as tg:
        ids = (await tg.ask("create", kind="private", count=chats))["ids"]
        people = (await tg.ask("create", kind="private", count=PEOPLE))["ids"]
        async with processes.rival("telegram", tg.url, rate, seconds, ids, people) as process:
            try:
                async with asyncio.timeout(3 * seconds):
                    found = await process.line()
            except TimeoutError:  # so many messages wait that one turn of its event loop takes minutes
                found = {"took": [], "waiting": 1}
        shown = (await tg.ask("times"))["shown"]
        slowest = max(found["took"], default=seconds)
        return steady_rate(shown), await tg.refused(), seconds if found["waiting"] else slowest


async def at_limit(
    name: str, rate: int, chats: int, least: float, *, every: float, paid: bool = False
) -> list[Result]:
    """A broadcast at a strict limit: the share of it used, waits for replies, and the same of PTB."""
    async with scene(chats, rate, paid=paid) as made:
        idle = await made.talk_for(IDLE, every=0.25)
        before = await made.tg.ask("times")
        cpu = made.bot.cpu()
        talking = asyncio.create_task(made.talk(every))
        await made.broadcast("news")
        talking.cancel()
        cpu = made.bot.cpu() - cpu
        await asyncio.sleep(1.0)
        times, refused = await made.tg.ask("times"), await made.tg.refused()
    shown = times["shown"][len(before["shown"]) :]
    replies = waits(times["said"][len(before["said"]) :], shown)
    theirs, their_refused, their_wait = await rival(rate, 20.0, min(chats, rate * 20))
    used = steady_rate(shown) / rate
    slowest, calm = p99(replies), p99(idle)
    bar, fine = (
        ("<= 2 x idle p99", slowest <= 2 * calm)
        if paid
        else ("<= idle median + 100 ms", slowest <= median(idle) + 0.1)
    )
    return [
        Result(
            f"{name}-used",
            "share of the limit",
            used,
            theirs / rate,
            used * rate / theirs if theirs else None,
            f">= {least}",
            used >= least,
        ),
        Result(f"{name}-refused", "answers of 429", refused, their_refused, None, "0", refused == 0),
        Result(f"{name}-reply", "ms, p99", slowest * 1e3, their_wait * 1e3, slowest / calm, bar, fine),
        Result(f"{name}-reply-idle", "ms, p99 without a broadcast", calm * 1e3),
        Result(f"{name}-cpu", "µs CPU a message", cpu / chats * 1e6),
    ]


async def telegram_30() -> list[Result]:
    """About a minute at 30 a second."""
    return await at_limit("telegram-30", 30, 1500, 0.92, every=2.0)


async def telegram_faults() -> list[Result]:
    """Posts one after another to each chat at 30 a second, while 5 % of the messages fail at first."""
    rate, chats, posts = 30, 600, 10
    async with scene(chats, rate, faults=0.05) as made:
        for n in range(posts):
            await made.world.publish(f"news {n}")
        async with asyncio.timeout(PATIENCE * 5):
            while await made.tg.sent() < chats * posts:
                await asyncio.sleep(0.5)
        shown = (await made.tg.ask("times"))["shown"]
    times = sorted(time for time, _ in shown)
    tenth = len(times) // 10
    last = tenth / (times[-1] - times[-1 - tenth])
    used = len(times) / (times[-1] - times[0]) / rate
    return [
        Result("telegram-faults-used", "share of the limit", used),
        Result(
            "telegram-faults-end",
            "of the last tenth, messages a second",
            last,
            None,
            last,
            ">= 24",
            last >= 24,
        ),
    ]


async def telegram_1000() -> list[Result]:
    """Half a minute at 1000 a second, as paid broadcasts."""
    return await at_limit("telegram-1000", 1000, 28_000, 0.90, every=0.25, paid=True)
