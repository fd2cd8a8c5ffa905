"""Banned chats get nothing, allowed ones are remembered, and what quotas count is counted."""

import pytest

from content.types import Visibility
from scheduler import membership
from scheduler.ports import Closed, DeliveryFilter, Store
from scheduler.timetable.digests import edition as digest_edition
from scheduler.types import (
    Chat,
    ChatAccess,
    DeliveryState,
    Digest,
    Draft,
    DraftState,
    Place,
    WhenEmpty,
)
from tests.builders import NOW, after, place, with_digest
from tests.contracts.world import World


async def grant(world: World, chat: Chat, access: ChatAccess) -> None:
    async with world.store.write() as work:
        await membership.grant(work, chat.place, access, NOW)
        await work.commit()


async def access_of(world: World, address: str, topic: str = "") -> ChatAccess:
    async with world.store.read() as work:
        chat = await work.chats.find(place(address, topic))
    assert chat is not None
    return chat.access


async def test_a_banned_chat_loses_what_waits_and_gets_nothing_new(world: World) -> None:
    source = await world.source()
    banned, other = await world.follower(None, address="1"), await world.follower(source, address="2")
    (first,) = await world.publish(source, "a")
    await grant(world, banned, ChatAccess.BANNED)
    (second,) = await world.publish(source, "b")
    assert await world.waiting(banned) == []
    assert await world.waiting(other) == [(first,), (second,)]
    (lost,) = [delivery for delivery in await world.found() if delivery.chat.id == banned.id]
    assert (lost.state, lost.reason) == (DeliveryState.CANCELLED, membership.BANNED)
    assert not await world.deliver(banned, second)
    assert not await world.deliver(banned, body="A notice")
    assert [d.chat.id for d in await world.claim()] == [other.id]


async def test_who_is_let_in_again_is_not_flooded(world: World) -> None:
    source = await world.source()
    chat = await world.follower(source)
    await grant(world, chat, ChatAccess.BANNED)
    await world.publish(source, "a")
    await grant(world, chat, ChatAccess.ALLOWED)
    assert await world.waiting(chat) == []
    (new,) = await world.publish(source, "b")
    assert await world.waiting(chat) == [(new,)]


async def test_a_banned_chats_digest_makes_nothing_and_forgets_what_it_missed(world: World) -> None:
    source = await world.source()
    chat = await world.follower(source)
    digest = Digest(0, chat.id, "daily 09:00", "UTC", after(1), when_empty=WhenEmpty.SAY)
    async with world.store.write() as work:
        digest = await with_digest(work, digest)
        await work.commit()
    await grant(world, chat, ChatAccess.BANNED)
    await world.posts(source, "a")
    async with world.store.write() as work:
        assert not await digest_edition(work, digest, NOW, slot=None)
        await work.commit()
    await grant(world, chat, ChatAccess.ALLOWED)
    async with world.store.read() as work:
        assert await work.digests.unsent(chat.id) == []


async def test_what_failed_in_a_banned_chat_is_not_tried_again(world: World) -> None:
    source = await world.source()
    chat = await world.follower(source)
    await world.publish(source, "a")
    (delivery,) = await world.claim()
    await world.record([], Closed(delivery.id, DeliveryState.FAILED, "rejected"))
    await grant(world, chat, ChatAccess.BANNED)
    async with world.store.write() as work:
        assert await work.outbox.retry(DeliveryFilter(), NOW) == 0
        await work.commit()
    await grant(world, chat, ChatAccess.ALLOWED)
    async with world.store.write() as work:
        assert await work.outbox.retry(DeliveryFilter(), NOW) == 1
        await work.commit()


async def test_topics_follow_their_group(world: World) -> None:
    group, topic = await world.chat("5"), await world.chat("5", "7")
    await grant(world, group, ChatAccess.BANNED)
    await world.chat("5", "8")
    assert [await access_of(world, "5", t) for t in ("", "7", "8")] == [ChatAccess.BANNED] * 3
    await grant(world, topic, ChatAccess.ALLOWED)
    assert await access_of(world, "5", "7") is ChatAccess.ALLOWED
    assert await access_of(world, "5") is ChatAccess.BANNED
    await world.chat("6", "7")
    assert await access_of(world, "6", "7") is ChatAccess.DEFAULT


