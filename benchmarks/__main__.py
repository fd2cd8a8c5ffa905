"""`python -m benchmarks [NAME...]` prints one table and updates results.json in this folder."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from benchmarks.broadcasts import telegram_30, telegram_1000, telegram_faults
from benchmarks.channels import discord_50, discord_cpu
from benchmarks.feeds import feeds, feeds_large
from benchmarks.growth import growth
from benchmarks.million import million
from benchmarks.outbox import claims, fan_out, outbox_cpu, outbox_memory
from benchmarks.parser_suite import parser_suite
from benchmarks.parsing import parsing
from benchmarks.rendering import rendering
from benchmarks.results import Result, save, table
from benchmarks.rhythm import simulated_year
from benchmarks.search import search, search_large
from benchmarks.transport import transport

Benchmark: TypeAlias = Callable[[], Awaitable[Sequence[Result]]]

ALL: dict[str, Benchmark] = {
    "telegram-transport": transport,
    "telegram-30": telegram_30,
    "telegram-faults": telegram_faults,
    "telegram-1000": telegram_1000,
    "discord-50": discord_50,
    "discord-cpu": discord_cpu,
    "outbox-cpu": outbox_cpu,
    "fan-out": fan_out,
    "outbox-memory": outbox_memory,
    "claims": claims,
    "growth": growth,
    "search": search,
    "parsing": parsing,
    "parser-suite": parser_suite,
    "rendering": rendering,
    "rhythm": simulated_year,
    "feeds": feeds,
}
# Run only when they are named.
LARGE: dict[str, Benchmark] = {
    "search-large": search_large,
    "million": million,
    "feeds-large": feeds_large,
}


async def run(names: Sequence[str]) -> list[Result]:
    """Run these benchmarks one after another, and save each result."""
    results: list[Result] = []
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        found = await (ALL | LARGE)[name]()
        save(found)
        results += found
    return results


def main() -> int:
    """Returns 0 if every bar was held."""
    names = sys.argv[1:] or list(ALL)
    if unknown := [name for name in names if name not in ALL | LARGE]:
        print(f"no benchmark {unknown[0]}; available: {', '.join(ALL | LARGE)}", file=sys.stderr)
        return 2
    results = asyncio.run(run(names))
    print(table(results))
    return int(any(result.ok is False for result in results))


if __name__ == "__main__":
    sys.exit(main())
