"""Sends with python-telegram-bot, over Skywave's HTTP and over its own, each in a child process."""

import asyncio
import sys
import time
from collections.abc import Sequence
from json import dumps

from telegram import Bot
from telegram.error import TelegramError
from telegram.request import BaseRequest, HTTPXRequest

from benchmarks.processes import child, server
from benchmarks.results import Result, at_least
from bot.platforms.telegram.transport import AiohttpRequest

AT_ONCE, SECONDS, ROUNDS = 64, 4.0, 3


async def _send(bot: Bot, until: float) -> tuple[int, int]:
    """Send messages one after another until a time; returns how many were sent, and how many lost."""
    sent = lost = 0
    while time.monotonic() < until:
        try:
            await bot.send_message(1, "The beacon was heard again.")
            sent += 1
        except TelegramError:
            lost += 1
    return sent, lost


async def _round(request: BaseRequest, url: str) -> tuple[float, float]:
    """Requests a second, and microseconds of CPU per request."""
    async with Bot(
        "1:TEST", base_url=f"{url}/bot", request=request, get_updates_request=AiohttpRequest()
    ) as bot:
        began, cpu = time.monotonic(), time.process_time()
        done = await asyncio.gather(*(_send(bot, began + SECONDS) for _ in range(AT_ONCE)))
        took, spent = time.monotonic() - began, time.process_time() - cpu
    sent = max(1, sum(sent for sent, _ in done))
    return sent / took, spent / sent * 1e6


async def measure(url: str) -> list[list[tuple[float, float]]]:
    """Measure both, alternating: ours, theirs."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(await _round(AiohttpRequest(), url))
        theirs.append(await _round(HTTPXRequest(), url))
    return [ours, theirs]


def _median(rounds: Sequence[Sequence[float]], column: int) -> float:
    return sorted(one[column] for one in rounds)[len(rounds) // 2]


async def transport() -> list[Result]:
    """64 sends at once without limits."""
    async with server("canned") as canned, child("-m", "benchmarks.transport", canned.url) as process:
        ours, theirs = await process.line()
    return [
        at_least("telegram-transport", "req/s", _median(ours, 0), _median(theirs, 0), 10),
        Result(
            "telegram-transport-cpu",
            "µs CPU a request",
            _median(ours, 1),
            _median(theirs, 1),
            _median(theirs, 1) / _median(ours, 1),
        ),
    ]


if __name__ == "__main__":
    print(dumps(asyncio.run(measure(sys.argv[1]))), flush=True)
