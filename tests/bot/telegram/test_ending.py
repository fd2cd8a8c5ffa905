"""It ends when it is told to, whatever still waits."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.runner import Runner
from tests.bot.live import SkippingClock
from tests.bot.telegram.live import Live, live
from tests.emulators.telegram import TelegramEmulator
from tests.emulators.telegram.faults import held


class StandingClock(SkippingClock):
    """Real time, but who sleeps is never woken: what waits for a limit waits for ever."""

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            await asyncio.Event().wait()
        await asyncio.sleep(0)


def start(sky: Live) -> None:
    """Run it with next to no time for what is in flight at the end."""
    sky.runner = Runner(sky.app, sky.senders(), grace=0.1)
    sky.task = asyncio.create_task(sky.runner.run())


async def test_a_hundred_answers_that_wait_hold_up_no_end(tg: TelegramEmulator, folder: Path) -> None:
    async with live(tg, folder, run=False, clock=StandingClock()) as sky:
        start(sky)
        group = tg.supergroup("Group")
        for number in range(100):
            tg.say(group, "/latest", by=tg.user(f"Member {number}"))
        await tg.wait_for(lambda: tg.messages(group))  # how many the limit lets through depends on the time
        await sky.stop()  # fails after PATIENCE
        assert len(tg.messages(group)) < 10


async def test_a_send_and_an_answer_that_never_return_hold_up_no_end(
    tg: TelegramEmulator, folder: Path
) -> None:
    ann, bob, never = tg.private(tg.user("Ann")), tg.private(tg.user("Bob")), asyncio.Event()
    async with live(tg, folder, run=False) as sky:
        for chat in (ann, bob):
            tg.faults.add(held(never), "sendMessage", chat.id)
        await sky.follow(ann)
        await sky.publish("new")
        start(sky)
        tg.say(bob, "/latest")
        await tg.wait_for(lambda: len(tg.requests("sendMessage")) == 2 or None)
        await sky.stop()
        assert await sky.parts(ann) == ["sending"]  # nobody knows; the next process asks or repeats
        never.set()


async def test_a_database_that_others_have_locked_holds_up_no_end(tg: TelegramEmulator, folder: Path) -> None:
    async with live(tg, folder, run=False) as sky:
        start(sky)
        await tg.wait_for(lambda: tg.requests("getUpdates"))
        path = folder / "skywave.db"
        with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
            await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
            await sky.stop()
