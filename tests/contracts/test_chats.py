"""Chats: made when first met, found by their place, moved with all they have."""

from dataclasses import replace

import pytest

from scheduler.ports import Closed, PartEnded, Store
from scheduler.types import ChatKind, ChatState, DeliveryState, OnUnknown, PartState
from tests.builders import after, part, place
from tests.contracts.world import World, edition


async def test_a_chat_is_made_when_it_is_first_met(store: Store) -> None:
    async with store.write() as work:
        made = await work.chats.ensure(place("1", "7"), title="A topic", kind=ChatKind.GROUP)
        assert await work.chats.ensure(place("1", "7")) == made
        await work.commit()
    assert (made.title, made.kind, made.state, made.reason) == (
        "A topic",
        ChatKind.GROUP,
        ChatState.ACTIVE,
        "",
    )
    assert made.on_unknown is OnUnknown.RESEND
    async with store.read() as work:
        assert await work.chats.get(made.id) == made
        assert await work.chats.find(place("1", "7")) == made
        assert await work.chats.find(place("1")) is None
        assert await work.chats.find(place("1", "7", "discord")) is None
        assert await work.chats.get(made.id + 1) is None
        assert await work.chats.all() == [made]


async def test_meeting_it_again_takes_over_what_is_new(store: Store) -> None:
    async with store.write() as work:
        made = await work.chats.ensure(place())
        await work.chats.set_state(made.id, ChatState.PAUSED, "no rights")
        await work.chats.save(replace(made, language="zh"))
        named = await work.chats.ensure(place(), title="Radio")
        assert named.kind is ChatKind.PRIVATE
        channel = await work.chats.ensure(place(), kind=ChatKind.CHANNEL)
        await work.commit()
    assert channel == replace(
        made,
        title="Radio",
        kind=ChatKind.CHANNEL,
        language="zh",
        state=ChatState.PAUSED,
        reason="no rights",
    )


async def test_an_address_has_a_chat_for_each_topic(world: World, store: Store) -> None:
    mine = [await world.chat("1"), await world.chat("1", "7"), await world.chat("1", "8")]
    await world.chat("2")
    await world.chat("1", platform="discord")
    async with store.read() as work:
        assert await work.chats.at("telegram", "1") == mine
        assert await work.chats.at("telegram", "3") == []


async def test_a_new_topic_speaks_as_its_group_does(world: World, store: Store) -> None:
    group = replace(await world.chat("1"), language="ru", timezone="Asia/Omsk")
    async with store.write() as work:
        await work.chats.save(group)
        await work.commit()
    topic = await world.chat("1", "7")
    assert (topic.language, topic.timezone) == ("ru", "Asia/Omsk")


async def test_the_state_has_a_reason(world: World, store: Store) -> None:
    chat, other = await world.chat("1"), await world.chat("2")
    await world.set_state(chat, ChatState.GONE, "blocked")
    async with store.read() as work:
        assert await work.chats.get(chat.id) == replace(chat, state=ChatState.GONE, reason="blocked")
        assert await work.chats.get(other.id) == other


async def test_a_chat_moves_with_its_topics_and_all_they_have(world: World, store: Store) -> None:
    source = await world.source()
    chat, topic = (
        await world.follower(source, address="1"),
        await world.follower(None, address="1", topic="7"),
    )
    await world.set_state(chat, ChatState.GONE, "it was upgraded")
    (post,) = await world.posts(source, "a")
    await world.deliver(chat, post)
    await world.move("1", "-100")
    async with store.read() as work:
        assert await work.chats.at("telegram", "1") == []
        assert await work.chats.at("telegram", "-100") == [
            replace(chat, place=place("-100")),
            replace(topic, place=place("-100", "7")),
        ]
        assert [s.source_id for s in await work.subscriptions.of(chat.id)] == [source.id]
    assert await world.waiting(chat) == [(post,)]


async def test_moving_leaves_other_platforms_and_addresses_alone(world: World, store: Store) -> None:
    other, discord = await world.chat("2"), await world.chat("1", platform="discord")
    await world.chat("1")
    await world.move("1", "-100")
    await world.move("3", "-100")
    async with store.read() as work:
        assert await work.chats.get(other.id) == other
        assert await work.chats.get(discord.id) == discord
        assert len(await work.chats.all()) == 3


async def test_moving_to_where_it_is_changes_nothing(world: World, store: Store) -> None:
    source = await world.source()
    chat = await world.follower(source)
    await world.publish(source, "a")
    await world.move("100", "100")
    async with store.read() as work:
        assert await work.chats.all() == [chat]
        assert len(await work.subscriptions.of(chat.id)) == 1
    assert len(await world.waiting(chat)) == 1


async def test_the_old_settings_win(world: World, store: Store) -> None:
    async with store.write() as work:
        old = await work.chats.ensure(place("1"), title="Old", kind=ChatKind.GROUP)
        await work.chats.save(replace(old, language="zh"))
        new = await work.chats.ensure(place("-100"), title="New")
        await work.chats.save(replace(new, language="en"))
        await work.chats.move("telegram", "1", "-100")
        await work.commit()
    async with store.read() as work:
        (united,) = await work.chats.all()
    assert united == replace(old, place=place("-100"), language="zh")


async def test_topics_unite_one_by_one(world: World, store: Store) -> None:
    old = [await world.chat("1"), await world.chat("1", "7")]
    new = [await world.chat("-100", "7"), await world.chat("-100", "9")]
    await world.move("1", "-100")
    async with store.read() as work:
        moved = await work.chats.at("telegram", "-100")
    assert {(chat.id, chat.place.topic) for chat in moved} == {
        (old[0].id, ""),
        (old[1].id, "7"),
        (new[1].id, "9"),
    }


