"""The schema: one head, the same as the models, up and down, safe when several processes start at once."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from content.errors import StoreTooNew
from content.formats import DEFAULT
from content.i18n import Translator
from content.tokens import TOKENIZER_VERSION
from content.types import NO_OPTIONS, Failure, Match, Rhythm, Visibility
from content.typos import Near
from scheduler.actions.why import Because
from scheduler.membership import deactivate, reactivate_address
from scheduler.ports import Batch, Found
from scheduler.types import Broadcast, BroadcastKind, Digest, Draft, DraftState
from storage import models
from storage.database import create_engine
from storage.migrate import alembic_config, is_current, known_revisions, migrate
from storage.models import Base, TombstoneRow
from storage.unit_of_work import SqlStore
from tests.builders import NOW, new_post, with_digest
from tests.contracts.world import World

BY_HAND = ("post_fts", "post_search")


@contextlib.asynccontextmanager
async def engine_for(url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(url)
    try:
        yield engine
    finally:
        await engine.dispose()


def tables(connection: Connection) -> set[str]:
    return {name for name in inspect(connection).get_table_names() if not name.startswith("sqlite_")}


def differences(connection: Connection) -> list[Any]:
    """What autogenerate would change, but for the index, which is made by hand."""

    def include_name(name: str | None, kind: str, _parents: object) -> bool:
        return not (kind == "table" and (name or "").startswith(BY_HAND))

    options = {"include_name": include_name, "compare_type": True}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), models.tables()))


def downgrade(connection: Connection, revision: str) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.downgrade(config, revision)


def test_there_is_one_head() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    assert scripts.get_heads() == [max(known_revisions())]
    assert {script.revision for script in scripts.walk_revisions()} == known_revisions()


async def test_the_migrations_make_what_the_models_say(database_url: str) -> None:
    async with engine_for(database_url) as engine, engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        made = await connection.run_sync(tables)
    assert set(Base.metadata.tables) <= made


async def test_a_difference_would_be_noticed(database_url: str) -> None:
    async with engine_for(database_url) as engine:
        async with engine.execution_options(write=True).begin() as connection:
            await connection.execute(text("DROP INDEX ix_posts_key"))
            await connection.execute(text("ALTER TABLE chats ADD COLUMN colour TEXT"))
        async with engine.connect() as connection:
            assert len(await connection.run_sync(differences)) == 2


async def test_down_to_nothing_and_up_again(database_url: str) -> None:
    async with engine_for(database_url) as engine:
        async with engine.connect() as connection:
            before = await connection.run_sync(tables)
        async with engine.execution_options(write=True).begin() as connection:
            await connection.run_sync(downgrade, "base")
        async with engine.connect() as connection:
            assert await connection.run_sync(tables) == {"alembic_version"}
        await migrate(engine)
        async with engine.connect() as connection:
            assert await connection.run_sync(tables) == before
            assert await connection.run_sync(differences) == []


async def test_rows_of_the_version_before_are_carried_along(database_url: str) -> None:
    """What stood in the tables before is there afterwards, and nothing of it counts as old."""

    store = await SqlStore.open(database_url)
    world = World(store)
    source, chat = await world.source(), await world.chat("1")
    private = await world.source("private", Visibility.PRIVATE)
    (post_id,) = await world.posts(source, new_post(text="antenna"))
    async with store.write() as work:
        draft = Draft(0, chat.id, "telegram:1", "text", False, DraftState.SCHEDULED, NOW, NOW)
        draft = await work.drafts.add(draft)
        chat = replace(chat, language="zh")
        await work.chats.save(chat)
        search = await work.searches.save(chat.id, Found("antenna", (post_id,), 1), NOW)
        await work.commit()
    await store.close()
    async with engine_for(database_url) as engine:
        async with engine.execution_options(write=True).begin() as connection:
            await connection.execute(
                text("INSERT INTO tombstones (source_id, guid, key) VALUES (:source, 'gone', 'gone')"),
                {"source": source.id},
            )
            await connection.run_sync(downgrade, "0002")
        await migrate(engine)
        async with engine.connect() as connection:
            seen_at = (await connection.execute(select(TombstoneRow.seen_at))).scalar_one()
    store = await SqlStore.open(database_url)
    async with store.read() as work:
        assert await work.sources.get(source.id) == source
        people = await work.sources.get(private.id)
        assert await work.chats.get(chat.id) == chat
        assert await work.people.language("telegram:1") == "zh", "it is the private chat of that person"
        (post,) = await work.posts.by_ids([post_id])
        carried = await work.drafts.get(draft.id)
        assert await work.searches.get(search, chat.id) is None, "nobody knows whose it was"
    await store.close()
    assert post.title == new_post(text="antenna").title
    assert carried is not None and replace(carried, created_at=NOW) == draft
    assert people is not None and people.added_by, "people's feeds stay away from the operator's networks"
    assert min(seen_at, carried.created_at) > NOW, "they count as made when the bounds came"


async def test_sources_and_notices_of_revision_3_are_carried_along(database_url: str) -> None:
    store = await SqlStore.open(database_url)
    known = await World(store).source()
    source = replace(known, last_error="it timed out", failures=2, failing_since=NOW, polled_at=NOW)
    notice = "News {a}: the topic was closed. What was to be sent there waits."
    await World(store).deliver(await World(store).chat(), body=notice)
    async with store.write() as work:
        await work.sources.save(replace(source, moved_to="https://example.net", unread=(Failure("a", "b"),)))
        await work.commit()
    await store.close()
    async with engine_for(database_url) as engine:
        async with engine.execution_options(write=True).begin() as connection:
            await connection.run_sync(downgrade, "0003")
        await migrate(engine)
    store = await SqlStore.open(database_url)
    async with store.read() as work:
        assert await work.sources.get(source.id) == source
    (waiting,) = await World(store).claim()
    assert Translator("zh").t(waiting.broadcast.body, **waiting.broadcast.values) == notice
    await store.close()


async def test_sources_of_revision_6_are_carried_along(database_url: str) -> None:
    """They get options of version 1; what admins write is not polled any more, and so cannot be failing."""
    store = await SqlStore.open(database_url)
    world = World(store)
    feed = replace(
        await world.source(), failures=2, failing_since=NOW, last_error="it timed out", polled_at=NOW
    )
    chat = await world.follower(feed)
    (post_id,) = await world.posts(feed, new_post(text="antenna"))
    async with store.write() as work:
        updates = await work.sources.add("updates", "updates:", "updates", Visibility.PUBLIC)
        await work.sources.save(replace(updates, failures=1, last_error="the database is locked"))
        await work.sources.save(feed)
        await work.commit()
    await store.close()
    async with engine_for(database_url) as engine:
        async with engine.execution_options(write=True).begin() as connection:
            await connection.run_sync(downgrade, "0006")
        await migrate(engine)
    store = await SqlStore.open(database_url)
    async with store.read() as work:
        assert await work.sources.get(feed.id) == replace(feed, options=NO_OPTIONS)
        assert await work.sources.get(updates.id) == updates
        assert [post.id for post in await work.posts.by_ids([post_id])] == [post_id]
        assert [one.source_id for one in await work.subscriptions.of(chat.id)] == [feed.id]
    assert await World(store).search("antenna") == (post_id,)
    await store.close()


async def test_posts_that_wait_to_be_indexed_are_found_by_an_earlier_version(database_url: str) -> None:
    store = await SqlStore.open(database_url)
    source = await World(store).source()
    async with store.write() as work:
        ((post_id,),) = await work.posts.insert_all([Batch(source.id, [new_post(text="antenna")])], NOW)
        await work.commit()
    assert await World(store).search("antenna") == ()
    await store.close()
    async with engine_for(database_url) as engine:
        async with engine.execution_options(write=True).begin() as connection:
            await connection.run_sync(downgrade, "0022")
        await migrate(engine)
    store = await SqlStore.open(database_url)
    assert await World(store).search("antenna") == (post_id,)
    await store.close()


async def test_searches_are_carried_along(database_url: str) -> None:
    store = await SqlStore.open(database_url)
    world = World(store)
    chat = await world.chat()
    await world.posts(await world.source(), new_post(text="antenna"))
    async with store.write() as work:
        search = await work.searches.save(chat.id, Found("antenna", (3, 1, 2), 1001, Match(exact=1001)), NOW)
        kept = await work.searches.get(search, chat.id)
        await work.commit()
    await store.close()
    async with engine_for(database_url) as engine:
        async with engine.execution_options(write=True).begin() as connection:
            await connection.run_sync(downgrade, "0007")
            assert (await connection.execute(text("SELECT relaxed FROM searches"))).scalar_one() in (False, 0)
        await migrate(engine)
    store = await SqlStore.open(database_url)
    async with store.read() as work:
        assert kept is not None and await work.searches.get(search, chat.id) == kept
        assert await work.index.has(["antenna"]), "the index has its words"
    await store.close()


async def test_deliveries_of_revision_8_are_carried_along(database_url: str) -> None:
    """Nothing was chosen before, so that posts look as they did."""
    store = await SqlStore.open(database_url)
    source = await World(store).source()
    chat = await World(store).follower(source)
    await World(store).publish(source, "a")
    (before,) = await World(store).found()
    await store.close()
    async with engine_for(database_url) as engine:
        async with engine.execution_options(write=True).begin() as connection:
            await connection.run_sync(downgrade, "0008")
        await migrate(engine)
    store = await SqlStore.open(database_url)
    assert await World(store).found() == [before] and before.format == DEFAULT
    async with store.read() as work:
        assert await work.chats.get(chat.id) == chat
    await store.close()


async def test_posts_of_revision_10_are_carried_along(database_url: str) -> None:
    """None of them counts as changed, so that nothing is edited after the upgrade."""
    store = await SqlStore.open(database_url)
    source = await World(store).source()
    ids = await World(store).posts(source, "a", "b")
    async with store.write() as work:
        before = await work.posts.by_ids(ids)
        await work.posts.set_withdrawn(ids[:1], True, NOW)
        await work.commit()
    await store.close()
    async with engine_for(database_url) as engine:
        async with engine.execution_options(write=True).begin() as connection:
            await connection.run_sync(downgrade, "0010")
        await migrate(engine)
        async with engine.connect() as connection:
            assert set(await connection.scalars(text("SELECT changed_at FROM posts"))) == {None}
            assert set(await connection.scalars(text("SELECT raw_hash FROM posts"))) == {""}
    store = await SqlStore.open(database_url)
    async with store.read() as work:
        assert await work.posts.by_ids(ids) == before
    await store.close()


async def test_subscriptions_of_revision_13_are_carried_along(database_url: str) -> None:
    """They have no filter, so that every post passes."""
    store = await SqlStore.open(database_url)
    source = await World(store).source()
    chat = await World(store).follower(source, None)
    async with store.read() as work:
        before = await work.subscriptions.of(chat.id)
    await World(store).filter(chat, source, "antenna")
    await World(store).publish(source, "a")
    await store.close()
    async with engine_for(database_url) as engine:
        async with engine.execution_options(write=True).begin() as connection:
            await connection.run_sync(downgrade, "0013")
        await migrate(engine)
    store = await SqlStore.open(database_url)
    async with store.read() as work:
        assert await work.subscriptions.of(chat.id) == before
    await World(store).publish(source, "b")
    assert len(await World(store).found()) == 1, "the first one had not passed"
    await store.close()


async def test_digests_of_revision_14_are_carried_along(database_url: str) -> None:
    """What came with a chat's digest still does, and slots that ran do not run again."""
    store = await SqlStore.open(database_url)
    world = World(store)
    source = await world.source()
    daily, instant = await world.follower(source, address="1"), await world.follower(source, address="2")
    async with store.write() as work:
        digest = await with_digest(work, Digest(0, daily.id, "daily 09:00", "UTC", NOW, NOW, "Radio", 7))
        await work.digests.save(replace(digest, id=0, name="2"))
        slot = Broadcast(BroadcastKind.EDITION, digest_id=digest.id, slot=NOW)
        assert await work.outbox.broadcast(slot, NOW) is not None
        before = [await work.subscriptions.of(chat.id) for chat in (daily, instant)]
        await work.commit()
    await store.close()
    async with engine_for(database_url) as engine:
        async with engine.execution_options(write=True).begin() as connection:
            await connection.run_sync(downgrade, "0014")
            modes = await connection.scalars(text("SELECT mode FROM subscriptions ORDER BY id"))
            assert modes.all() == ["digest", "instant"]
        await migrate(engine)
    store = await SqlStore.open(database_url)
    async with store.write() as work:
        assert await work.digests.all() == [digest]
        assert [await work.subscriptions.of(chat.id) for chat in (daily, instant)] == before
        assert await work.outbox.broadcast(slot, NOW) is None
        assert await work.chats.get(daily.id) == daily
    await store.close()


