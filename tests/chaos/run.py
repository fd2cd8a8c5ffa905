"""One run of chaos: start the real program again and again, and end it at random moments."""

import asyncio
import random
import re
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from scheduler.intake.reading import EDITION
from tests.chaos.books import Database, Sending
from tests.chaos.edits import Edited, judge_edits
from tests.chaos.happenings import Happenings
from tests.chaos.places import Spot
from tests.chaos.servers import Postgres, Sqlite
from tests.chaos.verdict import Account, Verdict, judge
from tests.chaos.world import DC_SENDS, TG_SENDS, World
from tests.e2e.forks import Process
from tests.e2e.program import Program
from tests.emulators.base import Fault

# The share of calls that get a fault.
SHARE = 0.05
# With so many open deliveries, no more posts are published: they are enough for a kill.
ENOUGH = 500
OLD = 1  # posts that were in the feed before
# Seconds to wait for the moment of a kill, and for the program's end.
PATIENCE, ENDING = 12.0, 40.0
# Seconds in which everything must be sent at the end.
LAST = 900.0
# Seconds in which every message must show the last change of its posts.
EDITING = 120.0
# Log events of Skywave's own bugs.
BROKEN = re.compile(r"\b\w+\.(\w+_)?broken\b")
# Seconds between two reads of another process's data, which come without a notification.
LOOK = 0.1


@dataclass(slots=True)
class Tally:
    """Counts what was done to the program, and the parts that were `sending` then."""

    kills: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    """Ends of the program without a kill: by SIGTERM or by itself, with exit statuses."""
    troubles: Counter[str] = field(default_factory=Counter)
    sending: list[tuple[str, set[Sending]]] = field(default_factory=list)
    """For each end of the program, the moment and the parts that had become `sending` since the last."""
    cut: int = 0
    """Sends that were cut by outages of Telegram."""
    left_sending: int = 0
    """Parts that were still `sending` after SIGTERM."""
    let_in_again: int = 0
    """Chats that had to let the bot in again at the end, because a kill lost the first report."""

    def sending_on(self, platform: str) -> int:
        return sum(part.platform == platform for _, parts in self.sending for part in parts)

    def most_sending(self) -> int:
        """The largest number of Telegram parts that were `sending` at one kill."""
        counts = (sum(part.platform == "telegram" for part in parts) for _, parts in self.sending)
        return max(counts, default=0)


