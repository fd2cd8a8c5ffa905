"""One phase, calm or hostile: runs a deployment for so many seconds and measures it."""

import asyncio
import random
import re
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, pairwise
from pathlib import Path
from statistics import mean
from time import monotonic

import psutil

from benchmarks.times import p99
from tests.chaos.books import Database
from tests.e2e.forks import Process
from tests.e2e.program import Program
from tests.hostile import feeds, folders
from tests.hostile.people import Chats
from tests.hostile.sites import Site, serving
from tests.hostile.traps import Traps, command

# Seconds in which the program must connect, and in which everything must be sent at the end.
PATIENCE = 240.0
# After so many seconds without an answer, a command counts as unanswered.
LATE = 30.0
LOOK = 0.25
FAMILY = 4  # one of so many looks at the memory is one at the workers' too, for which all processes are read
# Log events of Skywave's own bugs.
BROKEN = re.compile(r"\b\w+\.(\w+_)?broken\b")


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a world, and the seconds of a run. `interval` is the poll interval, seconds.

    `call_every` is the pause between two calls of a flood: 50 a second are ten times what the proxy of
    docs/push.md lets one address send. `say_every` is that between two commands of good people, and of each
    attacker. Hostile texts are so many times (`part`) smaller than their sites could make them.
    """

    private: int = 180
    groups: int = 20
    askers: int = 5
    good: int = 200
    hostile: int = 50
    folders: int = 5
    listings: int = 6
    gits: int = 10
    teasers: int = 4
    seconds: float = 120.0
    interval: int = 10
    news_every: float = 15.0
    call_every: float = 0.02
    say_every: float = 0.5
    part: int = 1


@dataclass(slots=True)
class Figures:
    """The measurements of one phase. Times are seconds. Memory is MB, of the program and with its workers."""

    gaps: list[float] = field(default_factory=list)
    replies: list[float] = field(default_factory=list)
    unanswered: int = 0
    news: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: int = 0
    memory: float = 0.0
    with_workers: float = 0.0
    workers: int = 0
    stop: float = 0.0
    broken: list[str] = field(default_factory=list)
    refused: int = 0

    @property
    def gap(self) -> float:
        """The mean time between two reads of a good feed."""
        return mean(self.gaps) if self.gaps else float("inf")

    @property
    def reply(self) -> float:
        """The time from a command to its answer, 99th percentile."""
        return p99(self.replies) if self.replies else float("inf")


class Phase:
    """A world and the program in it. `say` gets progress messages."""

    def __init__(self, folder: Path, size: Size, seed: int, *, hostile: bool) -> None:
        self.size, self.hostile, self.folder = size, hostile, folder
        self.rng = random.Random(seed)
        self.chats = Chats(size.private, size.groups, size.askers)
        self.news = Site("news")
        self.good = [Site(f"good {n}") for n in range(size.good)]
        self.bad = [Site(f"site {n}") for n in range(size.hostile)]
        self.traps = Traps(size.listings, size.gits, size.teasers)
        self.published: list[tuple[float, str]] = []
        self.figures = Figures()

    async def go(self, say: Callable[[str], None]) -> Figures:
        """Set up, run for `seconds`, wait until everything is sent, and measure."""
        async with self.chats.tg, serving([self.news, *self.good, *self.bad], 0), self.traps.serving():
            program = await self._set_up()
            say(f"{'hostile' if self.hostile else 'calm'}: {self.size.good + len(self.bad)} feeds are added")
            process = await program.start("run")
            try:
                await self._look(process, say)
                await self._settle(process)
            finally:
                await self._end(process)
        self._count()
        lost, wrong = await self.traps.faults(self.folder)
        self.figures.lost += lost
        self.figures.broken += wrong
        return self.figures

    async def _set_up(self) -> Program:
        size = self.size
        program = Program(
            self.folder,
            telegram_token=self.chats.tg.token,
            telegram_api_url=self.chats.tg.url,
            poll_interval=str(size.interval),
            poll_longest=str(size.interval),
            source_posts=str(500 // size.part),
            **self.traps.settings,
        )
        places = [self.folder / f"folder {n}" for n in range(size.folders)]
        for place in places:
            folders.fill(place)
        sites = [site.url for site in (self.news, *self.good, *self.bad)]
        await command(program, "sources", "add", *sites, *map(str, places), *self.traps.plain)
        words = " ".join(f"telegram:{chat.id}" for chat in self.chats.followers)
        await command(program, "subscriptions", "add", "-", "--source", self.news.url, input=words)
        await self.traps.add(program)
        if self.hostile:
            self._turn(places)
        return program

    def _turn(self, places: list[Path]) -> None:
        """Make the hostile feeds and folders hostile; until now they were harmless."""
        kinds = list(feeds.KINDS.values())
        for number, site in enumerate(self.bad):
            site.answer = kinds[number % len(kinds)](self.size.part)
        self.traps.turn(self.size.part)
        spoil = list(folders.KINDS.values())
        for number, place in enumerate(places):
            spoil[number % len(spoil)](place)

    async def _look(self, process: Process, say: Callable[[str], None]) -> None:
        await self._until(lambda: bool(self.chats.tg.requests("getUpdates")), process)
        await self._until(lambda: all(len(site.asked) >= 2 for site in self.good), process)
        begun = monotonic()
        doing = [
            self.chats.ask(self.size.say_every),
            self._publish(),
            self.traps.publish(),
            self._watch(process),
        ]
        if self.hostile:
            doing += [
                self.chats.flood(self.rng, self.size.say_every),
                self.traps.flood(self.rng, self.size.call_every),
            ]
        tasks = [asyncio.create_task(one) for one in doing]
        await self._until(lambda: self._has_seen_enough(begun), process)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled() and (error := task.exception()):
                raise error
        ended = monotonic()
        for site in self.good:
            times = [time for time in self._reads(site, begun) if time <= ended]
            self.figures.gaps += [later - earlier for earlier, later in pairwise(times)]
        say(f"looked for {ended - begun:.0f} s; {len(self.published)} posts of the news")

    def _has_seen_enough(self, begun: float) -> bool:
        """Whether the time is over and every good feed was read again, even on a slow machine."""
        over = monotonic() - begun >= self.size.seconds
        return over and all(len(self._reads(site, begun)) >= 2 for site in self.good)

    def _reads(self, site: Site, begun: float) -> list[float]:
        return [time for time in site.asked if begun - self.size.interval <= time]

    async def _publish(self) -> None:
        """Publish a post of the news now and then, and one of each good feed at some time."""
        while True:
            title, now = f"News {len(self.published):03}", monotonic()
            self.news.publish(title)
            self.published.append((now, title))
            for site in self.rng.sample(self.good, max(1, len(self.good) // 20)):
                site.publish(f"{site.name} again {len(self.published)}")
            await asyncio.sleep(self.size.news_every)
            # On a slow machine, many posts of one read would become an edition, which begins with no title.
            while self.news.asked[-1] < now:
                await asyncio.sleep(LOOK)

    async def _watch(self, process: Process) -> None:
        """Record the maximum memory of the program, alone and with its workers, and how many they are."""
        figures = self.figures
        for number in count():
            figures.memory = max(figures.memory, _memory(process.pid))
            if number % FAMILY == 0:
                workers = _workers(process.pid)
                together = sum(map(_memory, (process.pid, *workers)))
                figures.with_workers = max(figures.with_workers, together)
                figures.workers = max(figures.workers, len(workers))
            await asyncio.sleep(LOOK)

    async def _settle(self, process: Process) -> None:
        """Wait until all published posts were sent."""
        database = Database(f"sqlite:///{self.folder / 'skywave.db'}")
        last = self.published[-1][1]
        until = monotonic() + PATIENCE
        while monotonic() < until and process.returncode is None:
            if (
                all(self._arrived(chat.id, last) for chat in self.chats.followers)
                and not await database.open()
            ):
                return
            await asyncio.sleep(LOOK)

    def _arrived(self, chat: int, title: str) -> bool:
        return any(message.text.startswith(title) for message in self.chats.tg.messages(chat))

    async def _end(self, process: Process) -> None:
        """End the program with SIGTERM and measure how long that takes."""
        begun = monotonic()
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        status = await process.wait()
        self.figures.stop = monotonic() - begun
        if status:
            self.figures.broken.append(f"it ended with {status}")

    async def _until(self, condition: Callable[[], bool], process: Process) -> None:
        """Wait for a condition. Raises AssertionError if the program ends, TimeoutError after PATIENCE."""
        async with asyncio.timeout(PATIENCE + self.size.seconds):
            while not condition():
                if process.returncode is not None:
                    raise AssertionError(
                        f"skywave ended with {process.returncode}: {self.folder / 'log.txt'}"
                    )
                await asyncio.sleep(LOOK)

    def _count(self) -> None:
        figures, tg = self.figures, self.chats.tg
        shown: dict[str, list[float]] = {}
        for time, chat in self.chats.times.shown:
            shown.setdefault(chat, []).append(time)
        for time, chat in self.chats.asked:
            after = [then - time for then in shown.get(chat, ()) if then > time]
            if after and min(after) < LATE:
                figures.replies.append(min(after))
            else:
                figures.unanswered += 1
        for follower in self.chats.followers:
            seen = Counter[str]()
            for message in tg.messages(follower):
                # An answer to /latest contains the title as well, further down.
                seen.update(title for _, title in self.published if message.text.startswith(title))
            figures.lost += [f"{title} in {follower.title}" for _, title in self.published if not seen[title]]
            figures.doubled += sum(count - 1 for count in seen.values())
        log = (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")
        figures.broken += [line for line in log.splitlines() if BROKEN.search(line)]
        figures.refused = tg.flood.refusals if tg.flood else 0


def _memory(pid: int) -> float:
    """Memory of a process, MB; none if it has ended."""
    with suppress(psutil.NoSuchProcess):
        return float(psutil.Process(pid).memory_info().rss / 1e6)
    return 0.0


def _workers(pid: int) -> list[int]:
    with suppress(psutil.NoSuchProcess):
        return [worker.pid for worker in psutil.Process(pid).children(recursive=True)]
    return []