async def test_subscriptions_of_revision_17_are_carried_along(database_url: str) -> None:
    """Those without a digest began where they begin now; what a filter has left out is known.

    So is what comes after the migration while a chat is gone.
    """
    store = await SqlStore.open(database_url)
    world = World(store)
    source = await world.source()
    await world.posts(source, "before")
    chat = await world.follower(source)
    await world.filter(chat, source, "antenna")
    (post_id,) = await world.publish(source, "a")
    away = await world.follower(source, address="200")
    async with store.write() as work:
        await deactivate(work, away, "the bot was removed", NOW)
        await work.commit()
    async with store.read() as work:
        before = (await work.history.stored(chat.id))["subscriptions"]
    await store.close()
    async with engine_for(database_url) as engine:
        async with engine.execution_options(write=True).begin() as connection:
            await connection.run_sync(downgrade, "0017")
        await migrate(engine)
    store = await SqlStore.open(database_url)
    async with store.read() as work:
        assert (await work.history.stored(chat.id))["subscriptions"] == before
    world = World(store)
    (why,) = await world.why(chat, [post_id])
    assert why.because is Because.FILTERED
    (missed,) = await world.publish(source, "missed")
    async with store.write() as work:
        await reactivate_address(work, "telegram", "200", NOW)
        await work.commit()
    (why,) = await world.why(away, [missed])
    assert why.because is Because.AWAY
    await store.close()


