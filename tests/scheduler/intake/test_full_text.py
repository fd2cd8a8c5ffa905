"""A source with the option `full-text`: which posts get their articles, and what that never changes."""

import json
from collections.abc import Iterable

from content.errors import FetchError
from content.sources import Choice, ReadContext
from content.types import Options, Validators, Visibility
from scheduler.actions import sources
from scheduler.actions.audit import COMMAND_LINE, Actor
from scheduler.intake.full_text import MOST, MOST_AT_FIRST
from scheduler.intake.ingest import Ingest
from scheduler.intake.storing import PollResult
from scheduler.quotas import Quotas
from scheduler.rhythm import Bounds
from tests.fakes import FakeFetcher
from tests.scheduler.conftest import FEED, World, inline

LONG = "A paragraph of the whole article, with enough words for an extractor to take it for one."
CHOICE = Choice(options={"full-text": ""})


def link(number: int) -> str:
    return f"https://example.org/posts/{number}"


def publish(world: World, numbers: Iterable[int], teaser: str = "teaser") -> None:
    items = [
        {"id": str(n), "url": link(n), "content_text": f"{teaser} {n}", "date_published": f"2025-07-{n:02}"}
        for n in numbers
    ]
    world.fetcher.pages[FEED] = json.dumps({"title": "Example", "items": items}).encode()


def articles(world: World, numbers: Iterable[int], text: str = LONG) -> None:
    for n in numbers:
        page = f"<html><body><article><p>{text} Number {n}.</p><p>{LONG}</p></article></body></html>"
        world.fetcher.pages[link(n)] = page.encode()


def asked(world: World) -> list[str]:
    """The articles that were fetched since this was asked last."""
    links = [url for url in world.fetcher.calls if url != FEED]
    world.fetcher.calls.clear()
    return links


async def poll(world: World) -> PollResult:
    async with world.store.read() as work:
        source = await work.sources.by_url(FEED)
    assert source is not None
    return await world.ingest.poll(source)


def is_full(world: World) -> dict[str, bool]:
    return {guid: "paragraph" in text for guid, text in world.sql("SELECT guid, text FROM posts")}


async def test_a_first_read_takes_the_newest_and_later_ones_each_article_once(world: World) -> None:
    publish(world, range(1, 13))
    articles(world, range(1, 31))
    result = await world.ingest.add(FEED, Visibility.PUBLIC, choice=CHOICE)
    assert (result.source.options, result.new) == (Options(1, {"full-text": True}), 12)
    assert asked(world) == [link(n) for n in range(12, 2, -1)] and MOST_AT_FIRST == 10
    await poll(world)
    publish(world, range(1, 14))
    await poll(world)
    assert asked(world) == [link(13)]
    assert [n for n, full in is_full(world).items() if not full] == ["1", "2"]


async def test_of_many_new_posts_the_newest_get_their_articles(world: World) -> None:
    publish(world, [1])
    articles(world, range(1, 31))
    await world.ingest.add(FEED, Visibility.PUBLIC, choice=CHOICE)
    asked(world)
    publish(world, range(1, 31))
    await poll(world)
    assert asked(world) == [link(n) for n in range(30, 30 - MOST, -1)]


async def test_an_article_that_cannot_be_got_leaves_the_teaser_and_a_warning(world: World) -> None:
    await world.chat()
    publish(world, [1])
    await world.ingest.add(FEED, Visibility.PUBLIC, choice=CHOICE)
    world.fetcher.faults[link(2)] = FetchError("it answered 403: access is refused")
    publish(world, [1, 2])
    result = await poll(world)
    assert (result.new, result.deliveries, result.error) == (1, 1, "")
    (failure,) = result.source.unread
    assert failure.name == link(2)
    assert failure.reason == "its article could not be got: it answered 403: access is refused"
    assert world.sql("SELECT text FROM posts WHERE guid = '2'") == [("teaser 2",)]


async def test_only_a_change_of_the_feed_is_a_change_and_no_teaser_replaces_an_article(world: World) -> None:
    publish(world, [1])
    articles(world, [1])
    await world.ingest.add(FEED, Visibility.PUBLIC, choice=CHOICE)
    articles(world, [1], "An edited article, which nobody looks at: a paragraph of it.")
    publish(world, [1, 2])
    assert (await poll(world)).changed == 0
    publish(world, [1, 2], "another teaser")
    assert (await poll(world)).changed == 2
    ((first,),) = world.sql("SELECT text FROM posts WHERE guid = '1'")
    assert first.startswith("An edited article")
    del world.fetcher.pages[link(1)]
    publish(world, [1, 2], "a third teaser")
    assert (await poll(world)).changed == 2
    assert world.sql("SELECT text FROM posts WHERE guid = '1'") == [(first,)]
    assert world.sql("SELECT text FROM posts WHERE guid = '2'") == [("a third teaser 2",)]


async def test_other_sources_fetch_no_articles(world: World) -> None:
    publish(world, [1])
    articles(world, [1])
    await world.ingest.add(FEED, Visibility.PUBLIC)
    assert asked(world) == [] and is_full(world) == {"1": False}


async def test_options_of_a_source_can_be_set_and_are_recorded(world: World) -> None:
    publish(world, [1])
    articles(world, [1, 2])
    await world.ingest.add(FEED, Visibility.PUBLIC)
    source = (await poll(world)).source
    assert source.validators != Validators()
    for typed in ("yes", "yes", "no", "yes"):
        async with world.store.write() as work:
            given = {"full-text": typed}
            source = await sources.set_options(work, COMMAND_LINE, source, given, world.clock.now())
            await work.commit()
        assert source.validators == Validators(), "the next read is a whole one"
    set_to = world.sql("SELECT target FROM audit WHERE action = 'source set' ORDER BY id")
    assert set_to == [(f"Example full-text={typed}",) for typed in ("yes", "no", "yes")]
    publish(world, [1, 2])
    await poll(world)
    assert asked(world) == [link(2)]


async def test_articles_of_a_source_that_people_add_are_fetched_outside_alone(world: World) -> None:
    publish(world, [1])
    articles(world, [1, 2])
    outside = FakeFetcher(pages=world.fetcher.pages)
    bounds = Bounds(world.interval, world.interval)
    context = ReadContext(world.fetcher, inline)
    ingest = Ingest(
        *(world.store, context, world.clock, bounds, lambda: None), for_people=outside, quotas=Quotas()
    )
    by = Actor("fake:7", limited=True)
    source = (await ingest.add(FEED, Visibility.PRIVATE, by=by, choice=CHOICE)).source
    publish(world, [1, 2])
    await ingest.poll(source)
    assert (outside.calls, world.fetcher.calls) == ([FEED, link(1), FEED, link(2)], [])
