"""What one source does, by its size, its moves or its data, costs other sources and chats nothing."""

import asyncio
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from content.errors import StoreBusy
from content.types import Source, Visibility
from scheduler.actions import digests
from scheduler.actions.audit import COMMAND_LINE
from scheduler.batches import CHARACTERS, MOST, batches
from scheduler.intake.polling import Poller
from scheduler.intake.storing import PollResult
from scheduler.intake.turns import ReadLimits
from scheduler.timetable import schedules
from scheduler.types import Chat, Digest
from scheduler.upkeep import Keep, Upkeep
from tests import builders
from tests.scheduler.conftest import FEED, World

OTHER = "https://other.example.net/feed.json"
PATIENCE = 30.0  # seconds after which something hangs


def feed(*names: str, dates: Sequence[datetime] = (), site: str = "https://example.org") -> bytes:
    """Posts with a title and an address of their own, the oldest given first."""
    items = [
        {"id": f"{site}#{name}", "url": f"{site}/{name}", "title": name, "content_text": f"About {name}"}
        | ({"date_published": dates[n].isoformat()} if dates else {})
        for n, name in enumerate(names)
    ]
    return json.dumps({"title": "Example", "items": items[::-1]}).encode()


def days_before(world: World, count: int, step: timedelta = timedelta(days=1)) -> list[datetime]:
    """Dates of the past, oldest first."""
    return [world.clock.now() - step * n for n in range(count, 0, -1)]


async def stored(world: World, url: str = FEED) -> Source:
    async with world.store.read() as work:
        source = await work.sources.by_url(url)
    assert source is not None
    return source


async def read(world: World, body: bytes, url: str = FEED) -> Source:
    """The source after it was read with this body, for the first time or again."""
    world.fetcher.pages[url] = body
    async with world.store.read() as work:
        known = await work.sources.by_url(url)
    if known is None:
        await world.ingest.add(url, Visibility.PUBLIC)
    else:
        await world.poll(known)
    return await stored(world, url)


def editions(world: World, chat: Chat) -> list[tuple[str, int, int]]:
    """Kind, posts and left-out posts of what a chat is owed, oldest first."""
    return world.sql(
        "SELECT b.kind, count(l.post_id), b.more FROM deliveries d JOIN broadcasts b ON b.id = d.broadcast_id"
        " LEFT JOIN ledger l ON l.delivery_id = d.id WHERE d.chat_id = ? GROUP BY d.id ORDER BY d.id",
        chat.id,
    )


def count(world: World, table: str) -> int:
    return int(world.sql(f"SELECT count(*) FROM {table}")[0][0])


async def with_digest(world: World, chat: Chat) -> None:
    recurrence, _ = schedules.parse("daily 09:00")
    first = schedules.next_run(recurrence, "UTC", world.clock.now())
    async with world.store.write() as work:
        await builders.with_digest(work, Digest(0, chat.id, schedules.stored(recurrence), "UTC", first))
        await work.commit()


async def waiting(world: World, chat: Chat) -> int:
    async with world.store.read() as work:
        return len(await work.digests.unsent(chat.id))


# A feed of very many posts


async def test_a_read_never_stores_more_than_its_share_and_tells_of_the_rest(world: World) -> None:
    names = [f"post {n}" for n in range(1_000)]
    source = await read(world, feed(*names, dates=days_before(world, 1_000, timedelta(hours=1))))
    assert count(world, "posts") == 500
    assert source.warning.startswith("only the newest 500 of 1,000 posts were read")
    assert world.sql("SELECT title FROM posts ORDER BY published_at DESC LIMIT 1") == [("post 999",)]
    assert (await read(world, feed(*names[:20]))).warning == "", "the next full read"


async def test_others_write_while_a_large_feed_is_stored(world: World) -> None:
    """A writer that comes while the read is on its way gets its turn before the read has ended."""
    world.fetcher.pages[FEED] = feed(*(f"post {n}" for n in range(500)))
    posts_when_written: list[int] = []

    async def write() -> None:
        async with world.store.inner.write() as work:
            await work.audit.add("somebody", "writes", "meanwhile", world.clock.now())
            await work.commit()
        posts_when_written.append(count(world, "posts"))

    others: list[asyncio.Task[None]] = []

    async def on_write() -> None:
        others.append(asyncio.create_task(write()))

    world.store.on_write = on_write
    await world.ingest.add(FEED, Visibility.PUBLIC)
    await asyncio.gather(*others)
    assert count(world, "posts") == 500
    between = {number for number in posts_when_written if 0 < number < 500}
    assert len(between) >= 500 // MOST - 2
    assert (
        max(after - before for before, after in zip([0, *sorted(between)], sorted(between), strict=False))
        <= MOST
    )


