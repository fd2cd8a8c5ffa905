"""What grows with the number of chats, and what does not: the whole path at 1000 a second."""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.broadcasts import scene
from benchmarks.results import Result
from benchmarks.times import steady_rate

SIZES = (100, 1_000, 10_000, 100_000)
SAVED = Path(__file__).parent / "growth.json"


@dataclass(frozen=True, slots=True)
class Size:
    """One broadcast: messages a second, µs of CPU a message, MB of the process at its end."""

    chats: int
    rate: float
    cpu: float
    memory: float


async def _size(chats: int) -> Size:
    async with scene(chats, 1_000, paid=True) as made:
        cpu, began = made.bot.cpu(), time.monotonic()
        await made.broadcast("news")
        took = time.monotonic() - began
        shown = (await made.tg.ask("times"))["shown"]
        rate = steady_rate(shown) if took > 8 else steady_rate(shown, edge=0.0)
        return Size(chats, rate, (made.bot.cpu() - cpu) / chats * 1e6, made.bot.memory())


async def growth() -> list[Result]:
    """Every size once, each with a deployment of its own."""
    sizes = [await _size(chats) for chats in SIZES]
    SAVED.write_text(json.dumps([asdict(size) for size in sizes], indent=1) + "\n", encoding="utf-8")
    return [
        Result(f"growth-{size.chats}", "messages/s, beside µs CPU a message", size.rate, size.cpu)
        for size in sizes
    ]
