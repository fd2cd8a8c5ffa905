"""Group commit: one unit of work for all that is to be recorded at the same moment."""

import asyncio
from datetime import timedelta

import pytest

from content.errors import StoreBusy
from scheduler.delivery.journal import STORE_RETRY, Journal
from scheduler.ports import Closed, PartEnded, Postponed, UnitOfWork
from scheduler.types import DeliveryState, Form, Part, PartState
from tests.scheduler.conftest import World


@pytest.fixture
async def claimed(world: World) -> list[Part]:
    """The first parts of the deliveries to ten chats, claimed by epoch 1 and not begun."""
    await world.source()
    for n in range(10):
        await world.chat(str(n))
    await world.publish("hello")
    async with world.store.write() as work:
        deliveries = await work.outbox.claim("fake", world.clock.now(), 100, 1)
        await work.commit()
    return [Part(d.id, 0, Form.FULL, PartState.SENDING, d.posts, "f") for d in deliveries]


async def test_entries_that_come_during_a_commit_share_the_next(world: World, claimed: list[Part]) -> None:
    journal = Journal(world.store, world.clock, 1)
    writing, go_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        writing.set()
        await go_on.wait()

    world.store.on_write, world.store.writes = hold, 0
    first = asyncio.create_task(journal.begin(claimed[0]))
    await writing.wait()
    others = [asyncio.create_task(journal.begin(part)) for part in claimed[1:]]
    await asyncio.sleep(0)
    go_on.set()
    assert await asyncio.gather(first, *others) == [True] * 10
    assert world.store.writes == 2
    assert world.sql("SELECT count(*) FROM delivery_parts WHERE state = 'sending'") == [(10,)]


async def test_an_entry_alone_is_written_at_once(world: World, claimed: list[Part]) -> None:
    journal = Journal(world.store, world.clock, 1)
    world.store.writes = 0
    assert await journal.begin(claimed[0])
    assert await journal.begin(claimed[1])
    assert world.store.writes == 2


async def test_at_a_high_pace_commits_are_spaced(world: World, claimed: list[Part]) -> None:
    """An entry soon after a commit waits for more; a later one does not."""
    journal = Journal(world.store, world.clock, 1, gather=0.05)
    world.store.writes = 0
    start = world.clock.monotonic()
    await journal.begin(claimed[0])
    assert world.clock.monotonic() == start
    await asyncio.gather(*(journal.begin(part) for part in claimed[1:4]))
    assert world.store.writes == 2
    assert world.clock.monotonic() - start == pytest.approx(0.05)
    world.clock.advance(1)
    await journal.begin(claimed[4])
    assert world.clock.monotonic() - start == pytest.approx(1.05)


async def test_a_past_due_time_is_kept_until_the_outbox_is_queried(world: World, claimed: list[Part]) -> None:
    journal = Journal(world.store, world.clock, 1)
    assert journal.due_in() is None
    due = world.clock.now() + timedelta(seconds=5)
    await journal.record(Postponed(claimed[0].delivery_id, due, 1, Form.FULL, "later"))
    assert journal.due_in() == 5
    world.clock.advance(6)
    assert journal.due_in() == 0
    journal.drop_past_due()
    assert journal.due_in() is None


async def test_it_tries_until_the_store_answers(world: World, claimed: list[Part]) -> None:
    journal = Journal(world.store, world.clock, 1)
    world.store.outages = [StoreBusy("locked")] * 5
    start = world.clock.monotonic()
    assert await journal.begin(claimed[0])
    assert world.clock.monotonic() - start == 5 * STORE_RETRY
    assert world.sql("SELECT state FROM delivery_parts") == [("sending",)]


