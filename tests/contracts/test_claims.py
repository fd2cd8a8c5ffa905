"""Taking deliveries: each chat's oldest, when it is due, by one holder at a time."""

from dataclasses import replace

import pytest

from content.i18n import Msgid
from scheduler.ports import Closed, PartEnded, Postponed, Store
from scheduler.types import Broadcast, BroadcastKind, ChatState, DeliveryState, Form, PartState
from tests.builders import NOW, after, part
from tests.contracts.world import World


async def test_only_the_oldest_open_delivery_of_a_chat_is_taken(world: World) -> None:
    source = await world.source()
    chat, other = await world.follower(source, address="1"), await world.follower(source, address="2")
    (a,) = await world.publish(source, "a")
    (b,) = await world.publish(source, "b")
    first = await world.claim()
    assert {(taken.chat.id, taken.posts) for taken in first} == {(chat.id, (a,)), (other.id, (a,))}
    assert all(taken.state is DeliveryState.CLAIMED for taken in first)
    assert await world.claim() == [], "the next one waits for the end of the first"
    await world.send(next(taken for taken in first if taken.chat.id == chat.id))
    assert [(taken.chat.id, taken.posts) for taken in await world.claim()] == [(chat.id, (b,))]


async def test_an_older_one_that_is_not_due_holds_back_the_newer(world: World) -> None:
    chat = await world.chat()
    await world.deliver(chat, body="later", now=after(10))
    await world.deliver(chat, body="now")
    assert await world.claim() == []
    assert [taken.broadcast.body for taken in await world.claim(now=after(10))] == ["later"]


@pytest.mark.parametrize("end", [DeliveryState.FAILED, DeliveryState.HELD, DeliveryState.CANCELLED])
async def test_one_that_ended_badly_holds_nothing_back(world: World, end: DeliveryState) -> None:
    chat = await world.chat()
    await world.deliver(chat, body="first")
    await world.deliver(chat, body="second")
    (first,) = await world.claim()
    await world.mark(Closed(first.id, end, "a reason"))
    assert [taken.broadcast.body for taken in await world.claim()] == ["second"]


async def test_the_longest_due_are_taken_first_and_no_more_than_asked_for(world: World) -> None:
    for minutes in (3, 1, 2):
        await world.deliver(await world.chat(str(minutes)), body=str(minutes), now=after(minutes))
    assert await world.claim(now=after(0.5)) == []
    assert [taken.broadcast.body for taken in await world.claim(2, now=after(3))] == ["1", "2"]
    assert [taken.broadcast.body for taken in await world.claim(2, now=after(3))] == ["3"]


async def test_only_the_platform_asked_for_is_taken(world: World) -> None:
    discord = await world.chat("1", platform="discord")
    await world.deliver(discord, body="Hello")
    assert await world.claim() == []
    (taken,) = await world.claim(platform="discord")
    assert taken.chat == discord


async def test_a_chat_that_returned_gets_what_waited(world: World) -> None:
    chat = await world.chat()
    await world.deliver(chat, body="Hello")
    await world.set_state(chat, ChatState.PAUSED, "no rights")
    (taken,) = await world.claim()
    assert (taken.chat.state, taken.chat.reason) == (ChatState.PAUSED, "no rights")


async def test_what_fills_the_fields_of_a_notice_is_kept_with_it(world: World, store: Store) -> None:
    chat = await world.chat()
    values: dict[str, str | int] = {"topic": "{News}", "count": 3, "reason": Msgid("the topic was closed")}
    notice = Broadcast(BroadcastKind.NOTICE, body="{topic}: {reason}", values=values)
    async with store.write() as work:
        broadcast_id = await work.outbox.broadcast(notice, NOW)
        assert broadcast_id is not None and await work.outbox.deliver(broadcast_id, chat.id, NOW)
        await work.commit()
    (taken,) = await world.claim()
    assert taken.broadcast == notice
    assert [type(value) for value in taken.broadcast.values.values()] == [str, int, Msgid]


async def test_a_postponed_delivery_waits_and_remembers(world: World) -> None:
    chat = await world.chat()
    await world.deliver(chat, body="Hello")
    (taken,) = await world.claim()
    await world.mark(Postponed(taken.id, after(5), 3, Form.PLAIN, "too many requests"))
    assert await world.claim(now=after(4)) == []
    (again,) = await world.claim(now=after(5))
    assert (again.attempts, again.form, again.reason) == (3, Form.PLAIN, "too many requests")


