"""From one edition to the chats that should get it: no more, no fewer, and nothing twice."""

from datetime import datetime

import pytest

from content.formats import DEFAULT, NOTHING, Detail, Format
from content.types import Visibility
from scheduler.ports import Store
from scheduler.types import Broadcast, BroadcastKind, ChatState, DeliveryState, Form
from tests.builders import NOW, after, new_post
from tests.contracts.world import World, edition


async def test_followers_get_a_delivery_each(world: World) -> None:
    source, other = await world.source("feed"), await world.source("other")
    mine = await world.follower(source, address="1")
    everything = await world.follower(None, address="2")
    await world.follower(other, address="3")
    await world.chat("4")
    (post,) = await world.publish(source, "a", now=after(1))
    deliveries = await world.found()
    assert {delivery.chat.id for delivery in deliveries} == {mine.id, everything.id}
    for delivery in deliveries:
        assert (delivery.posts, delivery.state, delivery.broadcast.kind) == (
            (post,),
            DeliveryState.PENDING,
            BroadcastKind.POST,
        )
        assert (delivery.attempts, delivery.form, delivery.due_at) == (0, Form.RICH, after(1))


async def test_a_delivery_has_the_choices_of_the_subscription_it_comes_from(world: World) -> None:
    source, other = await world.source("feed"), await world.source("other")
    own, everything = Format(detail=Detail.TITLE), Format(author=True)
    chat = await world.follower(source, None, address="1")
    plain = await world.follower(source, address="2")
    async with world.store.write() as work:
        await work.chats.set_choices(chat.id, Format(pictures=False, author=False))
        await work.subscriptions.set_choices(chat.id, source.id, own)
        await work.subscriptions.set_choices(chat.id, None, everything)
        assert [one.choices for one in await work.subscriptions.of(chat.id)] == [own, everything]
        await work.commit()
    (of_source,) = await world.publish(source, "a", now=after(1))
    (of_other,) = await world.publish(other, "b", now=after(1))
    formats = {(delivery.chat.id, delivery.posts): delivery.format for delivery in await world.found()}
    assert formats == {
        (chat.id, (of_source,)): Format(detail=Detail.TITLE, pictures=False, author=False).over(DEFAULT),
        (chat.id, (of_other,)): Format(pictures=False, author=True).over(DEFAULT),
        (plain.id, (of_source,)): DEFAULT,
    }
    assert await world.deliver(chat, *await world.posts(source, "c"))
    (alone,) = [one for one in await world.found() if one.posts not in ((of_source,), (of_other,))]
    assert alone.choices == NOTHING, "what is sent to one chat comes from no subscription"


async def test_the_number_of_deliveries_is_returned(world: World, store: Store) -> None:
    source = await world.source()
    for address in "123":
        await world.follower(source, address=address)
    ids = await world.posts(source, "a")
    async with store.write() as work:
        # The posts came after the subscriptions, but nobody was told.
        made = await edition(work, *ids)
        assert await work.outbox.fan_out(made, source, NOW) == 3
        again = await edition(work, *ids)
        assert await work.outbox.fan_out(again, source, NOW) == 0
        await work.commit()
    assert len(await world.found()) == 3


async def test_a_new_subscription_is_not_flooded(world: World) -> None:
    source = await world.source()
    old = await world.posts(source, "a", "b")
    chat = await world.follower(source)
    async with world.store.write() as work:
        made = await edition(work, *old)
        assert await work.outbox.fan_out(made, source, NOW) == 0
        await work.commit()
    (new,) = await world.publish(source, "c")
    assert await world.waiting(chat) == [(new,)]


async def test_a_chat_that_came_between_two_posts_of_an_edition_gets_the_later_one(world: World) -> None:
    source = await world.source()
    early = await world.follower(source, address="1")
    (first,) = await world.posts(source, "a")
    late = await world.follower(source, address="2")
    (second,) = await world.posts(source, "b")
    async with world.store.write() as work:
        made = await edition(work, first, second)
        assert await work.outbox.fan_out(made, source, NOW) == 2
        await work.commit()
    assert await world.waiting(early) == [(first, second)]
    assert await world.waiting(late) == [(second,)]


