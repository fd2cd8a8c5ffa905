"""A broadcast to many chats, some of which fail: each failure has its effect, all others get every post."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.loading import load_settings
from bot.platforms import PLATFORMS
from bot.settings import Settings
from scheduler.ports import Sender
from scheduler.types import ChatKind, Place
from tests.bot.discord.live import addresses
from tests.bot.live import LOOK, Deployment
from tests.chaos.books import Database
from tests.chaos.places import Spot
from tests.chaos.storm import Effect
from tests.chaos.verdict import Account, judge, not_from_forums
from tests.chaos.world import World

# This size creates 18 private chats, 5 groups and 11 text channels, among others.
SIZE = 0.6
SHARE = 0.05
PASSING = (Effect.AMBIGUOUS, Effect.PASSES, Effect.CONTENT)


@asynccontextmanager
async def deployed(world: World, url: str) -> AsyncIterator[Deployment[Place]]:
    """Skywave in this process, with the real adapters and a clock that skips waiting times."""
    settings = load_settings(
        database_url=url,
        telegram_token=world.tg.token,
        telegram_api_url=world.tg.url,
        discord_token=world.dc.token,
        discord_api_url=world.dc.url,
        discord_gateway_url=world.dc.gateway_url,
        poll_interval=10**6,
        allowed_networks="127.0.0.0/8",
    )
    with addresses():
        made = Deployment[Place](world.feed, settings, lambda: _senders(settings))
        await made.open()
        try:
            yield made
        finally:
            await made.close()


def _senders(settings: Settings) -> list[Sender]:
    return [made for platform in PLATFORMS if (made := platform.make(settings)) and not platform.here]


def _some(world: World, kind: str, count: int) -> list[Spot]:
    """The next few chats of a kind."""
    found = [spot for spot in world.spots if spot.kind == kind][:count]
    assert len(found) == count
    return found


async def test_every_chat_ends_as_its_platform_asks(sqlite_url: str) -> None:
    world = World(random.Random(3), SIZE)
    for storm in world.storms:
        storm.table = {effect: storm.table[effect] if effect in PASSING else () for effect in Effect}
    blocked, migrated = _some(world, "private", 12), _some(world, "group", 3)
    deleted = [*_some(world, "channel", 3), *_some(world, "text", 3)]
    async with world.open(), deployed(world, sqlite_url) as skywave:
        await skywave.add_source()
        for spot in world.spots:
            kind = ChatKind.PRIVATE if spot.kind == "private" else ChatKind.GROUP
            platform_kind = kind if spot.platform == "telegram" else ChatKind.CHANNEL
            await skywave.subscribe(Place(spot.platform, spot.addresses[0], spot.topic), platform_kind)
        for count in (1, 1, 1, 20):
            world.publish(count)
            await _poll(skywave)
        _trouble(world, blocked, migrated, deleted)
        world.storm(SHARE)
        skywave.start()
        await _nothing_open(skywave)
        database = Database(skywave.settings.database_url)
        account, states = Account(await database.read()), await database.states()
        verdict = judge(world, account)

    out = {
        spot.word: states["telegram" if spot.chat else "discord", spot.addresses[-1], ""]
        for spot in (*blocked, *deleted)
    }
    assert set(out.values()) == {"gone"}
    assert {states.get(("telegram", spot.addresses[1], "")) for spot in migrated} == {"active"}
    assert not {("telegram", spot.addresses[0], "") for spot in migrated} & set(states)
    assert verdict.stranded == []
    assert verdict.lost == []
    assert verdict.only_in_the_books == []
    assert verdict.misplaced == []
    assert verdict.uncounted == []
    assert list(not_from_forums(verdict.doubled["discord"])) == []
    reached = len(world.spots) - len(blocked) - len(deleted)
    assert verdict.arrived + verdict.listed >= reached * world.published
    assert verdict.arrived >= 0.97 * reached * world.published


async def _poll(skywave: Deployment[Place]) -> None:
    async with skywave.app.store.read() as work:
        (source,) = [s for s in await work.sources.all() if s.url.endswith("/feed")]
    result = await skywave.app.ingest.poll(source)
    assert not result.error


def _trouble(world: World, blocked: list[Spot], migrated: list[Spot], deleted: list[Spot]) -> None:
    """Change chats while Skywave is not running. No update reports it, so only answers to sends can tell."""
    for spot in blocked:
        assert spot.chat is not None and spot.chat.user is not None
        spot.deleted = True
        world.tg.block(spot.chat.user)
    for spot in migrated:
        assert spot.chat is not None
        spot.chat = world.tg.migrate(spot.chat)
        spot.addresses.append(str(spot.chat.id))
    world.tg.world.updates.drop()
    for spot in deleted:
        spot.deleted = True
        if spot.chat is not None:
            world.tg.delete_chat(spot.chat)
        elif spot.channel is not None:
            world.dc.delete(spot.channel)


async def _nothing_open(skywave: Deployment[Place]) -> None:
    """Wait until every delivery has ended. Deliveries that wait for a back-off are made due."""
    database = Database(skywave.settings.database_url)

    async def ended() -> bool:
        await database.hurry()
        skywave.app.services.wake()
        return not await database.open()

    while not await ended():
        assert skywave.task is not None and not skywave.task.done()
        await asyncio.sleep(4 * LOOK)
