"""Polls remember what posts looked like in their feed, and parse only what has changed."""

from dataclasses import replace

from content.sources import ReadContext
from content.types import ParsedPost, ParsedSource
from scheduler.intake.reading import Reader
from tests.scheduler.conftest import FEED, World, inline, json_feed


def hashes(world: World) -> list[str]:
    return [raw for (raw,) in world.sql("SELECT raw_hash FROM posts ORDER BY id")]


async def test_a_poll_parses_what_has_changed_and_remembers_the_rest(world: World) -> None:
    source = await world.source()
    await world.publish("old")
    before = hashes(world)
    await world.publish("old", "new")
    assert hashes(world)[:1] == before and len(set(hashes(world))) == 2
    # As after an upgrade.
    world.sql("UPDATE posts SET raw_hash = ''")
    result = await world.publish("old", "new", "newer")
    assert (result.new, result.changed) == (1, 0) and "" not in hashes(world)
    reader = Reader(world.store, ReadContext(world.fetcher, inline), world.fetcher, world.clock)
    world.fetcher.pages[FEED] = json_feed("old", "new", "newest")
    parsed = (await reader.read(replace(source, polled_at=world.clock.now()))).parsed
    assert parsed is not None
    assert [post.is_unchanged for post in parsed.posts] == [False, True, True]


async def test_a_post_that_is_needed_after_all_is_read_again(world: World) -> None:
    source = await world.source()
    reader = Reader(world.store, ReadContext(world.fetcher, inline), world.fetcher, world.clock)
    world.fetcher.pages[FEED] = json_feed("old", "new")
    stub = ParsedPost("new", raw_hash="of another process", is_unchanged=True)
    comparison = await reader.compare(source, ParsedSource(posts=(stub,)))
    assert [post.text for post in comparison.changes.new] == ["new"]