async def test_subscriptions_are_merged(world: World, store: Store) -> None:
    both, mine, theirs = [await world.source(name) for name in ("both", "mine", "theirs")]
    old = await world.follower(both, mine, address="1")
    await world.posts(both, "a")
    await world.follower(both, theirs, None, address="-100")
    await world.move("1", "-100")
    async with store.read() as work:
        followed = {s.source_id: s for s in await work.subscriptions.of(old.id)}
        assert followed.keys() == {both.id, mine.id, theirs.id, None}
        assert followed[both.id].starts_after == 0, "the old one's"
        assert len(await work.subscriptions.all()) == 4


async def test_what_either_was_sent_stays_sent(world: World) -> None:
    old, new = await world.chat("1"), await world.chat("-100")
    a, b, c = await world.posts(await world.source(), "a", "b", "c")
    await world.deliver(old, a)
    await world.deliver(new, b)
    for taken in await world.claim():
        await world.send(taken)
    await world.move("1", "-100")
    assert await world.deliver(old, a, b, c)
    assert await world.waiting(old) == [(c,)]


@pytest.mark.parametrize("sent_to", ["1", "-100"])
async def test_sent_wins_over_reserved(world: World, sent_to: str) -> None:
    old, new = await world.chat("1"), await world.chat("-100")
    (a,) = await world.posts(await world.source(), "a")
    await world.deliver(old, a)
    await world.deliver(new, a)
    for taken in await world.claim():
        if taken.chat.place.address == sent_to:
            await world.send(taken)
    await world.mark()
    await world.as_holder(2).recover()
    await world.move("1", "-100")
    assert await world.waiting(old) == [], "it is not sent again"
    assert not await world.deliver(old, a)
    assert {d.state for d in await world.of(old)} == {DeliveryState.SENT, DeliveryState.CANCELLED}


async def test_what_was_promised_to_both_is_sent_once(world: World) -> None:
    old, new = await world.chat("1"), await world.chat("-100")
    a, b = await world.posts(await world.source(), "a", "b")
    await world.deliver(old, a)
    await world.deliver(new, a, b)
    await world.move("1", "-100")
    assert await world.waiting(old) == [(a,), (b,)]
    ended = [d for d in await world.of(old) if d.state is DeliveryState.CANCELLED]
    assert ended == []


async def test_a_delivery_whose_posts_are_all_promised_is_cancelled(world: World) -> None:
    old, new = await world.chat("1"), await world.chat("-100")
    (a,) = await world.posts(await world.source(), "a")
    await world.deliver(old, a)
    await world.deliver(new, a)
    await world.move("1", "-100")
    assert await world.waiting(old) == [(a,)]
    (closed,) = [d for d in await world.of(old) if d.state is DeliveryState.CANCELLED]
    assert closed.reason
    assert await world.prune(after(60)) == 1, "it has ended"


async def test_notices_of_both_are_still_sent(world: World) -> None:
    old, new = await world.chat("1"), await world.chat("-100")
    await world.deliver(old, body="for the old one")
    await world.deliver(new, body="for the new one")
    await world.move("1", "-100")
    waiting = [d for d in await world.of(old) if d.state is DeliveryState.PENDING]
    assert [d.broadcast.body for d in waiting] == ["for the old one", "for the new one"]


async def test_one_edition_for_both_is_sent_once(world: World) -> None:
    source = await world.source()
    old, _ = await world.follower(source, address="1"), await world.follower(source, address="-100")
    (post,) = await world.publish(source, "a")
    await world.move("1", "-100")
    (united,) = await world.found()
    assert (united.chat.id, united.posts, united.state) == (old.id, (post,), DeliveryState.PENDING)
    (taken,) = await world.claim()
    await world.send(taken)


async def test_one_edition_that_only_the_new_one_still_waits_for_is_not_lost(world: World) -> None:
    source = await world.source()
    old, _ = await world.follower(source, address="1"), await world.follower(source, address="-100")
    (post,) = await world.publish(source, "a")
    await world.cancel("kicked", chat=old)
    await world.move("1", "-100")
    assert await world.waiting(old) == [(post,)]


async def test_a_part_of_an_edition_that_only_the_new_one_was_promised_is_not_lost(world: World) -> None:
    source = await world.source()
    new = await world.follower(source, address="-100")
    (early,) = await world.posts(source, "early")
    old = await world.follower(source, address="1")
    (late,) = await world.posts(source, "late")
    async with world.store.write() as work:
        made = await edition(work, early, late)
        await work.outbox.fan_out(made, source, after(0))
        await work.commit()
    assert (await world.waiting(new), await world.waiting(old)) == ([(early, late)], [(late,)])
    await world.move("1", "-100")
    assert await world.waiting(old) == [(early, late)]


async def test_what_was_being_sent_to_the_new_one_goes_on(world: World) -> None:
    old, new = await world.chat("1"), await world.chat("-100")
    (a,) = await world.posts(await world.source(), "a")
    await world.deliver(new, a)
    (taken,) = await world.claim()
    sending = part(taken.id, posts=(a,))
    await world.begin(sending)
    await world.move("1", "-100")
    arrived = replace(sending, state=PartState.SENT)
    await world.mark(PartEnded(arrived, (a,)), Closed(taken.id, DeliveryState.SENT))
    (sent,) = await world.of(old)
    assert (sent.state, sent.posts) == (DeliveryState.SENT, (a,))