async def test_sources_of_revision_19_begin_quick_and_keep_the_beginning_of_failures(
    database_url: str,
) -> None:
    store = await SqlStore.open(database_url)
    good, bad = await World(store).source("good"), await World(store).source("bad")
    known = Rhythm(NOW, posts=5)
    async with store.write() as work:
        for source, failures in ((good, 0), (bad, 3)):
            await work.sources.save(replace(source, failures=failures, polled_at=NOW, rhythm=known))
        await work.commit()
    await store.close()
    async with engine_for(database_url) as engine:
        async with engine.execution_options(write=True).begin() as connection:
            await connection.run_sync(downgrade, "0019")
        await migrate(engine)
    store = await SqlStore.open(database_url)
    async with store.read() as work:
        for source, failures, since in ((good, 0, None), (bad, 3, NOW)):
            expected = replace(source, failures=failures, polled_at=NOW, failing_since=since)
            assert await work.sources.get(source.id) == expected
    await store.close()


async def test_an_empty_database_is_not_current_and_becomes_it(empty_database_url: str) -> None:
    async with engine_for(empty_database_url) as engine:
        async with engine.connect() as connection:
            assert not await connection.run_sync(is_current)
        await migrate(engine)
        await migrate(engine)
        async with engine.connect() as connection:
            assert await connection.run_sync(is_current)


