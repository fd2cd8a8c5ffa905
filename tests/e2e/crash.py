"""Kill the program during broadcasts, several times, and count the posts lost and sent twice.

For more chats and kills than in the tests: python -m tests.e2e.crash --kills 10 --seed 7
"""

import argparse
import asyncio
import random
import re
import sqlite3
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.e2e.program import FeedServer, Program, item, json_feed
from tests.emulators.discord import DiscordEmulator, Limits
from tests.emulators.discord.faults import delivered_then_dropped
from tests.emulators.telegram import TelegramEmulator

LOOK = 0.05  # seconds between two reads of the database
NEW = re.compile(r"Post newfeed\d+")
OPEN_THREAD = "POST /channels/{channel}/threads"


@dataclass(frozen=True, slots=True)
class Damage:
    """The result of a run with kills. `on_the_way` counts the parts that were `sending` at the kills."""

    lost: int
    doubled: int
    unwanted: int
    on_the_way: int
    counts: dict[str, int]
    unknowns: int


@dataclass(frozen=True, slots=True)
class Site:
    """A platform with chats. `sent` are the chats and texts of all messages so far."""

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
    """Half of the chats are forums. For every tenth of these, the answer to the first send is lost."""
    async with DiscordEmulator(limits=Limits()) as dc:
        club = dc.guild("Club")
        forums = [dc.forum(club, f"forum-{n}") for n in range(chats // 2)]
        channels = [dc.text(club, f"channel-{n}") for n in range(chats - len(forums))]
        for forum in forums[::10]:
            dc.faults.add(delivered_then_dropped(), OPEN_THREAD, forum.id)
        addresses = {"discord_api_url": dc.url, "discord_gateway_url": dc.gateway_url}

        def sent() -> Sequence[tuple[str, str]]:
            opened = [(thread.parent, thread.name) for thread in club.threads.values()]
            texts = {channel.id for channel in channels}
            return [
                *((f"discord:{forum.id}", name) for forum, name in opened if forum),
                *(
                    (f"discord:{one.channel_id}", f"{one.content} {one.embeds}")
                    for one in dc.sent
                    if one.channel_id in texts
                ),
            ]

        names = [f"discord:{place.id}" for place in (*forums, *channels)]
        yield Site(dc, addresses | {"discord_token": dc.token}, names, sent)


PLATFORMS: Mapping[str, Callable[[int], AbstractAsyncContextManager[Site]]] = {
    "telegram": telegram,
    "discord": discord,
}


def parts_sending(program: Program) -> int:
    with closing(sqlite3.connect(program.folder / "skywave.db")) as database:
        query = "SELECT count(*) FROM delivery_parts WHERE state = 'sending'"
        count: int = database.execute(query).fetchone()[0]
    return count


def is_settled(program: Program, deliveries: int) -> bool:
    """Whether so many deliveries exist and all have ended."""
    with closing(sqlite3.connect(program.folder / "skywave.db")) as database:
        query = "SELECT count(*), total(state IN ('pending', 'claimed')) FROM deliveries"
        made, still_open = database.execute(query).fetchone()
    return bool(made == deliveries and not still_open)


def has_sent(site: Site, count: int) -> bool:
    return len(site.emulator.sent) >= count


async def crash(
    folder: Path, *, platform: str = "telegram", chats: int, posts: int = 1, kills: int, seed: int
) -> Damage:
    """Broadcast posts of several feeds to a platform's chats, and kill the process at random moments."""
    rng, paths = random.Random(seed), [f"/feed{n}" for n in range(posts)]
    async with PLATFORMS[platform](chats) as site, FeedServer().serving() as feeds:
        program = Program(folder, **site.settings)
        for path in paths:
            feeds.documents[path] = json_feed(item(f"old{path[1:]}"))
        assert (await program.call("sources", "add", *(feeds.url + path for path in paths)))[0] == 0
        assert (await program.call("subscriptions", "add", "-", input=" ".join(site.chats)))[0] == 0
        for path in paths:
            feeds.documents[path] = json_feed(item(f"new{path[1:]}"), item(f"old{path[1:]}"))

        on_the_way = 0
        for kill_at in sorted(rng.sample(range(1, chats * posts), kills)):
            async with program.running() as process:
                await site.emulator.wait_for(partial(has_sent, site, kill_at), 60)
                process.kill()
            on_the_way += parts_sending(program)
        async with program.running():
            while not is_settled(program, chats * posts):
                await asyncio.sleep(LOOK)
        listed = await program.json("deliveries", "list", "--limit", "1")

        new = [(chat, NEW.search(text)) for chat, text in site.sent()]
        received = Counter((chat, found.group()) for chat, found in new if found)
        return Damage(
            lost=chats * posts - len(received),
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
    parser.add_argument("--posts", type=int, default=1)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(asyncio.run(crash(Path(folder), **vars(arguments))))


if __name__ == "__main__":
    main()
