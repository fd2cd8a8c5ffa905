"""Digests: a slot runs once, whatever crashes or repeats, and nothing that waits is lost."""

from collections.abc import Sequence
from datetime import timedelta

from scheduler import membership
from scheduler.timetable import digests, schedules
from scheduler.timetable.digests import Digests
from scheduler.types import Chat, Digest, WhenEmpty
from tests.builders import with_digest
from tests.scheduler.conftest import World


async def scheduled(
    world: World, chat: Chat, text: str = "daily 09:00", zone: str = "UTC", **changes: object
) -> None:
    """The chat has a digest from now on."""
    recurrence, _ = schedules.parse(text)
    first = schedules.next_run(recurrence, zone, world.clock.now())
    digest = Digest(0, chat.id, schedules.stored(recurrence), zone, first, **changes)  # type: ignore[arg-type]
    async with world.store.write() as work:
        await with_digest(work, digest)
        await work.commit()


def running(world: World) -> Digests:
    return Digests(world.store, world.clock, lambda: None)


async def due(world: World) -> None:
    """The time of the next digest has come."""
    async with world.store.read() as work:
        first = (await work.digests.all())[0]
    world.clock.advance((first.next_run_at - world.clock.now()).total_seconds())


def arrived(world: World) -> Sequence[str]:
    return [message.text for message in world.platform.arrived]


