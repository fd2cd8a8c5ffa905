"""Skywave as a reader of feeds, in a child process: `python -m benchmarks.intake DATABASE PORTS FEEDS`.

For each line on standard input it reads all sources once and prints what that took. Logs go to standard
error, as in a deployment.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Mapping, Sequence

import psutil
from sqlalchemy import Executable, insert, text

from bot.app import build
from bot.loading import load_settings
from bot.logs import configure
from bot.memory import collect_rarely
from content.types import Visibility
from storage.database import create_engine
from storage.tables import SOURCES
from tests.emulators.telegram.console import read_lines


class Cpu:
    """Seconds of CPU so far, those of the processes that parse included, without those of measuring.

    To find these processes, psutil looks at all that run, which takes as long as reading twenty feeds.
    """

    def __init__(self) -> None:
        self._measuring = 0.0

    def spent(self) -> float:
        ours = _ours()
        alive = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
        found: float = ours - self._measuring + sum(use.user + use.system for use in alive)
        self._measuring += _ours() - ours
        return found


def _ours() -> float:
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def memory() -> float:
    """Resident memory of this process, MB."""
    return float(psutil.Process().memory_info().rss) / 1e6


async def execute(
    database: str, statement: Executable, rows: Sequence[Mapping[str, object]] | None = None
) -> None:
    """Change the database as another process would."""
    engine = create_engine(database)
    async with engine.begin() as connection:
        await connection.execute(statement, rows)
    await engine.dispose()


def _rows(ports: Sequence[int], count: int) -> list[dict[str, object]]:
    return [
        {
            "kind": "feed",
            "url": f"http://127.0.0.1:{ports[n % len(ports)]}/{n}",
            "visibility": Visibility.PUBLIC,
        }
        for n in range(count)
    ]


async def main(database: str, ports: Sequence[int], count: int) -> None:
    """Read all feeds as often as asked."""
    configure("console", [])
    settings = load_settings(database_url=database, allowed_networks="127.0.0.0/8")
    async with build(settings) as app:
        await execute(database, insert(SOURCES), _rows(ports, count))
        # The parser's processes start with their first call, which is a part of the start-up.
        await app.ingest.check(f"http://127.0.0.1:{ports[0]}/0")
        print(json.dumps("ready"), flush=True)
        cpu = Cpu()
        collect_rarely()  # as `skywave run` does
        async for _ in read_lines(sys.stdin.readline):
            await execute(database, text("UPDATE sources SET next_poll_at = NULL"))
            before, began = cpu.spent(), time.monotonic()
            await app.poller.poll_due()
            await app.poller.idle()
            read = {"wall": time.monotonic() - began, "cpu": cpu.spent() - before, "memory": memory()}
            again = time.monotonic()
            await app.indexing.run()
            took = read["wall"] + time.monotonic() - again
            indexed = {"wall": took, "cpu": cpu.spent() - before, "memory": memory()}
            print(json.dumps([read, indexed]), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])))
