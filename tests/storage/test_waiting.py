"""Quiet hours, pauses and several digests in any order: no post is lost or promised twice, and /why agrees.

A chat follows three sources; two of them come with digests of their own. The ledger is read past the store.
"""

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import given, settings

from content.types import Source
from scheduler.actions import digests, following, quiet
from scheduler.actions.audit import COMMAND_LINE
from scheduler.actions.why import Because
from scheduler.types import Chat
from storage.unit_of_work import SqlStore
from tests.builders import NOW
from tests.conftest import EXAMPLES, open_migrated
from tests.contracts.world import World

SOURCES = 3
WAITING = {Because.QUIET, Because.DIGEST, Because.DIGEST_PAUSED}
PROMISED = {Because.NEXT, Because.BEHIND_OTHERS}
ACTIONS = (
    "post",
    "post",
    "post",
    "post",
    "hush",
    "hush",
    "wake",
    "pause",
    "resume",
    "send",
    "hold",
    "release",
    "move",
)
steps = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, SOURCES - 1)), min_size=10, max_size=16)
LEDGER = "SELECT post_id, state, reason FROM ledger"
TWICE = """
SELECT post_id FROM broadcast_posts JOIN deliveries USING (broadcast_id) GROUP BY post_id HAVING count(*) > 1
"""


class Waiting:
    """The chat, its sources, and which posts came while their subscription was paused."""

    def __init__(self, store: SqlStore, path: Path) -> None:
        self.world, self.path = World(store), path
        self.chat: Chat
        self.sources: Sequence[Source]
        self.posts: list[int] = []
        self.left_out: set[int] = set()
        self.paused: set[int] = set()

    async def begin(self) -> None:
        self.sources = [await self.world.source(str(n)) for n in range(SOURCES)]
        self.chat = await self.world.follower(*self.sources)
        async with self.world.store.write() as work:
            for n in (0, 1):
                wanted = digests.Wanted(f"daily 1{n + 5}:00", str(n), sources=[self.sources[n]])
                await digests.add(work, COMMAND_LINE, self.chat, wanted, "UTC", NOW)
            await work.commit()

    async def do(self, action: str, n: int) -> None:
        source = self.sources[n]
        if action == "post":
            made = await self.world.publish(source, str(len(self.posts)))
            self.posts += made
            self.left_out |= set(made) if n in self.paused else set()
            return
        async with self.world.store.write() as work:
            chat = await work.chats.get(self.chat.id)
            assert chat is not None
            found = await work.digests.of(chat.id)
            digest = found[n % len(found)]
            match action:
                case "pause":
                    await following.pause(work, COMMAND_LINE, chat, source, None, NOW)
                    self.paused.add(n)
                case "resume":
                    await following.resume(work, COMMAND_LINE, chat, source, NOW)
                    self.paused.discard(n)
                case "send":
                    await digests.send(work, COMMAND_LINE, chat, digest, NOW)
                case "hold":
                    await digests.pause(work, COMMAND_LINE, chat, digest, NOW)
                case "release":
                    await digests.resume(work, COMMAND_LINE, chat, digest, NOW)
                case "hush":
                    await quiet.set_quiet_hours(work, COMMAND_LINE, chat, "11:00-13:00", "UTC", NOW)
                case "wake":
                    await quiet.set_quiet_hours(work, COMMAND_LINE, chat, "off", "UTC", NOW)
                case _:
                    into = None if n == 2 else digest
                    await digests.assign(work, COMMAND_LINE, chat, source, into, NOW)
            await work.commit()

    async def check(self) -> None:
        """Each post is in the ledger or waits, and /why says which; what was paused came to nothing."""
        with closing(sqlite3.connect(self.path)) as rows:
            assert rows.execute(TWICE).fetchall() == []
            ledger = {post: (state, reason) for post, state, reason in rows.execute(LEDGER)}
        answers = await self.world.why(self.chat, self.posts)
        assert [answer.post.id for answer in answers] == self.posts
        for answer in answers:
            post, because = answer.post.id, answer.because
            if post in self.left_out:
                assert because is Because.PAUSED and ledger.get(post, ("skipped", ""))[0] == "skipped"
            elif post in ledger:
                assert because in PROMISED and ledger[post][0] == "reserved"
            else:
                assert because in WAITING, because

    async def end(self) -> None:
        """At the end of everything that posts wait for, all have been promised."""
        await self.do("wake", 0)
        for n in (0, 1):
            await self.do("send", n)
        await self.check()
        with closing(sqlite3.connect(self.path)) as rows:
            promised = {post for post, state, _ in rows.execute(LEDGER) if state == "reserved"}
        assert promised == set(self.posts) - self.left_out


async def play(path: Path, actions: Sequence[tuple[str, int]]) -> None:
    store = open_migrated(f"sqlite:///{path}")
    try:
        waiting = Waiting(store, path)
        await waiting.begin()
        for action, n in actions:
            await waiting.do(action, n)
            await waiting.check()
        await waiting.end()
    finally:
        await store.close()


def test_what_waits_is_neither_lost_nor_promised_twice(migrated_file: Path) -> None:
    @settings(max_examples=EXAMPLES // 4)
    @given(steps)
    def tried(actions: Sequence[tuple[str, int]]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(play(Path(shutil.copy(migrated_file, Path(folder) / "skywave.db")), actions))

    tried()
