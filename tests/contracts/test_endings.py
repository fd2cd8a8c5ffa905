"""Subscriptions that were ended and are restored; questions of buttons."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select, update

from content.formats import Detail, Format
from scheduler.ports import Asked, Store
from scheduler.types import Chat, Subscription
from scheduler.upkeep import Keep, Upkeep
from storage.database import create_engine
from storage.tables import ENDINGS
from tests.builders import NOW
from tests.contracts.world import World
from tests.fakes import FakeClock


async def subscriptions(store: Store, chat: Chat) -> list[Subscription]:
    """What a chat follows, without the ids, which are new after an undo."""
    async with store.read() as work:
        return [replace(one, id=0) for one in await work.subscriptions.of(chat.id)]


async def end_all(store: Store, chat: Chat) -> int:
    async with store.write() as work:
        followed = await work.subscriptions.of(chat.id)
        number = await work.endings.keep(chat.id, [one.id for one in followed], NOW)
        for one in followed:
            await work.subscriptions.remove(chat.id, one.source_id)
        await work.commit()
    return number


async def restore(store: Store, chat: Chat, number: int) -> int | None:
    async with store.write() as work:
        restored = await work.endings.restore(chat.id, number)
        await work.commit()
    return restored


async def test_what_was_ended_comes_back_as_it_was_and_once(store: Store) -> None:
    world = World(store)
    source, gone, chat = await world.source(), await world.source("gone"), await world.chat("1")
    async with store.write() as work:
        for source_id in (None, source.id, gone.id):
            await work.subscriptions.add(chat.id, source_id)
        await work.subscriptions.set_choices(chat.id, source.id, Format(detail=Detail.FULL))
        await work.commit()
    before = await subscriptions(store, chat)
    await world.posts(source, "later")
    number = await end_all(store, chat)
    async with store.write() as work:
        await work.sources.remove(gone.id)
        await work.subscriptions.add(chat.id, None)
        await work.commit()
    assert await restore(store, await world.chat("2"), number) is None
    assert await restore(store, chat, number) == 1  # one source is gone, and one is followed anew
    assert await restore(store, chat, number) is None
    assert [one for one in await subscriptions(store, chat) if one.source_id == source.id] == [before[1]]


async def test_an_ending_of_an_earlier_version_comes_back(store: Store, database_url: str) -> None:
    source, chat = await World(store).source(), await World(store).chat("1")
    await World(store).follow(chat, source)
    before, number = await subscriptions(store, chat), await end_all(store, chat)
    engine = create_engine(database_url)
    async with engine.execution_options(write=True).begin() as connection:
        (row,) = (await connection.execute(select(ENDINGS.c.rows))).scalar_one()
        del row["paused_until"]
        await connection.execute(update(ENDINGS).values(rows=[row | {"mode": "digest"}]))
    await engine.dispose()
    assert await restore(store, chat, number) == 1
    assert await subscriptions(store, chat) == before


async def test_an_ending_is_kept_for_a_day_and_a_question_for_a_month(store: Store) -> None:
    world, clock = World(store), FakeClock()
    await world.source()
    chat = await world.chat("1")
    number, asked = await end_all(store, chat), Asked("z:1?", "Which?", "This", "fake:7", "55")
    async with store.write() as work:
        await work.questions.ask(chat.id, [asked, replace(asked, message="")], NOW)
        await work.questions.ask(chat.id, [replace(asked, prompt="Which now?")], NOW)
        await work.commit()
    async with store.read() as work:
        found = await work.questions.of_message(chat.id, "55")
        assert found and found.prompt == "Which now?"
        found = await work.questions.of_button(chat.id, "z:1?")
        assert found == replace(asked, message="")
        assert await work.questions.of_button(chat.id + 1, "z:1?") is None
    clock.advance(timedelta(days=1, seconds=1).total_seconds())
    await Upkeep(store, clock, Keep()).run()
    assert await restore(store, chat, number) is None
    async with store.read() as work:
        assert await work.questions.of_message(chat.id, "55")
    clock.advance(timedelta(days=30).total_seconds())
    await Upkeep(store, clock, Keep()).run()
    async with store.read() as work:
        assert await work.questions.of_message(chat.id, "55") is None
