"""What grows with the number of deliveries, and what does not."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from benchmarks.broadcasts import scene
from benchmarks.outbox import measured, pending
from benchmarks.results import Result
from benchmarks.times import steady_rate

PAID = 1_000  # messages a second
STEADY = 10_000  # messages; with fewer, start and end take most of the time
SAVED = Path(__file__).parent / "growth.json"


@dataclass(frozen=True, slots=True)
class Size:
    """One broadcast: deliveries a second, µs of CPU a delivery, MB of the process at its end."""

    deliveries: int
    rate: float
    cpu: float
    memory: float


async def _sent(chats: int) -> Size:
    """The whole program with paid broadcasts and a strict server, a new deployment for each size."""
    async with scene(chats, PAID, paid=True) as made:
        cpu = made.bot.cpu()
        await made.broadcast("news")
        shown = (await made.tg.ask("times"))["shown"]
        rate = steady_rate(shown) if chats >= STEADY else steady_rate(shown, edge=0.0)
        return Size(chats, rate, (made.bot.cpu() - cpu) / chats * 1e6, made.bot.memory())


async def _outbox(deliveries: int) -> Size:
    """The outbox alone, at full speed."""
    async with pending(deliveries) as url:
        return Size(deliveries, **await measured("outbox", url))


Measure = Callable[[], Awaitable[Size]]
SIZES: Mapping[str, list[Measure]] = {
    "sent": [partial(_sent, chats) for chats in (100, 1_000, 10_000, 100_000)],
    "outbox": [partial(_outbox, many) for many in (100, 1_000, 10_000, 100_000, 1_000_000)],
}


async def growth() -> list[Result]:
    """Measure every size once; growth.json, from which the documentation's plot is drawn, is updated."""
    found = {name: [await measure() for measure in sizes] for name, sizes in SIZES.items()}
    plain = {name: [asdict(size) for size in sizes] for name, sizes in found.items()}
    SAVED.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    return [
        Result(f"growth-{name}-{size.deliveries}", "deliveries/s, beside µs CPU each", size.rate, size.cpu)
        for name, sizes in found.items()
        for size in sizes
    ]
