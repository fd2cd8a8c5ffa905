"""Posts that a database could choke on are stored on both, and what is old news is never sent."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from content.sources import ReadContext
from content.types import Visibility
from scheduler.intake.ingest import Ingest
from scheduler.ports import Store
from scheduler.quotas import Quotas
from scheduler.rhythm import Bounds
from scheduler.types import Digest
from tests.builders import NOW, after, new_post, with_digest
from tests.contracts.world import World, edition
from tests.fakes import FakeClock, FakeFetcher
from tests.scheduler.conftest import inline

FEED = "https://example.org/feed.json"


@pytest.mark.parametrize(
    "item",
    [
        {"id": "urn:" + "".join(f"{n:x}." for n in range(3_000)), "title": "database is locked"},
        {"id": "a\0b\ud800c", "title": "nul \0 and half \ud83d", "tags": ["\0", "\udc00"]},
        {"id": "ok", "title": "ok", "url": "https://example.org/\ud800", "authors": [{"name": "\0"}]},
    ],
)
async def test_a_post_that_an_index_or_a_text_does_not_take_is_stored_and_found(
    store: Store, world: World, item: dict[str, object]
) -> None:
    fetcher, clock = FakeFetcher(), FakeClock()
    ingest = Ingest(
        store,
        ReadContext(fetcher, inline),
        clock,
        Bounds(timedelta(minutes=5), timedelta(minutes=5)),
        lambda: None,
        for_people=fetcher,
        quotas=Quotas(),
    )
    fetcher.pages[FEED] = json.dumps({"items": [{"id": "old", "content_text": "old"}]}).encode()
    source = (await ingest.add(FEED, Visibility.PUBLIC)).source
    hostile = item | {"content_text": "antenna"}
    fetcher.pages[FEED] = json.dumps({"items": [hostile, {"id": "old", "content_text": "old"}]}).encode()
    result = await ingest.poll(source)
    assert (result.error, result.new) == ("", 1)
    assert len(await world.search("antenna")) == 1
    fetcher.pages[FEED] = json.dumps({"title": "again", "items": [hostile]}).encode()
    result = await ingest.poll(result.source)
    assert (result.error, result.new, result.changed) == ("", 0, 0), "it is known"


async def test_old_news_is_stored_and_found_but_never_sent(store: Store, world: World) -> None:
    source = await world.source()
    instant = await world.follower(source, address="1")
    later = await world.follower(source, address="2")
    async with store.write() as work:
        await with_digest(work, Digest(0, later.id, "daily 09:00", "UTC", after(1)))
        await work.commit()
    old = replace(new_post("old", text="antenna"), old_news=True)
    old_id, new_id = await world.publish(source, old, new_post("new", text="antenna"))
    assert await world.waiting(instant) == [(new_id,)]
    async with store.read() as work:
        assert await work.digests.unsent(later.id) == [new_id]
    assert set(await world.search("antenna")) == {old_id, new_id}
    async with store.write() as work:
        assert await work.outbox.fan_out(await edition(work, old_id), source, NOW) == 0
        await work.commit()


async def test_a_post_is_not_lost_to_a_chat_that_gets_a_digest_while_it_is_stored(
    store: Store, world: World
) -> None:
    """It is sent at once or waits for the digest, whichever transaction comes first; never neither."""
    source, other = await world.source("feed"), await world.source("other")
    chat = await world.follower(source, other)

    async def schedule() -> None:
        await world.posts(other, "committed meanwhile, with a higher number")
        async with store.write() as work:
            await with_digest(work, Digest(0, chat.id, "daily 09:00", "UTC", after(1)))
            await work.commit()

    async with store.write() as work:
        (post,) = await work.posts.insert(source.id, [new_post("stored")], NOW)
        scheduling = asyncio.create_task(schedule())
        await asyncio.wait({scheduling}, timeout=1)  # as far as it comes; it has to wait for this one
        await work.outbox.fan_out(await edition(work, post), source, NOW)
        await work.commit()
    await scheduling
    async with store.read() as work:
        waiting = await work.digests.unsent(chat.id)
    assert (await world.waiting(chat) == [(post,)]) is not (post in waiting)