async def test_one_source_at_a_time_stands_in_line_to_write(world: World) -> None:
    """So that a person who comes then waits for one batch, however many sources have news."""
    urls = [f"https://{n}.example.net/feed.json" for n in range(4)]
    for url in urls:
        world.fetcher.pages[url] = feed(*(f"post {n}" for n in range(120)))
    in_line = most = 0

    async def on_write() -> None:
        nonlocal in_line, most
        in_line += 1
        most = max(most, in_line)
        await asyncio.sleep(0.01)  # as a batch takes; others would come meanwhile
        in_line -= 1

    ingest = world.ingest
    added = [await ingest.add(url, Visibility.PUBLIC) for url in urls]
    for url in urls:
        world.fetcher.pages[url] = feed(*(f"news {n}" for n in range(120)))
    world.store.on_write = on_write
    await asyncio.gather(*(ingest.poll(result.source) for result in added))
    assert count(world, "posts") == 4 * 240
    assert most == 1


def test_batches_are_bounded_by_number_and_text() -> None:
    sizes = [1] * 120 + [CHARACTERS // 2] * 3 + [CHARACTERS * 5, 1]
    made = list(batches(sizes, lambda size: size))
    assert [size for batch in made for size in batch] == sizes
    assert all(len(batch) <= MOST for batch in made)
    assert all(sum(batch) <= CHARACTERS or len(batch) == 1 for batch in made)


async def test_a_crash_within_a_first_read_sends_nothing_and_loses_nothing(world: World) -> None:
    chat, later = await world.chat("1"), await world.chat("2")
    await with_digest(world, later)
    body = feed(*(f"post {n}" for n in range(200)))
    world.fetcher.pages[FEED] = body
    turns = 0

    async def crash() -> None:
        nonlocal turns
        turns += 1
        if turns == 4:
            raise asyncio.CancelledError

    world.store.on_write = crash
    with pytest.raises(asyncio.CancelledError):
        await world.ingest.add(FEED, Visibility.PUBLIC)
    world.store.on_write = None
    assert 0 < count(world, "posts") < 200
    assert (await stored(world)).polled_at is None
    await read(world, body)
    assert count(world, "posts") == 200
    assert editions(world, chat) == [] and await waiting(world, later) == 0
    await read(world, feed(*(f"post {n}" for n in range(200)), "fresh"))
    assert editions(world, chat) == [("post", 1, 0)] and await waiting(world, later) == 1


async def test_a_crash_within_a_later_read_leaves_what_is_to_be_sent_for_the_next(world: World) -> None:
    dates = days_before(world, 3)
    await read(world, feed("a", "b", "c", dates=dates))
    chat = await world.chat()
    world.clock.advance(3600)
    fresh = [f"fresh {n}" for n in range(100)]
    body = feed("a", "b", "c", *fresh, dates=[*dates, *([world.clock.now()] * 100)])
    turns = 0

    async def crash() -> None:
        nonlocal turns
        turns += 1
        if turns == 2:
            raise asyncio.CancelledError

    world.store.on_write = crash
    world.fetcher.pages[FEED] = body
    with pytest.raises(asyncio.CancelledError):
        await world.poll(await stored(world))
    world.store.on_write = None
    assert editions(world, chat) == []
    await read(world, body)
    assert count(world, "posts") == 103
    assert [(kind, posts) for kind, posts, _ in editions(world, chat)] == [("edition", 30)]


# A site that moves, and one that has much to say


async def test_a_site_that_changes_all_ids_and_addresses_sends_nothing(world: World) -> None:
    names = [f"post {n}" for n in range(120)]  # some batches
    dates = days_before(world, 120)
    await read(world, feed(*names, dates=dates))
    instant, later = await world.chat("1"), await world.chat("2")
    await with_digest(world, later)
    world.clock.advance(300)
    await read(world, feed(*names, dates=dates, site="https://moved.example.org"))
    assert editions(world, instant) == []
    assert await waiting(world, later) == 0
    assert count(world, "posts") == 120, "none is stored twice"
    await read(
        world,
        feed(*names, "fresh", dates=[*dates, world.clock.now()], site="https://moved.example.org"),
    )
    assert editions(world, instant) == [("post", 1, 0)]
    assert await waiting(world, later) == 1


async def test_a_week_without_a_read_is_made_up_for_in_one_edition(world: World) -> None:
    await read(world, feed("old", dates=days_before(world, 1)))
    chat = await world.chat()
    world.clock.advance(7 * 24 * 3600)
    await read(
        world, feed(*(f"post {n}" for n in range(20)), dates=days_before(world, 20, timedelta(hours=8)))
    )
    assert editions(world, chat) == [("edition", 20, 0)]


async def test_an_edition_has_the_newest_posts_and_counts_the_others(world: World) -> None:
    await read(world, feed("old"))
    instant, later = await world.chat("1"), await world.chat("2")
    await with_digest(world, later)
    world.clock.advance(300)
    dates = days_before(world, 100, timedelta(seconds=1))
    await read(world, feed(*(f"post {n}" for n in range(100)), dates=dates))
    assert editions(world, instant) == [("edition", 30, 70)]
    sent = world.sql(
        "SELECT p.title FROM ledger l JOIN posts p ON p.id = l.post_id WHERE l.chat_id = ?", instant.id
    )
    assert {title for (title,) in sent} == {f"post {n}" for n in range(70, 100)}
    assert await waiting(world, later) == 100, "a digest counts them itself"
    await world.dispatcher().drain()
    assert "and more" in world.platform.texts(instant)[0]
    # What was left out does not come when the chat wants a digest from now on.
    await with_digest(world, instant)
    assert await waiting(world, instant) == 0
    await read(world, feed(*(f"post {n}" for n in range(100)), "fresh", dates=[*dates, world.clock.now()]))
    assert await waiting(world, instant) == 1


async def test_a_digest_that_is_set_anew_keeps_what_waits(world: World) -> None:
    await read(world, feed("old"))
    chat = await world.chat()
    await with_digest(world, chat)
    await read(world, feed("old", "fresh"))
    async with world.store.write() as work:
        now = world.clock.now()
        await digests.put(work, COMMAND_LINE, chat, digests.Wanted("weekdays 10:00"), "UTC", now)
        await work.commit()
    assert await waiting(world, chat) == 1


# A poll's failure is its source's


async def test_a_store_that_refuses_one_source_stops_no_other(world: World) -> None:
    """As PostgreSQL did with a guid that its index does not take: the error named the whole database."""
    await read(world, feed("old"))
    await read(world, feed("old"), OTHER)
    world.clock.advance(300)
    world.fetcher.pages[FEED] = feed("old", "one")
    world.fetcher.pages[OTHER] = feed("old", "two")
    world.store.outages.append(StoreBusy("the database is locked"))
    results: dict[str, PollResult] = {}
    one_at_a_time = ReadLimits(quick=1)
    poller = Poller(
        world.store,
        world.ingest,
        world.clock,
        lambda result: results.update({result.source.url: result}),
        one_at_a_time,
    )
    await poller.poll_due()
    await poller.idle()
    assert [bool(result.error) for result in results.values()].count(True) == 1
    (failed,) = [url for url, result in results.items() if result.error]
    source = await stored(world, failed)
    assert (source.failures, source.last_error) == (1, "the database is locked")
    assert source.next_poll_at is not None and source.next_poll_at > world.clock.now()


async def test_a_failure_that_cannot_be_recorded_is_tried_again_at_the_next_tick(world: World) -> None:
    await read(world, feed("old"))
    world.clock.advance(300)
    world.fetcher.pages[FEED] = feed("old", "one")
    world.store.outages += [StoreBusy("the database is locked")] * 2
    (result,) = await world.poll_due()
    assert result.error == "the database is locked"
    (result,) = await world.poll_due()
    assert (result.error, result.new) == ("", 1)


async def test_a_header_that_is_no_text_is_not_sent_back(world: World) -> None:
    await read(world, feed("old"))
    source = await stored(world)
    world.fetcher.etag = "\udcff"
    world.fetcher.pages[FEED] = feed("old", "one")
    result = await world.poll(source)
    assert (result.error, result.new) == ("", 1)
    assert (await stored(world)).validators.etag == ""


# A source that nobody follows


async def test_what_came_while_nobody_followed_a_source_is_old_news(world: World) -> None:
    source = await world.source(visibility=Visibility.PRIVATE)
    keeper = Upkeep(world.store, world.clock, Keep())
    await keeper.run()
    world.fetcher.calls.clear()
    world.clock.advance(3 * 24 * 3600)
    assert await world.poll_due() == [] and world.fetcher.calls == []
    chat = await world.chat(follows=[source])
    world.fetcher.pages[FEED] = feed(*(f"post {n}" for n in range(3)))
    (result,) = await world.poll_due()
    assert (result.new, result.deliveries) == (3, 0)
    await read(world, feed(*(f"post {n}" for n in range(3)), "fresh"))
    assert editions(world, chat) == [("post", 1, 0)]


async def test_what_came_before_it_was_made_public_is_old_news_too(world: World) -> None:
    await world.source(visibility=Visibility.PRIVATE)
    chat = await world.chat()
    await Upkeep(world.store, world.clock, Keep()).run()
    world.clock.advance(3 * 24 * 3600)
    world.fetcher.pages[FEED] = feed("one", "two")
    result = await world.ingest.add(FEED, Visibility.PUBLIC)
    assert (result.new, result.deliveries) == (2, 0)
    await read(world, feed("one", "two", "fresh"))
    assert editions(world, chat) == [("post", 1, 0)]