async def test_stores_that_open_at_once_do_not_collide(empty_database_url: str) -> None:
    stores = await asyncio.gather(*(SqlStore.open(empty_database_url) for _ in range(4)))
    for store in stores:
        await World(store).chat("1")
    async with stores[0].read() as work:
        assert len(await work.chats.all()) == 1
    for store in stores:
        await store.close()


# Opens the store when it is told to, so that the processes do so at the same moment.
PROCESS = """
import asyncio, sys
from storage.unit_of_work import SqlStore

async def main():
    store = await SqlStore.open(sys.argv[1])
    async with store.read() as work:
        print(len(await work.chats.all()))
    await store.close()

print("ready", flush=True)
sys.stdin.readline()
asyncio.run(main())
"""


async def test_two_processes_that_start_at_once_do_not_collide(empty_database_url: str) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROCESS, empty_database_url, stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    for ended, errors in await asyncio.gather(*(process.communicate(b"\n") for process in processes)):
        assert (ended, errors) == (b"0\n", b"")
    assert [process.returncode for process in processes] == [0, 0]


async def test_a_database_of_a_newer_skywave_is_refused(database_url: str) -> None:
    async with engine_for(database_url) as engine, engine.execution_options(write=True).begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreTooNew, match="revision 9999 of a newer Skywave") as caught:
        await SqlStore.open(database_url)
    assert "\n" not in str(caught.value)


