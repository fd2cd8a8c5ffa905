"""What became of parts and deliveries, and what the ledger makes of it.

The ledger is seen through what it allows: a post that is free can be delivered, and one that failed comes
back when its delivery is retried.
"""

from dataclasses import replace

import pytest

from scheduler.ports import Closed, DeliveryFilter, PartEnded, Postponed
from scheduler.types import Chat, Delivery, DeliveryState, Form, Part, PartState, Sent
from tests.builders import after, part
from tests.contracts.world import World


async def begun(world: World, chat: Chat, *guids: str) -> tuple[Delivery, list[int], list[Part]]:
    """A claimed delivery of some posts, each in a part of its own that is `sending`."""
    ids = await world.posts(await world.source(), *guids)
    await world.deliver(chat, *ids)
    (taken,) = await world.claim()
    parts = [part(taken.id, n, posts=(post,)) for n, post in enumerate(ids)]
    await world.begin(*parts)
    return taken, ids, parts


def arrived(sending: Part, *message_ids: str) -> Part:
    return replace(sending, state=PartState.SENT, sent=Sent("100", message_ids or ("1",)))


async def test_a_part_keeps_where_it_went(world: World) -> None:
    chat = await world.chat()
    _, _, (sending,) = await begun(world, chat, "a")
    sent = arrived(sending, "7", "8")
    await world.mark(PartEnded(sent))
    (found,) = await world.of(chat)
    assert found.parts == (sent,)
    assert found.parts[0].sent == Sent("100", ("7", "8"))


async def test_a_post_is_sent_only_when_it_is_delivered(world: World) -> None:
    chat = await world.chat()
    taken, (a, b), (first, _) = await begun(world, chat, "a", "b")
    # Post b is in both messages: the first one arrived, but b is not wholly there.
    await world.mark(PartEnded(arrived(first), completed=(a,)))
    await world.mark(Closed(taken.id, DeliveryState.CANCELLED, "unsubscribed"))
    assert await world.deliver(chat, a, b), "b is free again"
    assert await world.waiting(chat) == [(b,)]


@pytest.mark.parametrize("state", [PartState.PENDING, PartState.UNKNOWN, PartState.FAILED])
async def test_a_part_that_did_not_arrive_sends_nothing(world: World, state: PartState) -> None:
    chat = await world.chat()
    taken, (a,), (sending,) = await begun(world, chat, "a")
    await world.mark(PartEnded(replace(sending, state=state), reason="an error"))
    await world.mark(Closed(taken.id, DeliveryState.CANCELLED, "unsubscribed"))
    assert await world.deliver(chat, a)


async def test_what_arrived_stays_sent_when_a_later_part_is_rejected(world: World) -> None:
    chat = await world.chat()
    taken, (a, b), (first, second) = await begun(world, chat, "a", "b")
    await world.mark(PartEnded(arrived(first), completed=(a,)))
    failed = PartEnded(replace(second, state=PartState.FAILED), reason="rejected")
    await world.mark(failed, Closed(taken.id, DeliveryState.FAILED, "rejected"))
    assert not await world.deliver(chat, a, b), "one was sent, one is kept for a retry"
    await world.retry()
    await world.cancel("unsubscribed", chat=chat)
    assert await world.deliver(chat, a, b)
    assert await world.waiting(chat) == [(b,)], "only what failed was reserved again"


@pytest.mark.parametrize("end", [DeliveryState.FAILED, DeliveryState.HELD])
async def test_giving_up_keeps_the_reservation(world: World, end: DeliveryState) -> None:
    chat = await world.chat()
    taken, (a,), _ = await begun(world, chat, "a")
    await world.mark(Closed(taken.id, end, "a reason"))
    (closed,) = await world.of(chat)
    assert (closed.state, closed.reason, closed.posts) == (end, "a reason", (a,))
    assert not await world.deliver(chat, a)


async def test_cancelling_frees_the_reservation(world: World) -> None:
    chat = await world.chat()
    taken, (a,), _ = await begun(world, chat, "a")
    await world.mark(Closed(taken.id, DeliveryState.CANCELLED, "gone"))
    (closed,) = await world.of(chat)
    assert (closed.state, closed.reason, closed.posts) == (DeliveryState.CANCELLED, "gone", ())
    assert await world.deliver(chat, a)


