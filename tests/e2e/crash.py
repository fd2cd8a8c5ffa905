"""kill -9 in the middle of a broadcast, again and again: what was lost, what was doubled.

By hand, for more chats and kills than the tests take: python -m tests.e2e.crash --kills 10 --seed 7
"""

import argparse
import asyncio
import random
import sqlite3
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.e2e.program import FeedServer, Program, item, json_feed
from tests.emulators.discord import DiscordEmulator
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


@dataclass(frozen=True, slots=True)
class Site:
    """A platform with chats: `sent` are the chats and texts of all messages so far."""

    emulator: TelegramEmulator | DiscordEmulator
    settings: Mapping[str, str]
    chats: Sequence[str]
    sent: Callable[[], Sequence[tuple[str, str]]]


@asynccontextmanager
async def telegram(chats: int) -> AsyncIterator[Site]:
    async with TelegramEmulator() as tg:
        readers = [tg.private(tg.user(f"Reader {n}")) for n in range(chats)]
        yield Site(
            tg,
            {"telegram_token": tg.token, "telegram_api_url": tg.url},
            [f"telegram:{chat.id}" for chat in readers],
            lambda: [(f"telegram:{message.chat_id}", message.text) for message in tg.sent],
        )


@asynccontextmanager
async def discord(chats: int) -> AsyncIterator[Site]:
    async with DiscordEmulator() as dc:
        club = dc.guild("Club")
        channels = [dc.text(club, f"channel-{n}") for n in range(chats)]
        addresses = {"discord_api_url": dc.url, "discord_gateway_url": dc.gateway_url}
        yield Site(
            dc,
            addresses | {"discord_token": dc.token},
            [f"discord:{channel.id}" for channel in channels],
            lambda: [(f"discord:{one.channel_id}", f"{one.content} {one.embeds}") for one in dc.sent],
        )


PLATFORMS: Mapping[str, Callable[[int], AbstractAsyncContextManager[Site]]] = {
    "telegram": telegram,
    "discord": discord,
}


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


def has_sent(site: Site, count: int) -> bool:
    return len(site.emulator.sent) >= count


async def crash(folder: Path, *, platform: str = "telegram", chats: int, kills: int, seed: int) -> Damage:
    """Broadcast a post to the chats of a platform, killing the process at random points of it."""
    rng = random.Random(seed)
    async with PLATFORMS[platform](chats) as site, FeedServer().serving() as feeds:
        feeds.documents["/feed"] = json_feed(item("old"))
        program = Program(folder, **site.settings)
        assert (await program.call("sources", "add", f"{feeds.url}/feed"))[0] == 0
        assert (await program.call("subscriptions", "add", "-", input=" ".join(site.chats)))[0] == 0
        feeds.documents["/feed"] = json_feed(item("new"), item("old"))

        on_the_way = 0
        for kill_at in sorted(rng.sample(range(1, chats), kills)):
            async with program.running() as process:
                await site.emulator.wait_for(partial(has_sent, site, kill_at), 60)
                process.kill()
            on_the_way += parts_sending(program)
        async with program.running():
            listed = await settled(program)

        received = Counter(chat for chat, text in site.sent() if "Post new" in text)
        return Damage(
            lost=len(set(site.chats) - set(received)),
            doubled=sum(count - 1 for count in received.values()),
            unwanted=sum("Post old" in text for _, text in site.sent()),
            on_the_way=on_the_way,
            counts=listed["counts"],
            unknowns=listed["unknowns"],
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--platform", choices=PLATFORMS, default="telegram")
    parser.add_argument("--chats", type=int, default=200)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(asyncio.run(crash(Path(folder), **vars(arguments))))


if __name__ == "__main__":
    main()