async def set_tokenizer(store: SqlStore, url: str, version: str) -> None:
    """Let the index look as if another tokenizer had made it, of other words."""
    forget = {
        "sqlite": "INSERT INTO post_fts (post_fts) VALUES ('delete-all')",
        "postgresql": "DELETE FROM post_search",
    }
    async with engine_for(url) as engine, engine.execution_options(write=True).begin() as connection:
        await connection.execute(text("UPDATE meta SET value = :version"), {"version": version})
        await connection.execute(text(forget[engine.dialect.name]))
    assert await World(store).search("antenna") == ()


async def test_the_index_of_another_tokenizer_is_built_anew(database_url: str) -> None:
    store = await SqlStore.open(database_url)
    world = World(store)
    ids = await world.posts(await world.source(), *(new_post(str(n), text="antenna 天波") for n in range(3)))
    await set_tokenizer(store, database_url, "an older one")
    again = await SqlStore.open(database_url)
    assert set(await World(again).search("antenna")) == set(await World(again).search("天波")) == set(ids)
    async with again.read() as work:
        assert await work.index.near(Near("ante", "ntenna", 1, 9)) == [("antenna", 3)], (
            "words are counted anew"
        )
    await store.close()
    await again.close()


async def test_the_index_of_this_tokenizer_is_left_alone(database_url: str) -> None:
    store = await SqlStore.open(database_url)
    world = World(store)
    await world.posts(await world.source(), new_post(text="antenna"))
    await set_tokenizer(store, database_url, TOKENIZER_VERSION)
    again = await SqlStore.open(database_url)
    assert await World(again).search("antenna") == ()
    await store.close()
    await again.close()


async def test_several_may_build_the_index_anew_at_once(database_url: str) -> None:
    store = await SqlStore.open(database_url)
    world = World(store)
    ids = await world.posts(await world.source(), *(new_post(str(n), text="antenna") for n in range(50)))
    await set_tokenizer(store, database_url, "an older one")
    stores = await asyncio.gather(*(SqlStore.open(database_url) for _ in range(3)))
    assert len(await world.search("antenna")) == 11
    async with store.write() as work:
        await work.posts.update([(post_id, new_post(text="aerial")) for post_id in ids], NOW)
        await work.commit()
    assert await world.search("antenna") == (), "no entry was left over"
    for opened in (store, *stores):
        await opened.close()
