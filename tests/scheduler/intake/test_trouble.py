"""A source that ends, or fails for a week: its followers are told once, and with the reason."""

import json
from dataclasses import replace

import pytest

from content.errors import (
    AddressRefused,
    FetchError,
    SourceError,
    SourceGone,
    StoreBusy,
    Unreachable,
)
from content.types import Source, SourceState
from scheduler.intake.trouble import FAILING, GONE
from scheduler.types import Chat
from tests.scheduler.conftest import FEED, World

REFUSED = FetchError("{url} answered {status}: check the address", url="https://example.org/…", status=404)
ENDED = SourceGone(
    "{url} answered {status}: it is gone for good, look for its new address",
    url="https://x.test/",
    status=410,
)


async def fail(world: World, error: SourceError, days: float = 8, reads: int = 8) -> Source:
    """The source as it is after failed reads over some days, the first of them at once."""
    world.fetcher.faults[FEED] = error
    for n in range(reads):
        world.clock.advance(days * 86400 / (reads - 1) if n else 0)
        async with world.store.read() as work:
            (source,) = await work.sources.all()
        result = await world.ingest.poll(source)
    return result.source


def notices(world: World, chat: Chat) -> list[str]:
    """The notices to a chat in English."""
    rows = world.sql(
        "SELECT b.body FROM broadcasts b JOIN deliveries d ON d.broadcast_id = b.id"
        " WHERE b.kind = 'notice' AND d.chat_id = ? ORDER BY d.id",
        chat.id,
    )
    return [body for (body,) in rows]


async def test_followers_are_told_once_after_a_week(world: World) -> None:
    source = await world.source()
    chat, everything = await world.chat("1", follows=[source]), await world.chat("2")
    assert not (await fail(world, REFUSED, days=6.9)).trouble_told
    assert notices(world, chat) == []
    assert (await fail(world, REFUSED, days=1, reads=2)).trouble_told
    await fail(world, REFUSED, days=30)
    assert notices(world, chat) == [FAILING]
    assert notices(world, everything) == []  # the operator sees it
    del world.fetcher.faults[FEED]
    assert not (await world.publish("one")).source.trouble_told
    assert notices(world, chat) == [FAILING]  # nobody is told that it works again
    await fail(world, REFUSED)
    assert notices(world, chat) == [FAILING, FAILING]


async def test_a_source_that_has_ended_is_told_at_once_and_once(world: World) -> None:
    source = await world.source()
    chat = await world.chat("1", follows=[source])
    ended = await fail(world, ENDED, reads=2, days=1)
    assert (ended.state, ended.trouble_told) == (SourceState.PAUSED, True)
    assert notices(world, chat) == [GONE]


async def test_a_clock_that_jumps_and_a_week_without_running_are_no_week_of_failures(world: World) -> None:
    source = await world.source()
    chat = await world.chat("1", follows=[source])
    assert not (await fail(world, REFUSED, days=400, reads=2)).trouble_told
    assert notices(world, chat) == []


async def test_failures_of_the_database_are_not_told(world: World) -> None:
    source = await world.source()
    chat = await world.chat("1", follows=[source])
    for _ in range(8):
        world.clock.advance(3 * 86400)
        # Read, but the posts cannot be stored.
        world.store.outages = [StoreBusy("the database is locked")]
        result = await world.publish("one")
        assert result.error
    assert result.source.failures == 8 and notices(world, chat) == []


async def test_the_notice_and_the_source_are_one_transaction(world: World) -> None:
    source = await world.source()
    chat = await world.chat("1", follows=[source])
    before = world.store.writes
    await fail(world, ENDED, reads=1)
    assert (world.store.writes - before, notices(world, chat)) == (1, [GONE])


async def test_the_reason_is_in_the_language_of_the_chat(world: World) -> None:
    source = await world.source()
    chat = await world.chat("1", follows=[source])
    async with world.store.write() as work:
        await work.chats.save(replace(chat, language="zh"))
        await work.commit()
    await fail(world, REFUSED)
    await world.dispatcher().drain()
    (told,) = world.platform.texts(chat)
    assert "“Example”已有一周无法读取" in told and "返回 404" in told and "{" not in told


@pytest.mark.parametrize(
    ("error", "hidden"),
    [
        (
            AddressRefused("{host}: {address} is not public", host="example", address="10.0.0.1"),
            "10.0.0.1",
        ),
        (Unreachable("{url}: cannot connect to {host}", url=FEED, host="inside"), "inside"),
    ],
)
async def test_nothing_is_said_about_the_network(world: World, error: SourceError, hidden: str) -> None:
    source = await world.source()
    await world.chat("1", follows=[source])
    await fail(world, error)
    ((values,),) = world.sql("SELECT body_values FROM broadcasts WHERE kind = 'notice'")
    assert hidden not in values and "example.org" in json.loads(values)["url"]
