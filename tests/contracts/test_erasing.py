"""Erasing a chat: nothing is left that names it, and nobody else loses anything."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from content.types import Correction, Match, Visibility
from scheduler.actions import chats, forgetting
from scheduler.actions.audit import COMMAND_LINE
from scheduler.ports import Asked, Closed, Edit, Found, PartEnded, Shown, Store
from scheduler.types import Chat, ChatState, DeliveryState, Digest, Draft, DraftState, PartState, Place, Sent
from storage.database import create_engine
from storage.tables import METADATA
from tests.builders import NOW, after, part, place, with_digest
from tests.contracts.world import World

Rows = Callable[[], Awaitable[dict[str, list[str]]]]


@pytest.fixture
def rows(database_url: str, store: Store) -> Rows:
    """All rows of each table, as text, but for the words of the index, which are counted."""

    async def read() -> dict[str, list[str]]:
        engine = create_engine(database_url)
        async with engine.connect() as connection:
            found = {
                table.name: [repr(tuple(row)) for row in await connection.execute(select(table))]
                for table in METADATA.sorted_tables
                if table.name != "search_words"
            }
        await engine.dispose()
        return found

    return read


async def lived_in(world: World, store: Store, address: str, topic: str = "") -> Chat:
    """A chat that leaves a trace in every table; all texts of its own hold its address."""
    name = str(place(address, topic))
    source = await world.source(f"of-{address}-{topic}")
    chat = await world.follower(source, None, address=address, topic=topic)
    await world.publish(source, f"post-{address}-{topic}")
    await world.filter(chat, source, None)
    (taken,) = [one for one in await world.claim() if one.chat.id == chat.id]
    sending = part(taken.id, posts=taken.posts)
    await world.begin(sending)
    arrived = replace(sending, state=PartState.SENT, sent=Sent(name, ("1",)))
    await world.mark(PartEnded(arrived, taken.posts), Closed(taken.id, DeliveryState.SENT, name))
    await world.deliver(chat, body=f"{name} was closed", now=after(5))  # it waits
    async with store.write() as work:
        await with_digest(work, Digest(0, chat.id, "daily 09:00", "UTC", after(1), title=name))
        await work.drafts.add(Draft(0, chat.id, name, name, False, DraftState.PREVIEW, None, NOW))
        await work.sources.add("updates", f"updates:{name}", "updates", Visibility.PRIVATE)
        await work.searches.save(
            chat.id, Found(f"who is {name}", (1,), 1, Match(corrections=(Correction(name, name),))), NOW
        )
        await work.edits.record(chat.id, Edit(taken.id, NOW, (name,), done=True), NOW)
        await work.views.remember({chat.id: Shown(f"l:0:1:{name}", 1, (1,))})
        await work.questions.ask(chat.id, [Asked("u:f", name, name, name)], NOW)
        await work.endings.keep(chat.id, [one.id for one in await work.subscriptions.of(chat.id)], NOW)
        await work.people.writes_in(name, chat.id)
        await work.people.manage(name, chat.id, chat.id)
        await work.people.manage(name, chat.id, chat.id)
        await work.chats.set_state(chat.id, ChatState.GONE, "")
        await work.chats.set_state(chat.id, ChatState.ACTIVE, "")
        for actor, target in (("cli", f"{name} daily 09:00"), ("cli", repr(chat.place)), (name, "draft 1")):
            await work.audit.add(actor, "did", target, NOW)
        await work.commit()
    return chat


async def test_an_erased_chat_leaves_nothing_that_names_it(world: World, store: Store, rows: Rows) -> None:
    neighbour = await lived_in(world, store, "10015")
    before = await rows()
    gone = [await lived_in(world, store, "1001"), await lived_in(world, store, "1001", "7")]
    async with store.read() as work:
        exported = await forgetting.exported(work, Place("telegram", "1001"))
    assert [one["place"] for one in exported] == [str(chat.place) for chat in gone]
    assert "telegram:10015" not in json.dumps(exported, default=str)
    assert not {table for table, of_chat in exported[0].items() if not of_chat}
    assert await chats.remove(store, COMMAND_LINE, Place("telegram", "1001"), NOW) == 2
    after_all = await rows()
    for table, left in after_all.items():
        assert set(before[table]) <= set(left), table
        new = [row for row in left if row not in before[table] and "https://example.org" not in row]
        assert not [row for row in new if "1001" in row], table
    async with store.read() as work:
        assert [chat.id for chat in await work.chats.all()] == [neighbour.id]
        assert not [s for s in await work.subscriptions.all() if s.chat_id in {chat.id for chat in gone}]


async def test_one_topic_is_erased_without_its_group(world: World, store: Store) -> None:
    group, topic = await world.chat("1"), await world.chat("1", "7")
    assert await chats.remove(store, COMMAND_LINE, topic.place, NOW) == 0
    async with store.read() as work:
        assert await work.chats.all() == [group]


async def test_what_was_on_its_way_to_an_erased_chat_harms_nothing(world: World, store: Store) -> None:
    chat, other = await world.chat("1"), await world.chat("2")
    for receiver in (chat, other):
        await world.deliver(receiver, body="Hello")
    first, second = await world.claim()
    sending = [part(first.id), part(second.id)]
    assert await world.begin(*sending) == sending
    assert await chats.remove(store, COMMAND_LINE, chat.place, NOW) == 1
    arrived = [replace(one, state=PartState.SENT, sent=Sent("1", ("1",))) for one in sending]
    ends = [Closed(one.id, DeliveryState.SENT) for one in (first, second)]
    await world.mark(*map(PartEnded, arrived), *ends)
    assert [(delivery.chat.id, delivery.state) for delivery in await world.found()] == [
        (other.id, DeliveryState.SENT)
    ]