async def test_what_is_tried_again_goes_before_what_was_due_earlier(world: World) -> None:
    refused, *others = [await world.chat(address) for address in "123"]
    await world.deliver(refused, body="Hello")
    (taken,) = await world.claim()
    await world.mark(Postponed(taken.id, after(5), 1, Form.FULL, "too many requests"))
    for chat in others:
        await world.deliver(chat, body="Hello")
    assert [d.chat.id for d in await world.claim(2, now=after(5))] == [refused.id, others[0].id]
    assert [d.chat.id for d in await world.claim(2, now=after(5))] == [others[1].id]


async def test_begun_parts_are_there_when_the_delivery_is_taken_again(world: World) -> None:
    chat = await world.chat()
    a, b = await world.posts(await world.source(), "a", "b")
    await world.deliver(chat, a, b)
    (taken,) = await world.claim()
    first, second = part(taken.id, 0, posts=(a,)), part(taken.id, 1, posts=(b,))
    assert await world.begin(first, second) == [first, second]
    back = replace(second, state=PartState.PENDING)
    await world.mark(PartEnded(back, reason="refused"), Postponed(taken.id, after(0), 1, Form.FULL))
    (again,) = await world.claim()
    assert again.parts == (first, back)


async def test_beginning_again_replaces_what_the_part_carries(world: World) -> None:
    chat = await world.chat()
    a, b = await world.posts(await world.source(), "a", "b")
    await world.deliver(chat, a, b)
    (taken,) = await world.claim()
    await world.begin(part(taken.id, posts=(a,), fingerprint="old"))
    renewed = part(taken.id, posts=(a, b), fingerprint="new", unknowns=1)
    await world.begin(renewed)
    (found,) = await world.found()
    assert found.parts == (renewed,)


async def test_nothing_of_a_cancelled_delivery_may_begin(world: World) -> None:
    chat, other = await world.chat("1"), await world.chat("2")
    await world.deliver(chat, body="Hello")
    await world.deliver(other, body="Hello")
    first, second = await world.claim()
    await world.cancel("unsubscribed", chat=first.chat)
    parts = part(first.id), part(second.id)
    assert await world.begin(*parts) == [parts[1]]
    assert (await world.of(first.chat))[0].parts == ()


async def test_nothing_that_was_not_claimed_may_begin(world: World) -> None:
    await world.deliver(await world.chat(), body="Hello")
    (waiting,) = await world.found()
    assert await world.begin(part(waiting.id)) == []
    assert await world.begin(part(waiting.id + 1)) == []


async def test_an_older_holder_claims_nothing_more(world: World) -> None:
    await world.deliver(await world.chat(), body="Hello")
    async with world.store.write() as work:
        await work.leases.take("telegram", "first", after(0), after(1), force=False)
        assert await work.leases.take("telegram", "second", after(2), after(3), force=False) == 2
        await work.commit()
    assert await world.claim() == []
    assert len(await world.as_holder(2).claim()) == 1


async def test_an_older_holder_may_begin_nothing_more(world: World) -> None:
    await world.deliver(await world.chat(), body="Hello")
    (taken,) = await world.claim()
    newer = world.as_holder(2)
    assert await newer.begin(part(taken.id)) == [], "not taken over yet"
    await newer.recover()
    await newer.claim()
    assert await world.begin(part(taken.id)) == []
    assert await newer.begin(part(taken.id)) == [part(taken.id)]


async def test_an_older_holder_postpones_nothing(world: World) -> None:
    chat = await world.chat()
    await world.deliver(chat, body="Hello")
    (taken,) = await world.claim()
    newer = world.as_holder(2)
    await newer.recover()
    (mine,) = await newer.claim()
    await world.mark(Postponed(taken.id, after(60), 9, Form.PLAIN, "late"))
    assert await world.of(chat) == [mine]


