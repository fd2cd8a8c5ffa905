"""Sources: what is stored of them, who sees them, and what goes with them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from content.types import (
    OF_OPERATORS,
    UPDATES,
    Failure,
    Options,
    PostQuery,
    Rhythm,
    SourceState,
    Validators,
    Visibility,
)
from scheduler.ports import Store
from tests.builders import NOW, after, new_post
from tests.contracts.world import World


async def test_a_source_is_found_by_id_and_url(world: World, store: Store) -> None:
    source = await world.source("feed")
    async with store.read() as work:
        assert await work.sources.get(source.id) == source
        assert await work.sources.by_url("https://example.org/feed") == source
        assert await work.sources.get(source.id + 1) is None
        assert await work.sources.by_url("https://example.org/other") is None


async def test_save_keeps_what_a_poll_learned(world: World, store: Store) -> None:
    source = await world.source()
    polled = replace(
        source,
        title="Its own title",
        tags=("Radio", "Friends"),
        validators=Validators("etag", "Sun, 01 Mar 2026 12:00:00 GMT", "hash"),
        next_poll_at=after(5),
        polled_at=NOW,
        failures=3,
        failing_since=NOW,
        trouble_told=True,
        last_error="it timed out",
        rhythm=Rhythm(NOW, 2.71, 12345.6, (0.0, 1.5, *[0.0] * 22), (0.99,) * 7, 3600.0),
        visibility=Visibility.PRIVATE,
        unread=(Failure("a.md", "line 3: no date"), Failure("b/c.md", "line 1 is not UTF-8")),
        moved_to="https://example.net/feed",
        moved_since=NOW,
    )
    async with store.write() as work:
        await work.sources.save(polled)
        await work.commit()
    async with store.read() as work:
        assert await work.sources.get(source.id) == polled


async def test_reads_that_found_nothing_are_noted_but_not_over_what_a_person_asked(
    world: World, store: Store
) -> None:
    fresh, again, resumed, other = [await world.source(name) for name in ("a", "b", "c", "d")]
    async with store.write() as work:
        again, resumed = (replace(source, next_poll_at=NOW) for source in (again, resumed))
        await work.sources.save(again, resumed)
        await work.sources.set_state(resumed.id, SourceState.ACTIVE)
        await work.sources.save(replace(fresh, title="A title given meanwhile"))
        read = [
            (one, replace(one, next_poll_at=after(5), polled_at=after(1), read_seconds=0.5))
            for one in (fresh, again, resumed)
        ]
        await work.sources.note_reads(read)
        await work.commit()
    async with store.read() as work:
        (_, first), (_, second), _ = read
        assert await work.sources.get(fresh.id) == replace(first, title="A title given meanwhile")
        assert await work.sources.get(again.id) == second
        assert await work.sources.get(resumed.id) == replace(resumed, next_poll_at=None)
        assert await work.sources.get(other.id) == other


async def test_options_are_stored_as_they_are_given(store: Store) -> None:
    given = Options(2, {"selector": "article h2", "limits": [1, 2], "deep": {"pages": 3}})
    async with store.write() as work:
        url = "https://example.org/options"
        source = await work.sources.add("feed", url, "", Visibility.PUBLIC, options=given)
        await work.commit()
    assert source.options == given
    changed = replace(source, options=Options(3, {"selector": "h2"}))
    async with store.write() as work:
        assert await work.sources.get(source.id) == source
        await work.sources.save(changed)
        await work.commit()
    async with store.read() as work:
        assert await work.sources.get(source.id) == changed


async def test_what_admins_write_is_not_polled(world: World, store: Store) -> None:
    feed, paused = await world.source("feed"), await world.source("paused")
    async with store.write() as work:
        await work.sources.set_state(paused.id, SourceState.PAUSED)
        updates = await work.sources.add(UPDATES, OF_OPERATORS, "updates", Visibility.PUBLIC)
        await work.sources.save(replace(updates, polled_at=after(9)))
        await work.commit()
    async with store.read() as work:
        assert [source.id for source in await work.sources.polled()] == [feed.id]
        assert [source.id for source in await work.sources.due(NOW)] == [feed.id]
        assert await work.sources.last_read() is None
        assert updates.id in {source.id for source in await work.sources.all()}


async def test_a_poll_that_ends_after_a_pause_does_not_undo_it(world: World, store: Store) -> None:
    source = await world.source()
    async with store.write() as work:
        await work.sources.set_state(source.id, SourceState.PAUSED)
        await work.sources.save(replace(source, polled_at=NOW))
        await work.commit()
    async with store.read() as work:
        stored = await work.sources.get(source.id)
        assert stored is not None and stored.state is SourceState.PAUSED
        assert await work.sources.due(NOW) == []


async def test_a_source_is_due_at_its_time_and_while_it_is_active(world: World, store: Store) -> None:
    fresh, due, later, paused = [await world.source(name) for name in ("fresh", "due", "later", "paused")]
    async with store.write() as work:
        await work.sources.save(replace(due, next_poll_at=NOW))
        await work.sources.save(replace(later, next_poll_at=after(1)))
        await work.sources.set_state(paused.id, SourceState.PAUSED)
        await work.commit()
    async with store.read() as work:
        assert [source.id for source in await work.sources.due(NOW)] == [fresh.id, due.id]


async def test_due_sources_that_are_read_in_parts_are_each_found_once(
    world: World, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.sources.DUE", 2)
    for name in ("a", "b", "c", "d"):
        await world.source(name)
        async with store.read() as work:
            known = [source.id for source in await work.sources.all()]
            assert [source.id for source in await work.sources.due(NOW)] == known


async def test_a_source_that_is_taken_up_again_is_due_at_once(world: World, store: Store) -> None:
    source = await world.source()
    async with store.write() as work:
        await work.sources.save(replace(source, next_poll_at=after(60)))
        await work.sources.set_state(source.id, SourceState.ACTIVE)
        await work.commit()
    async with store.read() as work:
        assert [due.id for due in await work.sources.due(NOW)] == [source.id]


async def test_a_chat_sees_public_sources_and_the_private_ones_it_follows(world: World, store: Store) -> None:
    public = await world.source("public")
    mine = await world.source("mine", Visibility.PRIVATE)
    await world.source("theirs", Visibility.PRIVATE)
    chat = await world.follower(mine)
    everything = await world.follower(None, address="200")
    async with store.read() as work:
        assert [seen.id for seen in await work.sources.visible_to(chat.id)] == [public.id, mine.id]
        assert [seen.id for seen in await work.sources.visible_to(everything.id)] == [public.id]
        assert len(await work.sources.all()) == 3


async def test_examples_are_there_only_while_they_are_alone(world: World, store: Store) -> None:
    example = await world.source("example", Visibility.EXAMPLE)
    chat = await world.chat()
    async with store.read() as work:
        assert await work.sources.visible_to(chat.id) == [example]
        assert await work.sources.all() == [example]
    public = await world.source("public")
    async with store.read() as work:
        assert await work.sources.visible_to(chat.id) == [public]
        assert await work.sources.all() == [public]


async def test_a_private_source_hides_the_examples_from_those_alone_who_follow_it(
    world: World, store: Store
) -> None:
    example = await world.source("example", Visibility.EXAMPLE)
    (shown,) = await world.posts(example, new_post("shown", text="antenna"))
    private = await world.source("private", Visibility.PRIVATE)
    follower, other = await world.follower(private, address="1"), await world.chat("2")
    async with store.read() as work:
        assert await work.sources.visible_to(follower.id) == [private]
        assert await work.sources.visible_to(other.id) == [example]
    assert not await world.search("antenna", PostQuery(follower.id))
    assert list(await world.search("antenna", PostQuery(other.id))) == [shown]


async def test_removing_a_source_takes_everything_of_it_along(world: World, store: Store) -> None:
    source, other = await world.source("feed"), await world.source("other")
    chat = await world.follower(source, other)
    await world.posts(source, new_post("gone", text="antenna"))
    (kept,) = await world.posts(other, new_post("kept", text="antenna"))
    async with store.write() as work:
        await work.sources.remove(source.id)
        await work.commit()
    async with store.read() as work:
        assert await work.sources.all() == [other]
        assert (await work.posts.known([source.id]))[source.id] == []
        assert [subscription.source_id for subscription in await work.subscriptions.of(chat.id)] == [other.id]
    assert await world.search("antenna") == (kept,)


async def test_a_source_can_be_added_again_after_its_removal(world: World, store: Store) -> None:
    first = await world.source()
    (old,) = await world.posts(first, new_post(text="antenna"))
    async with store.write() as work:
        await work.sources.remove(first.id)
        await work.commit()
    (new,) = await world.posts(await world.source(), new_post(text="antenna"))
    assert new > old, "an id is never used twice"
    assert await world.search("antenna") == (new,)


async def test_when_a_source_was_read_last(world: World, store: Store) -> None:
    first, second, off = await world.source("a"), await world.source("b"), await world.source("c")
    async with store.write() as work:
        assert await work.sources.last_read() is None
        await work.sources.save(replace(first, polled_at=after(1)))
        await work.sources.save(replace(second, polled_at=after(2)))
        await work.sources.save(replace(off, polled_at=after(3)))
        await work.sources.set_state(off.id, SourceState.PAUSED)
        await work.commit()
    async with store.read() as work:
        assert await work.sources.last_read() == after(2)


async def test_what_a_wrong_clock_has_postponed_is_due(world: World, store: Store) -> None:
    postponed, planned = await world.source("postponed"), await world.source("planned")
    async with store.write() as work:
        await work.sources.save(replace(postponed, next_poll_at=NOW + timedelta(days=4000)))
        await work.sources.save(replace(planned, next_poll_at=NOW + timedelta(days=30)))
        assert [source.id for source in await work.sources.due(NOW)] == [postponed.id]