async def test_a_restarted_subscription_skips_what_it_missed(world: World, store: Store) -> None:
    source = await world.source()
    chat = await world.follower(source)
    missed = await world.posts(source, "a", "b")
    async with store.write() as work:
        await work.subscriptions.restart([one.id for one in await work.subscriptions.of(chat.id)])
        made = await edition(work, *missed)
        assert await work.outbox.fan_out(made, source, NOW) == 0
        await work.commit()


@pytest.mark.parametrize("visibility", [Visibility.PRIVATE, Visibility.EXAMPLE])
async def test_only_specific_followers_get_what_is_not_public(world: World, visibility: Visibility) -> None:
    source = await world.source("hidden", visibility)
    mine = await world.follower(source, address="1")
    await world.follower(None, address="2")
    await world.publish(source, "a")
    assert {delivery.chat.id for delivery in await world.found()} == {mine.id}


async def test_a_specific_subscription_overrides_all(world: World, store: Store) -> None:
    source = await world.source()
    chat = await world.follower(None)
    old = await world.posts(source, "old")
    await world.follow(chat, source)
    async with store.write() as work:
        made = await edition(work, *old)
        # `all` would take it, but the specific one starts later.
        assert await work.outbox.fan_out(made, source, NOW) == 0
        await work.commit()
    (new,) = await world.publish(source, "new")
    assert await world.waiting(chat) == [(new,)]


@pytest.mark.parametrize(
    ("state", "deliveries"), [(ChatState.ACTIVE, 1), (ChatState.PAUSED, 1), (ChatState.GONE, 0)]
)
async def test_gone_chats_get_nothing(world: World, state: ChatState, deliveries: int) -> None:
    source = await world.source()
    chat = await world.follower(source)
    await world.set_state(chat, state)
    await world.publish(source, "a")
    assert len(await world.waiting(chat)) == deliveries


async def test_the_same_post_of_another_source_is_not_promised_again(world: World) -> None:
    first, second = await world.source("first"), await world.source("second")
    both = await world.follower(first, second, address="1")
    other = await world.follower(second, address="2")
    (from_first,) = await world.publish(first, new_post("a", key="shared"))
    (from_second,) = await world.publish(second, new_post("b", key="shared"))
    assert await world.waiting(both) == [(from_first,)]
    assert await world.waiting(other) == [(from_second,)]


async def test_one_edition_with_the_same_post_twice_promises_it_once(world: World) -> None:
    source = await world.source()
    chat = await world.follower(source)
    first, _ = await world.publish(source, new_post("a", key="shared"), new_post("b", key="shared"))
    assert await world.waiting(chat) == [(first,)]


async def test_an_edition_leaves_out_what_was_promised_before(world: World) -> None:
    first, second = await world.source("first"), await world.source("second")
    both = await world.follower(first, second, address="1")
    other = await world.follower(second, address="2")
    (promised,) = await world.publish(first, new_post("a", key="shared"))
    shared, new = await world.publish(second, new_post("b", key="shared"), new_post("c"))
    assert await world.waiting(both) == [(promised,), (new,)]
    assert await world.waiting(other) == [(shared, new)]


async def test_posts_stay_in_the_order_of_the_edition(world: World, store: Store) -> None:
    chat = await world.chat()
    a, b, c = await world.posts(await world.source(), "a", "b", "c")
    await world.deliver(chat, c, a, b)
    assert await world.waiting(chat) == [(c, a, b)]


async def test_the_reservation_and_the_delivery_are_one_unit_of_work(world: World, store: Store) -> None:
    source = await world.source()
    chat = await world.follower(source)
    ids = await world.posts(source, "a")
    async with store.write() as work:
        made = await edition(work, *ids)
        assert await work.outbox.fan_out(made, source, NOW) == 1
    assert await world.found() == []
    assert await world.deliver(chat, *ids), "nothing was reserved for good"


