"""kill -9 in the middle of a broadcast, again and again: what was lost, what was doubled.

By hand, for more chats and kills than the tests take: python -m tests.e2e.crash --kills 10 --seed 7
"""

import argparse
import asyncio
import random
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.e2e.program import FeedServer, Program, item, json_feed
from tests.emulators.telegram import TelegramEmulator


@dataclass(frozen=True, slots=True)
class Damage:
    """What a run with kills did. `on_the_way` counts the parts that were `sending` at the kills."""

    lost: int
    doubled: int
    unwanted: int
    on_the_way: int
    counts: dict[str, int]
    unknowns: int


def parts_sending(program: Program) -> int:
    with closing(sqlite3.connect(program.folder / "skywave.db")) as database:
        query = "SELECT count(*) FROM delivery_parts WHERE state = 'sending'"
        count: int = database.execute(query).fetchone()[0]
    return count


async def settled(program: Program) -> Any:
    """The deliveries, once none is open any more."""
    while True:
        listed = await program.json("deliveries", "list", "--limit", "1")
        if not {"pending", "claimed"} & set(listed["counts"]):
            return listed


def has_sent(tg: TelegramEmulator, count: int) -> bool:
    return len(tg.sent) >= count


async def crash(folder: Path, *, chats: int, kills: int, seed: int) -> Damage:
    """Broadcast a post to private chats, killing the process at random points of it."""
    rng = random.Random(seed)
    async with TelegramEmulator() as tg, FeedServer().serving() as feeds:
        feeds.documents["/feed"] = json_feed(item("old"))
        program = Program(folder, telegram_token=tg.token, telegram_api_url=tg.url)
        assert (await program.call("sources", "add", f"{feeds.url}/feed"))[0] == 0
        readers = [tg.private(tg.user(f"Reader {n}")) for n in range(chats)]
        places = " ".join(f"telegram:{chat.id}" for chat in readers)
        assert (await program.call("subscriptions", "add", "-", input=places))[0] == 0
        feeds.documents["/feed"] = json_feed(item("new"), item("old"))

        on_the_way = 0
        for kill_at in sorted(rng.sample(range(1, chats), kills)):
            async with program.running() as process:
                await tg.wait_for(partial(has_sent, tg, kill_at), 60)
                process.kill()
            on_the_way += parts_sending(program)
        async with program.running():
            listed = await settled(program)

        received = Counter(message.chat_id for message in tg.sent if "Post new" in message.text)
        return Damage(
            lost=len({chat.id for chat in readers} - set(received)),
            doubled=sum(count - 1 for count in received.values()),
            unwanted=sum("Post old" in message.text for message in tg.sent),
            on_the_way=on_the_way,
            counts=listed["counts"],
            unknowns=listed["unknowns"],
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chats", type=int, default=200)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(asyncio.run(crash(Path(folder), **vars(arguments))))


if __name__ == "__main__":
    main()