@pytest.mark.parametrize("by", ["cancelled", "taken over", "given back"])
async def test_a_part_that_is_no_longer_ours_may_not_be_sent(
    world: World, claimed: list[Part], by: str
) -> None:
    async with world.store.write() as work:
        if by == "cancelled":
            await work.outbox.cancel("unsubscribed", world.clock.now())
        elif by == "taken over":
            await work.outbox.recover("fake", 2)
            await work.outbox.claim("fake", world.clock.now(), 100, 2)
        else:
            await work.outbox.recover("fake", 2)
        await work.commit()
    assert not await Journal(world.store, world.clock, 1).begin(claimed[0])
    assert world.sql("SELECT * FROM delivery_parts") == []


async def test_only_parts_that_may_be_sent_begin(world: World, claimed: list[Part]) -> None:
    (chat_id,) = world.sql("SELECT chat_id FROM deliveries WHERE id = ?", claimed[3].delivery_id)[0]
    async with world.store.write() as work:
        await work.outbox.cancel("unsubscribed", world.clock.now(), chat_id=chat_id)
        await work.commit()
    journal = Journal(world.store, world.clock, 1)
    begun = await asyncio.gather(*(journal.begin(part) for part in claimed))
    assert begun == [n != 3 for n in range(10)]


async def test_cancelling_one_waiter_does_not_abort_the_commit(world: World, claimed: list[Part]) -> None:
    journal = Journal(world.store, world.clock, 1)
    writing, go_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        writing.set()
        await go_on.wait()

    world.store.on_write = hold
    unlucky = asyncio.create_task(journal.begin(claimed[0]))
    lucky = asyncio.create_task(journal.begin(claimed[1]))
    await writing.wait()
    unlucky.cancel()
    await asyncio.sleep(0)
    go_on.set()
    async with asyncio.timeout(10):
        assert await lucky
    assert unlucky.cancelled()


async def test_an_entry_whose_waiter_was_cancelled_is_still_recorded(
    world: World, claimed: list[Part]
) -> None:
    journal = Journal(world.store, world.clock, 1)
    begun = asyncio.create_task(journal.begin(claimed[0]))
    await asyncio.sleep(0)
    begun.cancel()
    await journal.settled()
    assert world.sql("SELECT state FROM delivery_parts") == [("sending",)]


async def test_one_bad_entry_fails_alone(world: World, claimed: list[Part]) -> None:
    journal = Journal(world.store, world.clock, 1)

    async def breaks(work: UnitOfWork) -> None:
        raise ValueError("a bug")

    closed = [Closed(part.delivery_id, DeliveryState.FAILED, "no") for part in claimed[:2]]
    found = await asyncio.gather(
        journal.record(closed[0]),
        journal.record(closed[1], change=breaks),
        journal.begin(claimed[2]),
        return_exceptions=True,
    )
    assert [str(one) for one in found] == ["None", "a bug", "True"]
    states = "SELECT state FROM deliveries WHERE id IN (?, ?) ORDER BY id"
    assert world.sql(states, *(one.delivery_id for one in closed)) == [("failed",), ("claimed",)]
    assert world.sql("SELECT state FROM delivery_parts") == [("sending",)]


async def test_outcomes_come_before_parts_that_begin_in_the_same_batch(
    world: World, claimed: list[Part]
) -> None:
    """A delivery that is closed in a batch begins nothing in it."""
    journal = Journal(world.store, world.clock, 1)
    part = claimed[0]
    closed = Closed(part.delivery_id, DeliveryState.FAILED, "no")
    _, begun = await asyncio.gather(journal.record(closed), journal.begin(part))
    assert not begun


async def test_an_arrival_is_recorded_after_a_take_over(world: World, claimed: list[Part]) -> None:
    """An arrival is a fact, also when the process that sent the message no longer holds the lease."""
    old, part = Journal(world.store, world.clock, 1), claimed[0]
    assert await old.begin(part)
    async with world.store.write() as work:
        await work.outbox.recover("fake", 2)
        await work.commit()
    sent = Part(part.delivery_id, 0, Form.FULL, PartState.SENT, part.posts, "f")
    await old.record(PartEnded(sent, part.posts))
    query = "SELECT state FROM ledger WHERE delivery_id = ?"
    assert world.sql(query, part.delivery_id) == [("sent",)]