class Run:
    """A world, the program in it, and the random choices that the seed decides."""

    def __init__(
        self, folder: Path, database: Sqlite | Postgres, *, seed: int, size: float, hold: int
    ) -> None:
        self.rng = random.Random(seed)
        self.world = World(self.rng, size)
        self.happenings = Happenings(self.world, self.rng)
        self.server, self.database = database, Database(database.url)
        self.tally, self.edited = Tally(), Edited()
        self._folder, self._hold, self._size = folder, hold, size
        self._stack = AsyncExitStack()
        self.program: Program

    async def go(self, kills: int, say: Callable[[str], None]) -> tuple[Verdict, Account]:
        """Set up, kill the program so many times, let everything be sent, and judge."""
        async with self.world.open():
            await self._set_up()
            self.world.storm(SHARE)
            while sum(self.tally.kills.values()) < kills:
                await self._life()
                done = sum(self.tally.kills.values())
                if done % 10 == 0:
                    say(f"{done} kills, {self.world.published} posts, {await self.database.open()} open")
            self.world.storm(0.0)
            await self._heal(say)
            account = Account(await self.database.read())
            self.edited = await self.edits()
            return judge(self.world, account), account

    async def _set_up(self) -> None:
        tg, dc = self.world.tg, self.world.dc
        self.program = Program(
            self._folder,
            database_url=self.server.url,
            telegram_token=tg.token,
            telegram_api_url=tg.url,
            discord_token=dc.token,
            discord_api_url=dc.url,
            discord_gateway_url=dc.gateway_url,
        )
        await self._command("sources", "add", f"{self.world.feed.url}/feed")
        words = " ".join(spot.word for spot in self.world.spots)
        await self._command("subscriptions", "add", "-", input=words)
        on_telegram = [s for s in self.world.spots if s.platform == "telegram"]
        for spot in self.rng.sample(on_telegram, self._hold):
            await self._command("chats", "set", spot.word, "--on-unknown", "hold")
            spot.hold = True
        for spot in self.rng.sample(self.world.spots, max(1, round(5 * self._size))):
            await self._command("digests", "add", spot.word, "daily", "00:00", "--max", "100")
            spot.digest = True
        self.world.publish(2)

    async def _command(self, *arguments: str, input: str = "") -> None:
        status, _, err = await self.program.call(*arguments, input=input)
        if status:
            raise AssertionError(f"skywave {' '.join(arguments)}: {err}")

    def broken(self) -> list[str]:
        """The log lines that report bugs of the program itself."""
        log = (self._folder / "log.txt").read_text(encoding="utf-8", errors="replace")
        return [line for line in log.splitlines() if BROKEN.search(line)]

    # Lives

    async def _life(self) -> None:
        """Start the program, let people and faults act, and end it."""
        rng = self.rng
        await self._note_returns()
        for _ in range(rng.choice((0, 0, 1, 1, 2))):
            self.happenings.one()
        if await self.database.open() < ENOUGH * self._size:
            await self._publish(rng.choices((1, 2, 4, rng.randint(6, 25)), (60, 20, 10, 10))[0])
        self.world.change()
        await self.database.quiet()
        self.world.stopped.clear()
        process = await self.program.start("run")
        if rng.random() < 0.25:
            for spot in [s for s in self.world.spots if s.hindered]:
                self.happenings.let_in(spot)
        if rng.random() < 0.12:
            await self._trouble(process)
        if rng.random() < 0.05:
            await self._send_digest()
        moment = rng.choice((self._at_sent, self._at_sent, self._at_request, self._at_poll, self._in_flight))
        go_on, name = await moment(process), moment.__name__.removeprefix("_")
        if process.returncode is not None:
            self.tally.ends[f"by itself, {process.returncode}"] += 1
        elif rng.random() < 0.1:
            await self._terminate(process, go_on)
        else:
            process.kill()
            await process.wait()
            self.tally.kills[name] += 1
        await go_on()
        self.tally.sending.append((name, await self._newly_sending()))

    async def _publish(self, count: int) -> None:
        """Publish no more than one edition holds: of more, Skywave only says how many there are.

        The program may have been killed several times before it read anything. One more comes at the end.
        """
        unread = self.world.published + OLD - await self.database.posts()
        self.world.publish(max(0, min(count, EDITION - 1 - unread)))

    async def _newly_sending(self) -> set[Sending]:
        return await self.database.sending() - set[Sending]().union(*(p for _, p in self.tally.sending))

    async def _terminate(self, process: Process, go_on: Callable[[], Awaitable[None]]) -> None:
        process.send_signal(signal.SIGTERM)
        await go_on()
        async with asyncio.timeout(ENDING):
            status = await process.wait()
        self.tally.ends[f"terminated, {status}"] += 1
        self.tally.left_sending += len(await self._newly_sending())

    async def _note_returns(self) -> None:
        """Between two starts, note chats that Skywave has as reachable and about which no report is open."""
        states = await self.database.states()
        for spot in self.world.spots:
            known = [states.get((spot.platform, address, spot.topic)) for address in spot.addresses]
            untold = spot.chat is not None and self.world.tg.has_untold(spot.chat)
            if not (spot.deleted or spot.hindered or untold or "gone" in known):
                spot.returned()

    async def _send_digest(self) -> None:
        """Run an operator's command beside the program. It may fail if the database has trouble."""
        digests = [s for s in self.world.spots if s.digest and not s.deleted]
        if digests:
            await self.program.call("digests", "send", self.rng.choice(digests).word)

    # Moments of a kill. Each returns a clean-up that is called after the program has ended.

    async def _at_sent(self, process: Process) -> Callable[[], Awaitable[None]]:
        """Wait until a platform has shown so many more messages."""
        emulator = self.rng.choice((self.world.tg, self.world.tg, self.world.dc))
        count = len(emulator.sent) + self.rng.randint(1, 40)
        await self._wait(lambda: len(emulator.sent) >= count or bool(self.world.stopped), process, "sent")
        return _nothing

    async def _at_request(self, process: Process) -> Callable[[], Awaitable[None]]:
        """Wait for any request: the program may connect, register its commands or recover."""
        emulator = self.rng.choice((self.world.tg, self.world.dc))
        count = len(emulator.transcript.entries) + self.rng.randint(1, 30)
        await self._wait(lambda: len(emulator.transcript.entries) >= count, process, "request")
        return _nothing

    async def _at_poll(self, process: Process) -> Callable[[], Awaitable[None]]:
        """Wait until the feed is read. The program then stores posts and creates deliveries."""
        asked = self.world.feed.asked
        self.world.publish(self.rng.choice((1, 8)))
        await self._wait(lambda: self.world.feed.asked > asked, process, "poll")
        return _nothing

    async def _in_flight(self, process: Process) -> Callable[[], Awaitable[None]]:
        """Wait until a request is in flight: held before it takes effect, or without its answer."""
        emulator, sends = self.rng.choice(((self.world.tg, TG_SENDS), (self.world.dc, DC_SENDS)))
        index = 0 if emulator is self.world.tg else 1
        storm, gate = self.world.storms[index], asyncio.Event()
        fault = Fault(hold=gate) if self.rng.random() < 0.5 else Fault(delay=gate)
        several = self.rng.randint(1, 3)
        storm.add(fault, sends[0], times=several)
        want = storm.taken.count(fault) + 1
        await self._wait(
            lambda: fault in storm.taken[want - 1 :] or bool(self.world.stopped), process, "flight"
        )

        async def let_go() -> None:
            gate.set()
            storm.clear()

        return let_go

    async def _wait(self, condition: Callable[[], bool], process: Process, what: str) -> None:
        """Wait until the condition is true, the program ends by itself, or the time is over."""
        ended = asyncio.create_task(process.wait())
        try:
            async with asyncio.timeout(PATIENCE + self.server.take_over):
                while not condition() and not ended.done():
                    await asyncio.sleep(0.005)
        except TimeoutError:
            self.tally.troubles[f"no {what} came"] += 1
        finally:
            ended.cancel()
            await asyncio.wait({ended})

    # Troubles

    async def _trouble(self, process: Process) -> None:
        kind = self.rng.choice(("telegram away", "discord away", *self.server.troubles))
        self.tally.troubles[kind] += 1
        sent = len(self.world.tg.sent) + 5
        await self._wait(lambda: len(self.world.tg.sent) >= sent, process, "trouble")
        match kind:
            case "telegram away":
                self.tally.cut += self.world.tg.under_way
                await self.world.tg.stop()
                await self._logged("", process)
                await self.world.tg.start()
            case "discord away":
                await self.world.dc.stop()
                await self._logged("", process)
                await self.world.dc.start()
            case _:
                async with self.server.trouble(kind) as phrase:
                    if not await self._logged(phrase, process):
                        self.tally.troubles[f"{kind}: not noticed"] += 1
                    if self.rng.random() < 0.3 and process.returncode is None:
                        process.kill()
                        await process.wait()
                        self.tally.kills[kind] += 1

    async def _logged(self, phrase: str, process: Process) -> bool:
        """Wait until the log has `phrase` (if empty, any new text). False if the program ends first."""
        path, until = self._folder / "log.txt", monotonic() + PATIENCE + self.server.take_over
        start = path.stat().st_size
        while monotonic() < until and process.returncode is None:
            with path.open("rb") as log:
                log.seek(start)
                added = log.read()
            if added and phrase.encode() in added:
                return True
            await asyncio.sleep(LOOK)
        return False

    # The end

    async def _heal(self, say: Callable[[str], None]) -> None:
        """Let the bot in everywhere, run until no delivery is open, and check that all chats are active."""
        async with self.program.running() as process:
            await self._all_in(say)
            self.world.publish(1)
            self.world.change()
            await self._taken_up()
            self.world.publish(15)
            await self._taken_up()
            for spot in self.world.spots:
                if spot.digest and not spot.deleted:
                    await self._command("digests", "send", spot.word)
            started = monotonic()
            while (left := await self.database.open()) and monotonic() - started < LAST:
                if process.returncode is not None:
                    raise AssertionError(f"skywave ended with {process.returncode}")
                await self.database.hurry()
                await asyncio.sleep(5 * LOOK)
            say(f"healed in {monotonic() - started:.0f} s; {left} open")
            await self._edited(say)
        self.tally.ends[f"at last, {process.returncode}"] += 1

    async def _edited(self, say: Callable[[str], None]) -> None:
        """Wait until every message shows the last change of its posts."""
        started, left = monotonic(), [""]
        while left and monotonic() - started < EDITING:
            await self.database.quiet()
            await asyncio.sleep(10 * LOOK)
            left = (await self.edits()).lost
        say(f"edited in {monotonic() - started:.0f} s; {len(left)} left")

    async def edits(self) -> Edited:
        """What became of the edits until now."""
        ends = sum(self.tally.kills.values()) + sum(self.tally.ends.values())
        return judge_edits(self.world, await self.database.read(), ends)

    async def _taken_up(self) -> None:
        """Wait until the feed was read twice more. The posts of the first read are then stored."""
        asked = self.world.feed.asked + 2
        while self.world.feed.asked < asked:
            await asyncio.sleep(LOOK)

    async def _all_in(self, say: Callable[[str], None]) -> None:
        """Let the bot in again until Skywave has all chats that it can reach as active."""
        await self.world.dc.wait_for(lambda: self.world.dc.gateway.ready, ENDING)
        for turn in range(6):
            out = await self._out()
            if not out and turn:
                break
            self.tally.let_in_again += len(out) if turn else 0
            for spot in self.world.spots if not turn else out:
                self.happenings.let_in(spot)
            until = monotonic() + PATIENCE
            while await self._out() and monotonic() < until:
                await asyncio.sleep(LOOK)
        await self._note_returns()
        say(f"all let in; {len(await self._out())} are taken for out")

    async def _out(self) -> Sequence[Spot]:
        states = await self.database.states()

        def known(spot: Spot) -> set[str | None]:
            return {states.get((spot.platform, a, spot.topic)) for a in spot.addresses}

        return [s for s in self.world.spots if not s.deleted and "active" not in known(s)]


async def _nothing() -> None:
    return None
