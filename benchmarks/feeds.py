"""Reading feeds beside the library `reader`, on the same server and in the same run.

Each feed has 56 KB and 31 posts. All are read for the first time, then after half of them got 31 other posts,
then with nothing new. Start-up does not count. FEEDS in the environment is how many feeds there are.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.processes import ROOT, Child, child
from benchmarks.results import Result, at_least, at_most

FEEDS = int(os.environ.get("FEEDS", "1000"))
LARGE = 10 * FEEDS
# Beside the environment of the tests, which has other versions of the same packages.
RIVALS = ROOT / ".venv" / "rivals"
# `reader` does not name sgmllib3k, which it imports.
READER = ("reader==3.26", "sgmllib3k==1.0.0")
QUIET = 5  # reads with nothing new; the median counts
FIRST, HALF, NOTHING = "first read", "half new", "nothing new"
LEAST = {FIRST: 3.0, HALF: 3.0, NOTHING: 5.0}


@dataclass(slots=True)
class Took:
    """What each phase took: seconds of wall clock and of CPU, and MB afterwards."""

    phases: dict[str, list[Mapping[str, float]]] = field(default_factory=dict)

    def add(self, phase: str, took: Mapping[str, float]) -> None:
        """Record one read of all feeds."""
        self.phases.setdefault(phase, []).append(took)

    def of(self, phase: str, what: str) -> float:
        """The median of a phase."""
        return median(took[what] for took in self.phases[phase])


@dataclass(slots=True)
class Sides:
    """Skywave until all posts are stored, and until all are indexed; `reader` without and with an index."""

    read: Took = field(default_factory=Took)
    indexed: Took = field(default_factory=Took)
    plain: Took = field(default_factory=Took)
    searched: Took = field(default_factory=Took)


def python_with_reader() -> str:
    """The interpreter of an environment with `reader`, which is made if it is missing."""
    python = str(RIVALS / "bin" / "python")
    made = RIVALS / "-".join(READER)
    if not made.exists():
        subprocess.run([sys.executable, "-m", "venv", RIVALS], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *READER]
        subprocess.run(install, check=True)
        made.touch()
    return python


@asynccontextmanager
async def _skywave(folder: Path, ports: str, count: int) -> AsyncIterator[Child]:
    url = f"sqlite:///{folder}/skywave.db"
    log = folder / "log.txt"
    async with child("-m", "benchmarks.intake", url, ports, str(count), log=log) as process:
        assert await process.line() == "ready"
        yield process


@asynccontextmanager
async def _reader(folder: Path, ports: str, count: int, index: str) -> AsyncIterator[Child]:
    file, program = f"{folder}/{index}.db", str(ROOT / "benchmarks" / "readerlib.py")
    async with child(program, file, ports, str(count), index, python=python_with_reader()) as process:
        assert await process.line() == "ready"
        yield process


async def _measured(count: int) -> Sides:
    """All phases, each on all sides in turn."""
    sides = Sides()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = await stack.enter_async_context(child("-m", "benchmarks.feedserver", str(count)))
        ports = str(await server.line())
        skywave = await stack.enter_async_context(_skywave(folder, ports, count))
        plain, searched = [
            await stack.enter_async_context(_reader(folder, ports, count, index)) for index in ("no", "yes")
        ]
        for phase in (FIRST, HALF, *[NOTHING] * QUIET):
            if phase == HALF:
                await server.ask("2")
            read, indexed = await skywave.ask("read")
            sides.read.add(phase, read)
            sides.indexed.add(phase, indexed)
            sides.plain.add(phase, await plain.ask("read"))
            sides.searched.add(phase, await searched.ask("read"))
    return sides


async def feeds() -> list[Result]:
    """Feeds a second and CPU for each, beside `reader`, with and without a search index on both sides."""
    sides, results = await _measured(FEEDS), []
    for phase, least in LEAST.items():
        name = "feeds-" + phase.replace(" ", "-")
        for suffix, ours, theirs in (
            ("", sides.read, sides.plain),
            ("-indexed", sides.indexed, sides.searched),
        ):
            speed, rival = (FEEDS / side.of(phase, "wall") for side in (ours, theirs))
            cpu, rival_cpu = (1e3 * side.of(phase, "cpu") / FEEDS for side in (ours, theirs))
            results += [
                at_least(f"{name}{suffix}", "feeds/s, beside reader's", speed, rival, least),
                at_most(f"{name}{suffix}-cpu", "ms CPU a feed, beside reader's", cpu, rival_cpu, 1 / least),
            ]
    return results


async def feeds_large() -> list[Result]:
    """Ten times as many feeds cost ten times as much, and no more memory."""
    async with AsyncExitStack() as stack:
        found = []
        for count in (FEEDS, LARGE):
            found.append(await _alone(stack, count))
    few, many = found
    return [
        *(
            at_most(
                f"feeds-large-{phase.replace(' ', '-')}",
                f"ms CPU a feed of {LARGE}, beside {FEEDS}",
                1e3 * many.of(phase, "cpu") / LARGE,
                1e3 * few.of(phase, "cpu") / FEEDS,
                1.2,
            )
            for phase in LEAST
        ),
        at_most(
            "feeds-large-memory", f"MB with {LARGE} feeds, beside {FEEDS}", _memory(many), _memory(few), 1.25
        ),
    ]


def _memory(side: Took) -> float:
    return max(side.of(phase, "memory") for phase in LEAST)


async def _alone(stack: AsyncExitStack, count: int) -> Took:
    took = Took()
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    server = await stack.enter_async_context(child("-m", "benchmarks.feedserver", str(count)))
    skywave = await stack.enter_async_context(_skywave(folder, str(await server.line()), count))
    for phase in (FIRST, HALF, NOTHING):
        if phase == HALF:
            await server.ask("2")
        took.add(phase, (await skywave.ask("read"))[1])
    return took
