"""From a feed to the outbox: what is new, who gets it, and what a broken source does not break."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar, TypeVarTuple
from weakref import WeakSet

import pytest

from content.errors import AddressRefused, FetchError, ParseError, ParserKilled, SourceGone, UsageError
from content.fetch import ServerBusy
from content.sources import Choice, Read, ReadContext
from content.sources.kinds import FULL_TEXT
from content.types import NO_HINTS, Hints, ParsedSource, Source, SourceState, Validators, Visibility
from scheduler import membership
from scheduler.actions.audit import Actor
from scheduler.intake.ingest import Ingest
from scheduler.intake.listed import add_each
from scheduler.intake.source_state import ReadTimes, after_read
from scheduler.intake.storing import PollResult
from scheduler.quotas import Quotas
from scheduler.rhythm import Bounds
from scheduler.types import Chat, ChatState, Place
from tests.emulators.sites import alternate, page
from tests.fakes import FakeFetcher
from tests.scheduler.conftest import FEED, World, inline, json_feed

T = TypeVar("T")
Args = TypeVarTuple("Args")

OTHER = "https://other.example.net/feed.json"
FIVE_MINUTES = Bounds(timedelta(minutes=5), timedelta(minutes=5))


async def stored(world: World, url: str = FEED) -> Source:
    async with world.store.read() as work:
        source = await work.sources.by_url(url)
    assert source is not None
    return source


def kinds(world: World, chat: Chat) -> list[tuple[str, int]]:
    """Kind and number of posts of what a chat is owed, oldest first."""
    return world.sql(
        "SELECT b.kind, count(l.post_id) FROM deliveries d JOIN broadcasts b ON b.id = d.broadcast_id"
        " LEFT JOIN ledger l ON l.delivery_id = d.id WHERE d.chat_id = ? GROUP BY d.id ORDER BY d.id",
        chat.id,
    )


# 5: no floods


async def test_the_first_poll_fans_out_nothing(world: World) -> None:
    chat = await world.chat()
    world.fetcher.pages[FEED] = json_feed("one", "two")
    result = await world.ingest.add(FEED, Visibility.PUBLIC)
    assert (result.new, result.deliveries) == (2, 0)
    assert world.ledger(chat) == {} and world.wakes == 0


async def test_the_first_poll_after_failures_fans_out_nothing_either(world: World) -> None:
    chat = await world.chat()
    async with world.store.write() as work:
        source = await work.sources.add("feed", FEED, "", Visibility.PUBLIC)
        await work.commit()
    assert (await world.poll(source)).error
    await world.publish("one", "two")
    assert world.ledger(chat) == {}
    assert (await world.publish("one", "two", "three")).deliveries == 1
    assert world.ledger(chat) == {"three": "reserved"} and world.wakes == 1


async def test_a_new_subscription_starts_after_the_newest_post(world: World) -> None:
    source = await world.source()
    await world.publish("one")
    chat, everything = await world.chat("1", follows=[source]), await world.chat("2")
    await world.publish("one", "two")
    assert world.ledger(chat) == world.ledger(everything) == {"two": "reserved"}
    async with world.store.read() as work:
        (subscription,) = await work.subscriptions.of(chat.id)
    assert world.sql("SELECT text FROM posts WHERE id = ?", subscription.starts_after) == [("one",)]


async def test_more_than_five_posts_become_one_edition(world: World) -> None:
    await world.source()
    chat = await world.chat()
    posts = [f"post {n}" for n in range(11)]
    await world.publish(*posts[:5])
    assert kinds(world, chat) == [("post", 1)] * 5
    await world.publish(*posts)
    assert kinds(world, chat)[5:] == [("edition", 6)]


async def test_a_chat_that_is_gone_is_owed_nothing_and_starts_anew(world: World) -> None:
    await world.source()
    chat = await world.chat()
    async with world.store.write() as work:
        await membership.deactivate(work, chat, "blocked", world.clock.now())
        await work.commit()
    await world.publish("one")
    assert world.ledger(chat) == {}
    async with world.store.write() as work:
        await membership.reactivate(work, await world.again(chat), world.clock.now())
        await work.commit()
    await world.publish("one", "two")
    assert world.ledger(chat) == {"two": "reserved"}


async def test_a_paused_chat_is_still_owed(world: World) -> None:
    await world.source()
    chat = await world.chat()
    async with world.store.write() as work:
        await work.chats.set_state(chat.id, ChatState.PAUSED, "no rights")
        await work.commit()
    await world.publish("one")
    assert world.ledger(chat) == {"one": "reserved"}


# 13: private sources


async def test_a_private_source_goes_to_its_followers_only(world: World) -> None:
    source = await world.source(visibility=Visibility.PRIVATE)
    follower, everybody = await world.chat("1", follows=[source]), await world.chat("2")
    await world.publish("secret")
    assert world.ledger(follower) == {"secret": "reserved"}
    assert world.ledger(everybody) == {}


async def test_the_operator_makes_a_private_source_public(world: World) -> None:
    await world.source(visibility=Visibility.PRIVATE)
    chat = await world.chat()
    assert (await world.ingest.add(FEED, Visibility.PUBLIC)).before is Visibility.PRIVATE
    await world.publish("open")
    assert world.ledger(chat) == {"open": "reserved"}
    await world.ingest.add(FEED, Visibility.PRIVATE)  # somebody subscribes to it by its URL
    assert (await stored(world)).visibility is Visibility.PUBLIC


# 2: overlap


async def test_a_post_of_two_sources_is_promised_once(world: World) -> None:
    await world.source()
    await world.source(OTHER)
    chat = await world.chat()
    await world.publish("shared")
    result = await world.publish("shared", url=OTHER)
    assert (result.new, result.deliveries) == (1, 0)
    assert kinds(world, chat) == [("post", 1)]


async def test_a_changed_post_is_stored_and_not_sent_again(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await world.publish("one")
    world.fetcher.pages[FEED] = world.fetcher.pages[FEED].replace(b'_text": "one"', b'_text": "one, mended"')
    result = await world.poll(await stored(world))
    assert (result.new, result.changed, result.deliveries) == (0, 1, 0)
    assert world.ledger(chat) == {"one, mended": "reserved"}


# 6: no transaction across the network


async def test_no_unit_of_work_is_open_while_fetching(world: World) -> None:
    open_units: list[int] = []

    async def look(url: str) -> None:
        open_units.append(world.store.open_here)

    world.fetcher.on_fetch = look
    await world.source()
    await world.publish("one")
    world.clock.advance(3600)
    await world.poll_due()
    assert open_units == [0, 0, 0]


# Polling


async def test_only_what_is_due_is_polled(world: World) -> None:
    await world.source()
    await world.source(OTHER)
    world.fetcher.calls.clear()
    assert await world.poll_due() == []
    async with world.store.write() as work:
        await work.sources.set_state((await stored(world, OTHER)).id, SourceState.PAUSED)
        await work.commit()
    world.clock.advance(300)
    assert [result.source.url for result in await world.poll_due()] == [FEED]
    assert world.fetcher.calls == [FEED]


async def test_an_unchanged_source_is_polled_again_after_its_interval(world: World) -> None:
    source = await world.source()
    await world.publish("one")
    world.clock.advance(60)
    result = await world.poll(await stored(world))
    assert (result.new, result.error) == (0, "")
    now = await stored(world)
    assert now.next_poll_at == world.clock.now() + timedelta(minutes=5)
    assert now.polled_at == world.clock.now() and now.id == source.id


async def test_a_failing_source_is_polled_less_and_recovers(world: World) -> None:
    await world.source()
    world.fetcher.faults[FEED] = FetchError("https://example.org answered 500")
    waits = []
    for _ in range(3):
        result = await world.poll(await stored(world))
        assert result.error == "https://example.org answered 500"
        source = await stored(world)
        assert source.next_poll_at is not None
        waits.append(source.next_poll_at - world.clock.now())
    assert waits == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20)]
    assert (source.failures, source.last_error) == (3, "https://example.org answered 500")
    del world.fetcher.faults[FEED]
    await world.publish("one")
    source = await stored(world)
    assert (source.failures, source.last_error) == (0, "")


async def test_what_was_read_is_not_kept_until_its_failure_is_stored(world: World) -> None:
    """Many failures may wait for the database, and each had a body of up to megabytes."""

    class Body: ...

    bodies, kept = WeakSet[Body](), list[int]()

    async def breaks_off(_: str) -> None:
        arrived = Body()
        bodies.add(arrived)
        try:
            raise OSError("broken off")
        except OSError as exc:
            raise FetchError("the answer broke off") from exc

    async def storing() -> None:
        kept.append(len(bodies))

    await world.source()
    source = await stored(world)
    world.fetcher.on_fetch, world.store.on_write = breaks_off, storing
    assert (await world.ingest.poll(source)).error
    assert kept == [0]


async def test_a_busy_server_is_left_alone_as_long_as_it_asks(world: World) -> None:
    await world.source()
    world.fetcher.faults[FEED] = ServerBusy("busy", timedelta(hours=3))
    await world.poll(await stored(world))
    assert (await stored(world)).next_poll_at == world.clock.now() + timedelta(hours=3)


async def test_a_source_that_is_gone_for_good_is_paused_until_somebody_resumes_it(world: World) -> None:
    source = await world.source()
    world.fetcher.faults[FEED] = SourceGone("https://example.org answered 410")
    await world.poll(source)
    world.fetcher.calls.clear()
    world.clock.advance(timedelta(days=30).total_seconds())
    assert await world.poll_due() == [] and world.fetcher.calls == []
    gone = await stored(world)
    assert (gone.state, gone.last_error) == (SourceState.PAUSED, "https://example.org answered 410")
    del world.fetcher.faults[FEED]
    async with world.store.write() as work:
        await work.sources.set_state(source.id, SourceState.ACTIVE)
        await work.commit()
    (result,) = await world.poll_due()
    assert (result.source.state, result.source.last_error) == (SourceState.ACTIVE, "")


# Sources that move


NEW = "https://new.example.org/feed.json"


async def read_after(world: World, hours: float, *texts: str) -> Source:
    """Hours later: read the source, wherever it is stored; its feed has posts of these texts by now."""
    world.clock.advance(hours * 3600)
    if texts:
        world.fetcher.pages[NEW] = world.fetcher.pages[FEED] = json_feed(*texts)
    async with world.store.read() as work:
        source = (await work.sources.all())[-1]
    result = await world.poll(source)
    assert not result.error
    return result.source


async def test_an_address_that_is_named_for_good_for_a_day_is_taken_over(world: World) -> None:
    source, chat = await world.source(), await world.chat()
    world.fetcher.moved[FEED] = NEW
    first = await read_after(world, 0, "one")
    assert (first.url, first.moved_to, first.moved_since) == (FEED, NEW, world.clock.now())
    assert (await read_after(world, 23)).url == FEED
    moved = await read_after(world, 1)
    assert (moved.id, moved.url, moved.moved_to, moved.moved_since) == (source.id, NEW, "", None)
    assert await stored(world, NEW) == moved
    await read_after(world, 1, "one", "two")
    assert world.fetcher.calls[-1] == NEW
    assert world.ledger(chat) == {"one": "reserved", "two": "reserved"}


async def test_a_read_without_the_redirect_and_another_address_begin_the_day_anew(world: World) -> None:
    await world.source()
    world.fetcher.moved[FEED] = NEW
    await read_after(world, 0, "one")
    del world.fetcher.moved[FEED]
    assert (await read_after(world, 20)).moved_since is None
    world.fetcher.moved[FEED] = NEW
    assert (await read_after(world, 20)).url == FEED
    world.fetcher.moved[FEED] = OTHER
    world.fetcher.pages[OTHER] = world.fetcher.pages[FEED]
    source = await read_after(world, 25)
    assert (source.url, source.moved_to, source.moved_since) == (FEED, OTHER, world.clock.now())


async def test_an_address_that_another_source_has_is_not_taken_over(world: World) -> None:
    await world.source(NEW)
    await world.source()
    world.fetcher.moved[FEED] = NEW
    await read_after(world, 0, "one")
    assert (await read_after(world, 100)).url == FEED


async def test_an_address_that_the_guard_refuses_is_not_taken_over(world: World) -> None:
    await world.source()
    world.fetcher.moved[FEED] = NEW
    await read_after(world, 0, "one")
    world.clock.advance(48 * 3600)
    world.fetcher.faults[FEED] = AddressRefused("10.0.0.1 is not a public address")
    await world.poll(await stored(world))
    assert (await stored(world)).failures == 1


async def test_who_added_a_source_is_recorded_with_it(world: World) -> None:
    world.fetcher.pages[FEED] = json_feed("one")
    await world.ingest.add(FEED, Visibility.PRIVATE, by=Actor("fake:7", Place("fake", "1"), limited=True))
    await world.ingest.add(FEED, Visibility.PRIVATE, by=Actor("fake:8", Place("fake", "1"), limited=True))
    assert world.sql("SELECT actor, action FROM audit") == [("fake:7", "source added")]


async def test_what_cannot_be_read_is_not_added(world: World) -> None:
    with pytest.raises(FetchError):
        await world.ingest.add(FEED, Visibility.PRIVATE)
    with pytest.raises(UsageError):
        await world.ingest.add("no source at all", Visibility.PRIVATE)
    async with world.store.read() as work:
        assert await work.sources.all() == []


async def test_checking_stores_nothing(world: World) -> None:
    world.fetcher.pages[FEED] = json_feed("one")
    found = await world.ingest.check("HTTPS://Example.org/feed.json#top")
    assert found.url == FEED and [post.guid for post in found.parsed.posts] == ["one"]
    async with world.store.read() as work:
        assert await work.sources.all() == []


async def test_a_given_title_stays(world: World) -> None:
    world.fetcher.pages[FEED] = json_feed("one")
    await world.ingest.add(FEED, Visibility.PUBLIC, title="mine")
    await world.publish("one", "two")
    assert (await stored(world)).title == "mine"


async def test_what_people_change_during_a_poll_stays(world: World) -> None:
    await world.source(visibility=Visibility.PRIVATE)
    chat = await world.chat()

    async def make_public(url: str) -> None:
        world.fetcher.on_fetch = quiet
        await world.ingest.add(FEED, Visibility.PUBLIC)

    async def quiet(url: str) -> None:
        return

    world.fetcher.on_fetch = make_public
    await world.publish("open")
    assert (await stored(world)).visibility is Visibility.PUBLIC
    assert world.ledger(chat) == {"open": "reserved"}


@pytest.mark.parametrize("body", [json_feed("one"), b"no feed"])
async def test_a_source_that_is_removed_during_its_poll_stays_removed(world: World, body: bytes) -> None:
    source = await world.source()
    world.fetcher.pages[FEED] = body

    async def remove(url: str) -> None:
        async with world.store.write() as work:
            await work.sources.remove(source.id)
            await work.commit()

    world.fetcher.on_fetch = remove
    result = await world.poll(source)
    assert (result.new, result.deliveries) == (0, 0)
    async with world.store.read() as work:
        assert await work.sources.all() == []


async def test_a_source_that_trips_over_a_bug_stops_no_other(world: World) -> None:
    await world.source()
    await world.source(OTHER)
    world.clock.advance(300)

    async def trip(url: str) -> None:
        if url == FEED:
            raise ValueError("a bug")

    world.fetcher.on_fetch = trip
    world.fetcher.pages[OTHER] = json_feed("one")
    results = {result.source.url: result for result in await world.poll_due()}
    assert results[OTHER].new == 1
    assert results[FEED].error == "internal error: ValueError"
    assert (await stored(world)).next_poll_at == world.clock.now() + timedelta(minutes=5)


async def test_many_sources_are_polled_side_by_side(world: World) -> None:
    urls = [f"https://example.org/{n}.json" for n in range(50)]
    for url in urls:
        await world.source(url)
    world.clock.advance(300)
    results = await world.poll_due()
    assert sorted(result.source.url for result in results) == sorted(urls)


async def test_what_people_add_is_read_from_outside_alone(world: World) -> None:
    outside = FakeFetcher(pages={FEED: json_feed("one")})
    ingest = Ingest(
        world.store,
        ReadContext(world.fetcher, inline),
        world.clock,
        FIVE_MINUTES,
        lambda: None,
        for_people=outside,
        quotas=Quotas(),
    )
    added = await ingest.add(FEED, Visibility.PRIVATE, by=Actor("fake:7", limited=True))
    await ingest.poll(added.source)
    assert (outside.calls, world.fetcher.calls) == ([FEED, FEED], [])
    world.fetcher.pages[FEED] = json_feed("one")
    mine = await ingest.add(FEED, Visibility.PUBLIC)
    await ingest.poll(mine.source)
    assert (len(outside.calls), world.fetcher.calls) == (2, [FEED, FEED])
    assert mine.source.added_by == ""


class Killer:
    """A parser that is killed by whatever it reads."""

    async def call(self, source: str, function: Callable[[*Args], T], *args: *Args) -> T:
        raise ParserKilled(f"{source} took too long to read")


async def test_a_source_that_had_to_be_killed_waits_an_hour_at_least(world: World) -> None:
    await world.source(FEED)
    world.clock.advance(300)
    context = ReadContext(world.fetcher, inline, parser=Killer())
    world.fetcher.pages[FEED] = json_feed("hostile")
    fetcher = world.fetcher
    ingest = Ingest(
        world.store, context, world.clock, FIVE_MINUTES, lambda: None, for_people=fetcher, quotas=Quotas()
    )
    result = await ingest.poll(await stored(world))
    assert "took too long" in result.error
    saved = await stored(world)
    assert saved.next_poll_at is not None and saved.next_poll_at >= world.clock.now() + timedelta(hours=1)


async def test_a_source_is_read_as_often_as_it_posts_and_asks(world: World) -> None:
    world.longest = timedelta(hours=6)
    await world.source()

    async def wait_after(days: float) -> timedelta:
        world.clock.advance(days * 86400)
        result = await world.ingest.poll(await stored(world))
        assert result.source.next_poll_at is not None and not result.error
        return result.source.next_poll_at - world.clock.now()

    # Nothing for two months; then a post, after which it is quick, unless the server asks for patience.
    assert await wait_after(60) > timedelta(hours=4)
    await world.publish("one")
    assert await wait_after(0.001) == timedelta(minutes=5)
    world.fetcher.hints = Hints(timedelta(hours=2))
    assert await wait_after(0.001) == timedelta(hours=2)
    world.fetcher.hints = NO_HINTS
    assert await wait_after(0.001) == timedelta(minutes=5)


async def test_what_a_feed_states_counts_although_an_unchanged_answer_does_not_repeat_it(
    world: World,
) -> None:
    world.longest = timedelta(hours=6)
    source = (await world.ingest.poll(await world.source())).source
    async with world.store.write() as work:
        await work.sources.save(replace(source, rhythm=replace(source.rhythm, stated=3600)))
        await work.commit()
    result = await world.ingest.poll(await stored(world))
    assert result.source.next_poll_at == world.clock.now() + timedelta(hours=1)


@pytest.mark.parametrize("stated", [timedelta.max, timedelta.min, timedelta(), timedelta(days=10**6), None])
async def test_whatever_a_feed_states_its_next_read_is_within_the_bounds(
    world: World, stated: timedelta | None
) -> None:
    source = await world.source()
    bounds = Bounds(timedelta(minutes=5), timedelta(hours=6))
    times = ReadTimes(world.clock.now(), world.clock.now(), 0.1)
    known = after_read(source, Read(ParsedSource(hints=Hints(stated)), Validators()), times, bounds)
    later = after_read(known, Read(None, Validators()), times, bounds)
    for read in (known, later):
        assert read.next_poll_at is not None
        assert timedelta(minutes=5) <= read.next_poll_at - world.clock.now() <= timedelta(hours=6)


async def test_a_folder_is_read_at_the_shortest_interval(world: World, tmp_path: Path) -> None:
    world.longest = timedelta(hours=6)
    (tmp_path / "note.md").write_text("# Note\n\nText.")
    source = (await world.ingest.add(str(tmp_path), Visibility.PUBLIC)).source
    world.clock.advance(90 * 86400)
    result = await world.ingest.poll(source)
    assert result.source.next_poll_at == world.clock.now() + timedelta(minutes=5)


# Addresses


async def test_only_addresses_that_people_type_are_searched(world: World) -> None:
    """A list of feeds may have thousands: each costs one request."""
    home = "https://blog.example.org/"
    world.fetcher.pages |= {home: page(alternate(FEED)).encode(), FEED: json_feed("one")}
    (listed,) = [one async for one in add_each(world.ingest, {home: ()}, Visibility.PUBLIC, exact=True)]
    assert isinstance(listed[1], ParseError) and world.fetcher.calls == [home]
    (typed,) = [one async for one in add_each(world.ingest, {home: ()}, Visibility.PUBLIC, exact=False)]
    assert isinstance(typed[1], PollResult) and typed[1].source.url == FEED and typed[1].new == 1


async def test_a_kind_that_was_chosen_is_not_searched_for_feeds(world: World) -> None:
    home = "https://github.com/radio/antenna"
    world.fetcher.pages[home] = page(alternate(FEED)).encode()
    with pytest.raises(ParseError):
        await world.ingest.find(home, choice=Choice("feed"))
    assert world.fetcher.calls == [home]


async def test_the_options_of_a_feed_hold_for_the_one_that_is_found(world: World) -> None:
    home = "https://blog.example.org/"
    world.fetcher.pages |= {home: page(alternate(FEED)).encode(), FEED: json_feed("one")}
    found = await world.ingest.find(home, choice=Choice(options={FULL_TEXT: ""}))
    added = await world.ingest.add_found(found, Visibility.PUBLIC)
    assert added.source.url == FEED and added.source.options.values == {FULL_TEXT: True}


async def test_the_known_forms_of_an_address(world: World) -> None:
    ingest = world.ingest
    assert ingest.stored_forms(FEED.upper().replace("/FEED.JSON", "/feed.json#top")) == [FEED]
    forms = ingest.stored_forms("github.com/radio/antenna")
    assert forms == [f"https://github.com/radio/antenna{end}" for end in ("", "/releases.atom", "/tags.atom")]
    with pytest.raises(UsageError, match="RSSHub"):
        ingest.stored_forms("rsshub://a/b")


async def test_a_site_that_is_busy_is_added_by_its_feed_and_tried_again(world: World) -> None:
    feed = "https://www.reddit.com/r/radio/.rss"
    world.fetcher.faults[feed] = ServerBusy(f"{feed} answered 429")
    with pytest.raises(ServerBusy):
        await world.ingest.find("https://reddit.com/r/radio")
    found = await world.ingest.find("https://reddit.com/r/radio", waits=True)
    added = await world.ingest.add_found(found, Visibility.PUBLIC)
    assert (added.source.url, added.source.failures) == (feed, 1) and "429" in added.error