@pytest.mark.parametrize(
    ("old", "new", "then"),
    [
        (ChatAccess.BANNED, ChatAccess.DEFAULT, ChatAccess.BANNED),
        (ChatAccess.DEFAULT, ChatAccess.BANNED, ChatAccess.BANNED),
        (ChatAccess.ALLOWED, ChatAccess.BANNED, ChatAccess.BANNED),
        (ChatAccess.DEFAULT, ChatAccess.ALLOWED, ChatAccess.ALLOWED),
        (ChatAccess.DEFAULT, ChatAccess.DEFAULT, ChatAccess.DEFAULT),
    ],
)
async def test_a_ban_moves_with_the_chat(
    world: World, old: ChatAccess, new: ChatAccess, then: ChatAccess
) -> None:
    for address, access in (("1", old), ("2", new)):
        await grant(world, await world.chat(address), access)
    await world.move("1", "2")
    assert await access_of(world, "2") is then
    await world.move("2", "3")
    assert await access_of(world, "3") is then


async def test_saving_how_a_chat_is_served_leaves_its_access(world: World) -> None:
    chat = await world.chat()
    await grant(world, chat, ChatAccess.BANNED)
    async with world.store.write() as work:
        await work.chats.save(chat)
        await work.commit()
    assert await access_of(world, chat.place.address) is ChatAccess.BANNED


async def test_private_feeds_are_counted(store: Store, world: World) -> None:
    chat, private = await world.chat(), Visibility.PRIVATE
    async with store.write() as work:
        await work.sources.add("feed", "https://example.org/open", "", Visibility.PUBLIC, added_by="fake:7")
        own = await work.sources.add("updates", "updates:fake:1", "", private)
        mine = await work.sources.add("feed", "https://example.org/1", "", private, added_by="fake:7")
        await work.sources.add("feed", "https://example.org/2", "", private, added_by="fake:8")
        await work.sources.add("feed", "https://example.org/3", "", private)
        for source in (own, mine):
            await work.subscriptions.add(chat.id, source.id)
        await work.subscriptions.add(chat.id, None)
        assert await work.sources.count_private() == 3
        assert await work.sources.count_private(added_by="fake:7") == 1
        assert await work.sources.count_private(chat_id=chat.id) == 1
        assert await work.sources.count_private(chat_id=chat.id + 1) == 0


async def test_drafts_are_counted_whatever_became_of_them(store: Store, world: World) -> None:
    chat = await world.chat()
    async with store.write() as work:
        for minutes, actor, state in (
            (0, "fake:7", DraftState.PREVIEW),
            (1, "fake:7", DraftState.DISCARDED),
            (2, "fake:8", DraftState.PREVIEW),
        ):
            await work.drafts.add(Draft(0, chat.id, actor, "x", False, state, None, after(minutes)))
        assert await work.drafts.written_since("fake:7", after(-1)) == 2
        assert await work.drafts.written_since("fake:7", after(0)) == 1
        assert await work.drafts.written_since("fake:9", after(-1)) == 0


async def test_the_audit_is_read_from_its_end(store: Store) -> None:
    async with store.write() as work:
        for minutes in range(5):
            await work.audit.add("fake:7", "refused", str(minutes), after(minutes))
            await work.audit.add("fake:7", "subscribe", str(minutes), after(minutes))
        found = await work.audit.newest(3, since=after(1), action="refused")
    assert [(entry.target, entry.at) for entry in found] == [(str(n), after(n)) for n in (4, 3, 2)]


async def test_the_audit_of_a_chat_is_its_own(store: Store) -> None:
    for target in (
        "telegram:5",
        "telegram:5 all",
        "telegram:55 all",
        "telegram:5/7 all",
        "x telegram:5",
        "5%",
    ):
        async with store.write() as work:
            await work.audit.add("cli", "subscribe", target, NOW)
            await work.commit()
    async with store.read() as work:
        found = await work.audit.newest(10, place=Place("telegram", "5"))
        assert [entry.target for entry in found] == ["telegram:5 all", "telegram:5"]
        assert len(await work.audit.newest(4)) == 4