async def test_what_waits_comes_together_at_its_time(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await scheduled(world, chat)
    await world.publish("old", "one")
    await world.publish("old", "one", "two")
    await world.dispatcher().drain()
    assert arrived(world) == []
    assert await running(world).run_due() == 0
    await due(world)
    assert await running(world).run_due() == 1
    await world.dispatcher().drain()
    assert len(arrived(world)) == 1
    assert "one" in arrived(world)[0]
    assert "two" in arrived(world)[0]
    assert world.ledger(chat) == {"one": "sent", "two": "sent"}


async def test_a_slot_runs_once_however_often_it_is_asked_for(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await scheduled(world, chat, when_empty=WhenEmpty.SAY)
    await due(world)
    async with world.store.read() as work:
        (before,) = await work.digests.of(chat.id)
    assert await running(world).run_due() == 1
    async with world.store.write() as work:  # as if the process had died before it advanced
        await work.digests.save(before)
        await work.commit()
    assert await running(world).run_due() == 0
    assert len(world.deliveries(chat)) == 1


async def test_a_crash_in_the_middle_leaves_the_slot_to_run(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await scheduled(world, chat)
    await world.publish("old", "one")
    await due(world)
    async with world.store.write() as work:  # everything but the commit
        (digest,) = await work.digests.of(chat.id)
        assert await digests.edition(work, digest, world.clock.now(), slot=digest.next_run_at)
    assert world.deliveries(chat) == []
    assert await running(world).run_due() == 1
    await world.dispatcher().drain()
    assert world.ledger(chat) == {"one": "sent"}


async def test_missed_slots_make_one_edition(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await scheduled(world, chat)
    await world.publish("old", "one")
    world.clock.advance(timedelta(days=5).total_seconds())
    assert await running(world).run_due() == 1
    assert await running(world).run_due() == 0
    async with world.store.read() as work:
        (digest,) = await work.digests.of(chat.id)
    assert timedelta() < digest.next_run_at - world.clock.now() <= timedelta(days=1)


async def test_an_empty_edition_is_skipped_or_said(world: World) -> None:
    await world.source()
    quiet, talkative = await world.chat("1"), await world.chat("2")
    await scheduled(world, quiet)
    await scheduled(world, talkative, when_empty=WhenEmpty.SAY)
    await due(world)
    assert await running(world).run_due() == 1
    assert world.deliveries(quiet) == []
    assert len(world.deliveries(talkative)) == 1


async def test_posts_beyond_the_maximum_are_counted_and_never_come(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await scheduled(world, chat, max_posts=2)
    await world.publish("old", "one", "two", "three")
    await due(world)
    await running(world).run_due()
    await world.dispatcher().drain()
    assert world.ledger(chat) == {"one": "skipped", "two": "sent", "three": "sent"}
    assert "and more" in arrived(world)[0]
    await due(world)
    assert await running(world).run_due() == 0


async def test_a_post_of_two_sources_is_in_it_once(world: World) -> None:
    await world.source()
    await world.source("https://example.com/other.json")
    chat = await world.chat()
    await scheduled(world, chat)
    await world.publish("old", "one")
    await world.publish("old", "one", url="https://example.com/other.json", site="https://example.org")
    await due(world)
    await running(world).run_due()
    await world.dispatcher().drain()
    assert arrived(world)[0].count("one") == 1


async def test_a_chat_without_subscriptions_gets_everything_in_its_digest(world: World) -> None:
    await world.source()
    chat = await world.chat(follows=())
    await scheduled(world, chat)
    async with world.store.read() as work:
        (subscription,) = await work.subscriptions.of(chat.id)
        (digest,) = await work.digests.of(chat.id)
    assert (subscription.source_id, subscription.digest_id) == (None, digest.id)


async def test_what_is_followed_later_joins_the_digest(world: World) -> None:
    source = await world.source()
    chat = await world.chat()
    await scheduled(world, chat)
    async with world.store.write() as work:
        await work.subscriptions.add(chat.id, source.id)
        await work.commit()
        (digest,) = await work.digests.of(chat.id)
        assert {s.digest_id for s in await work.subscriptions.of(chat.id)} == {digest.id}


async def test_the_first_read_of_a_source_is_old_news_for_a_digest_too(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await scheduled(world, chat)
    await world.source("https://example.com/other.json")
    async with world.store.read() as work:
        assert await work.digests.unsent(chat.id) == []
    await world.publish(
        "old", "new", url="https://example.com/other.json", site="https://example.com/other.json"
    )
    async with world.store.read() as work:
        assert len(await work.digests.unsent(chat.id)) == 1


async def test_off_sends_what_waits_and_returns_to_instant(world: World) -> None:
    await world.source()
    chat = await world.chat()
    await scheduled(world, chat)
    await world.publish("old", "one")
    async with world.store.write() as work:
        (digest,) = await work.digests.of(chat.id)
        assert await digests.end(work, digest, world.clock.now())
        await work.commit()
    await world.publish("old", "one", "two")
    await world.dispatcher().drain()
    assert world.ledger(chat) == {"one": "sent", "two": "sent"}
    assert len(arrived(world)) == 2


async def test_rules_that_changed_count_from_the_next_start_on(world: World) -> None:
    chat = await world.chat()
    await scheduled(world, chat)
    async with world.store.write() as work:
        (digest,) = await work.digests.of(chat.id)
        wrong = digest.next_run_at + timedelta(hours=1)
        await work.digests.save(Digest(digest.id, chat.id, digest.recurrence, "UTC", wrong))
        await work.commit()
    await running(world).refresh()
    async with world.store.read() as work:
        (again,) = await work.digests.of(chat.id)
    assert again.next_run_at == digest.next_run_at


async def test_a_chat_that_is_gone_gets_no_digest_and_what_waits_is_listed_when_it_is_back(
    world: World,
) -> None:
    await world.source()
    chat = await world.chat()
    await scheduled(world, chat, when_empty=WhenEmpty.SAY)
    await world.publish("one")
    async with world.store.write() as work:
        await membership.deactivate(work, chat, "blocked", world.clock.now())
        await work.commit()
    await due(world)
    assert await running(world).run_due() == 0
    await world.dispatcher().drain()
    assert world.platform.attempts == []
    assert world.deliveries(chat) == []
    async with world.store.write() as work:
        assert await work.digests.due(world.clock.now()) == []
        await membership.reactivate(work, await world.again(chat), world.clock.now())
        await work.commit()
    assert world.ledger(chat) == {"one": "skipped"}