async def test_one_mark_may_end_the_part_and_the_delivery(world: World) -> None:
    chat = await world.chat()
    taken, (a,), (sending,) = await begun(world, chat, "a")
    await world.mark(PartEnded(arrived(sending), (a,)), Closed(taken.id, DeliveryState.SENT))
    (closed,) = await world.of(chat)
    assert (closed.state, closed.posts) == (DeliveryState.SENT, (a,))
    assert not await world.deliver(chat, a)
    await world.retry()
    assert (await world.of(chat))[0].state is DeliveryState.SENT


async def test_many_marks_of_many_deliveries_are_recorded_together(world: World) -> None:
    source = await world.source()
    chats = [await world.follower(source, address=address) for address in "123"]
    (post,) = await world.publish(source, "a")
    sent, failed, waits = await world.claim()
    parts = [part(taken.id, posts=(post,)) for taken in (sent, failed, waits)]
    await world.begin(*parts)
    await world.mark(
        PartEnded(arrived(parts[0]), (post,)),
        PartEnded(replace(parts[1], state=PartState.FAILED), reason="rejected"),
        PartEnded(replace(parts[2], state=PartState.PENDING), reason="refused"),
        Closed(failed.id, DeliveryState.FAILED, "rejected"),
        Postponed(waits.id, after(1), 1, Form.FULL, "refused"),
        Closed(sent.id, DeliveryState.SENT),
    )
    states = {delivery.id: delivery.state for delivery in await world.found()}
    assert states == {
        sent.id: DeliveryState.SENT,
        failed.id: DeliveryState.FAILED,
        waits.id: DeliveryState.PENDING,
    }
    assert [await world.deliver(chat, post) for chat in chats] == [False] * 3


async def test_a_delivery_that_was_united_away_takes_no_other_along(world: World) -> None:
    """Its chat has moved to where another one was known while its message left."""
    chat = await world.chat()
    taken, (a,), (sending,) = await begun(world, chat, "a")
    missing = taken.id + 1
    begins = await world.record(
        [part(missing)],
        PartEnded(arrived(part(missing)), (a,)),
        Closed(missing, DeliveryState.SENT),
        PartEnded(arrived(sending), (a,)),
        Closed(taken.id, DeliveryState.SENT),
    )
    assert begins == []
    (closed,) = await world.of(chat)
    assert (closed.state, closed.posts) == (DeliveryState.SENT, (a,))


async def test_what_arrived_after_a_cancellation_is_recorded(world: World) -> None:
    chat = await world.chat()
    taken, (a,), (sending,) = await begun(world, chat, "a")
    await world.cancel("unsubscribed", chat=chat)
    await world.mark(PartEnded(arrived(sending), (a,)), Closed(taken.id, DeliveryState.SENT))
    (closed,) = await world.of(chat)
    assert (closed.state, closed.reason) == (DeliveryState.CANCELLED, "unsubscribed")
    assert not await world.deliver(chat, a), "it must not come a second time"


async def test_what_has_ended_is_not_opened_by_a_late_postponement(world: World) -> None:
    chat = await world.chat()
    taken, _, _ = await begun(world, chat, "a")
    await world.cancel("unsubscribed", chat=chat)
    await world.mark(Postponed(taken.id, after(1), 1, Form.FULL, "refused"))
    assert (await world.of(chat))[0].state is DeliveryState.CANCELLED


async def test_a_skipped_post_is_never_sent(world: World) -> None:
    chat, other = await world.chat("1"), await world.chat("2")
    a, b = await world.posts(await world.source(), "a", "b")
    async with world.store.write() as work:
        await work.outbox.skip(chat.id, [a], "beyond the maximum")
        await work.outbox.skip(chat.id, [a], "twice changes nothing")
        await work.commit()
    assert await world.deliver(chat, a, b)
    assert await world.waiting(chat) == [(b,)]
    assert await world.deliver(other, a)


async def test_skipping_leaves_alone_what_was_promised(world: World) -> None:
    chat = await world.chat()
    (a,) = await world.posts(await world.source(), "a")
    await world.deliver(chat, a)
    async with world.store.write() as work:
        await work.outbox.skip(chat.id, [a], "beyond the maximum")
        await work.commit()
    assert await world.waiting(chat) == [(a,)]
    assert len(await world.found(DeliveryFilter(reason="maximum"))) == 0