@pytest.mark.parametrize("end", [DeliveryState.FAILED, DeliveryState.HELD, DeliveryState.CANCELLED])
async def test_an_older_holder_gives_up_nothing(world: World, end: DeliveryState) -> None:
    chat = await world.chat()
    await world.deliver(chat, body="Hello")
    (taken,) = await world.claim()
    await world.begin(part(taken.id))
    newer = world.as_holder(2)
    await newer.recover()
    failed = part(taken.id, state=PartState.FAILED)
    await world.mark(PartEnded(failed), Closed(taken.id, end, "late"))
    (mine,) = await world.of(chat)
    assert (mine.state, mine.parts[0].state) == (DeliveryState.CLAIMED, PartState.UNKNOWN)


async def test_what_arrived_is_recorded_whoever_sent_it(world: World) -> None:
    chat = await world.chat()
    (post,) = await world.posts(await world.source(), "a")
    await world.deliver(chat, post)
    (taken,) = await world.claim()
    sending = part(taken.id, posts=(post,))
    await world.begin(sending)
    await world.as_holder(2).recover()
    arrived = replace(sending, state=PartState.SENT)
    await world.mark(PartEnded(arrived, (post,)), Closed(taken.id, DeliveryState.SENT))
    (closed,) = await world.of(chat)
    assert (closed.state, closed.parts) == (DeliveryState.SENT, (arrived,))


async def test_recovery_makes_what_was_sending_unknown_and_lets_the_rest_wait(world: World) -> None:
    source = await world.source()
    for address in "123":
        await world.follower(source, address=address)
    (post,) = await world.publish(source, "a")
    sending, merely_claimed, sent_one_part = await world.claim()
    await world.begin(part(sending.id, posts=(post,)))
    await world.begin(part(sent_one_part.id, posts=(post,)))
    arrived = part(sent_one_part.id, state=PartState.SENT, posts=(post,))
    await world.mark(PartEnded(arrived))
    (left,) = await world.as_holder(2).recover()
    assert (left.id, left.state) == (sending.id, DeliveryState.CLAIMED)
    assert left.parts == (part(sending.id, posts=(post,), state=PartState.UNKNOWN, unknowns=1),)
    async with world.store.read() as work:
        assert await work.outbox.unknowns() == 1
    waiting = {delivery.id: delivery for delivery in await world.as_holder(2).claim()}
    assert waiting.keys() == {merely_claimed.id, sent_one_part.id}
    assert waiting[sent_one_part.id].parts == (arrived,)


async def test_what_is_tried_again_waits_for_what_is_on_its_way(world: World) -> None:
    """An earlier delivery is opened again while a later one of its chat leaves."""
    chat = await world.chat()
    await world.deliver(chat, body="One")
    (failed,) = await world.claim()
    await world.mark(Closed(failed.id, DeliveryState.FAILED, "rejected"))
    await world.deliver(chat, body="Two")
    (leaving,) = await world.claim()
    assert await world.retry() == 1
    assert await world.claim() == []
    await world.mark(Closed(leaving.id, DeliveryState.SENT))
    assert [again.id for again in await world.claim()] == [failed.id]


async def test_the_count_of_unknowns_grows(world: World) -> None:
    await world.deliver(await world.chat(), body="Hello")
    (taken,) = await world.claim()
    await world.begin(part(taken.id, unknowns=2))
    (left,) = await world.as_holder(2).recover()
    assert left.parts[0].unknowns == 3


async def test_recovery_hands_over_to_the_new_holder(world: World) -> None:
    await world.deliver(await world.chat(), body="Hello")
    (taken,) = await world.claim()
    await world.begin(part(taken.id))
    newer = world.as_holder(2)
    assert len(await newer.recover()) == 1
    assert await newer.begin(part(taken.id, unknowns=1)) != []


async def test_recovery_leaves_newer_claims_and_other_platforms_alone(world: World) -> None:
    await world.deliver(await world.chat("1"), body="Hello")
    await world.deliver(await world.chat("2", platform="discord"), body="Hello")
    (mine,) = await world.claim()
    (discord,) = await world.claim(platform="discord")
    await world.begin(part(mine.id), part(discord.id))
    assert await world.as_holder(0).recover() == []
    assert len(await world.recover()) == 1, "its own: asked for when nobody works on them"
    (untouched,) = await world.of(discord.chat)
    assert untouched.parts[0].state is PartState.SENDING