async def test_deliver_reserves_for_one_chat_whatever_it_follows(world: World) -> None:
    chat, other = await world.chat("1"), await world.chat("2")
    a, b = await world.posts(await world.source(), "a", "b")
    assert await world.deliver(chat, a)
    assert await world.deliver(chat, a, b, now=after(1))
    assert not await world.deliver(chat, b, a)
    assert await world.waiting(chat) == [(a,), (b,)]
    assert await world.waiting(other) == []


async def test_a_notice_reserves_nothing_and_is_always_delivered(world: World) -> None:
    chat = await world.chat()
    assert await world.deliver(chat, body="Hello")
    assert await world.deliver(chat, body="Hello")
    first, second = await world.of(chat)
    assert (first.broadcast.kind, first.broadcast.body, first.posts) == (BroadcastKind.NOTICE, "Hello", ())
    assert first.broadcast_id != second.broadcast_id


async def deliver_both(world: World, broadcast: int, *chat_ids: int, now: datetime = NOW) -> list[bool]:
    async with world.store.write() as work:
        made = [await work.outbox.deliver(broadcast, chat_id, now) for chat_id in chat_ids]
        await work.commit()
    return made


async def test_one_edition_to_two_chats_says_of_each_whether_there_was_anything(
    world: World, store: Store
) -> None:
    chat, served = await world.chat("1"), await world.chat("2")
    ids = await world.posts(await world.source(), "a")
    assert await world.deliver(served, *ids)
    async with store.write() as work:
        made = await edition(work, *ids)
        await work.commit()
    assert await deliver_both(world, made, chat.id, served.id) == [True, False]
    assert len(await world.of(served)) == 1


async def test_a_cancelled_delivery_reserves_nothing_when_its_edition_goes_on(
    world: World, store: Store
) -> None:
    source = await world.source()
    chat, other = await world.chat("1"), await world.chat("2")
    ids = await world.posts(source, "a")
    async with store.write() as work:
        made = await edition(work, *ids)
        await work.commit()
    assert await deliver_both(world, made, chat.id) == [True]
    await world.cancel("unsubscribed", chat=chat)
    assert await deliver_both(world, made, other.id, chat.id) == [True, False]
    (cancelled,) = await world.of(chat)
    assert (cancelled.state, cancelled.reason) == (DeliveryState.CANCELLED, "unsubscribed")
    assert await world.deliver(chat, *ids), "the cancelled delivery holds no reservation"


async def test_fanning_out_again_leaves_cancelled_deliveries_alone(world: World, store: Store) -> None:
    source = await world.source()
    chat = await world.follower(source)
    ids = await world.posts(source, "a")
    async with store.write() as work:
        made = await edition(work, *ids)
        await work.outbox.fan_out(made, source, NOW)
        await work.outbox.cancel("paused", NOW, chat_id=chat.id)
        await work.outbox.fan_out(made, source, NOW)
        await work.commit()
    assert [delivery.state for delivery in await world.of(chat)] == [DeliveryState.CANCELLED]
    assert await world.deliver(chat, *ids), "the cancelled delivery holds no reservation"


async def test_a_notice_goes_to_those_who_subscribed_to_its_source(world: World, store: Store) -> None:
    source, other = await world.source("feed"), await world.source("other")
    mine, quiet, late = [await world.follower(source, None, address=address) for address in "123"]
    gone, paused = [await world.follower(source, address=address) for address in "45"]
    await world.follower(None, address="6")
    await world.follower(other, address="7")
    await world.set_state(gone, ChatState.GONE)
    async with store.write() as work:
        await work.chats.set_quiet(quiet.id, "22:00-08:00", NOW, after(60))
        await work.chats.set_quiet(late.id, "22:00-08:00", after(5), after(60))
        await work.subscriptions.pause([one.id for one in await work.subscriptions.of(paused.id)], after(9))
        notice = await work.outbox.broadcast(Broadcast(BroadcastKind.NOTICE, body="it failed"), NOW)
        assert notice is not None
        await work.outbox.tell_followers(notice, source.id, NOW)
        await work.commit()
    due = {delivery.chat.id: delivery.due_at for delivery in await world.found()}
    assert due == {mine.id: NOW, quiet.id: after(60), late.id: NOW}
