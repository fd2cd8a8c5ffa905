"""The schema: one head, the same as the tables, up and down, safe when several processes start at once."""

import asyncio
import contextlib
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
from storage.database import create_engine
from storage.migrate import alembic_config, is_current, known_revisions, migrate
from storage.tables import METADATA, TOMBSTONES, for_migrations
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
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), for_migrations()))


def downgrade(connection: Connection, revision: str) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.downgrade(config, revision)


def test_there_is_one_head() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    assert scripts.get_heads() == [max(known_revisions())]
    assert {script.revision for script in scripts.walk_revisions()} == known_revisions()


async def test_the_migrations_make_what_the_tables_say_also_after_down_and_up(database_url: str) -> None:
    async with engine_for(database_url) as engine:
        async with engine.connect() as connection:
            before = await connection.run_sync(tables)
        assert set(METADATA.tables) <= before
        async with engine.execution_options(write=True).begin() as connection:
            await connection.run_sync(downgrade, "base")
        async with engine.connect() as connection:
            assert await connection.run_sync(tables) == {"alembic_version"}
            assert not await connection.run_sync(is_current)
        await migrate(engine)
        await migrate(engine)
        async with engine.connect() as connection:
            assert await connection.run_sync(is_current)
            assert await connection.run_sync(tables) == before
            assert await connection.run_sync(differences) == []
        async with engine.execution_options(write=True).begin() as connection:
            await connection.execute(text("DROP INDEX ix_posts_key"))
            await connection.execute(text("ALTER TABLE chats ADD COLUMN colour TEXT"))
        async with engine.connect() as connection:
            assert len(await connection.run_sync(differences)) == 2, "a difference would be noticed"


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[tuple[SqlStore, World]]:
    store = await SqlStore.open(url)
    try:
        yield store, World(store)
    finally:
        await store.close()


async def carry(url: str, revision: str, *, before: str = "", between: str = "") -> list[Any]:
    """Migrate down to a revision and up again. Statements may run before and between; rows of the latter."""
    rows: list[Any] = []
    async with engine_for(url) as engine:
        async with engine.execution_options(write=True).begin() as connection:
            if before:
                await connection.execute(text(before))
            await connection.run_sync(downgrade, revision)
            if between:
                rows += [tuple(row) for row in await connection.execute(text(between))]
        await migrate(engine)
    return rows


async def test_rows_of_revision_2_are_carried_along(database_url: str) -> None:
    """What stood in the tables before is there afterwards, and nothing of it counts as old."""
    notice = "News {a}: the topic was closed. What was to be sent there waits."
    async with opened(database_url) as (store, world):
        known, chat = await world.source(), await world.chat("1")
        source = replace(known, last_error="it timed out", failures=2, failing_since=NOW, polled_at=NOW)
        private = await world.source("private", Visibility.PRIVATE)
        (post_id,) = await world.posts(source, new_post(text="antenna"))
        await world.deliver(chat, body=notice)
        async with store.write() as work:
            unread = (Failure("a", "b"),)
            await work.sources.save(replace(source, moved_to="https://example.net", unread=unread))
            draft = Draft(0, chat.id, "telegram:1", "text", False, DraftState.SCHEDULED, NOW, NOW)
            draft = await work.drafts.add(draft)
            chat = replace(chat, language="zh")
            await work.chats.save(chat)
            search = await work.searches.save(chat.id, Found("antenna", (post_id,), 1), NOW)
            await work.commit()
    gone = f"INSERT INTO tombstones (source_id, guid, key) VALUES ({source.id}, 'gone', 'gone')"
    await carry(database_url, "0002", before=gone)
    async with engine_for(database_url) as engine, engine.connect() as connection:
        seen_at = (await connection.execute(select(TOMBSTONES.c.seen_at))).scalar_one()
    async with opened(database_url) as (store, world):
        async with store.read() as work:
            assert await work.sources.get(source.id) == source
            people = await work.sources.get(private.id)
            assert await work.chats.get(chat.id) == chat
            assert await work.people.language("telegram:1") == "zh", "it is the private chat of that person"
            (post,) = await work.posts.by_ids([post_id])
            carried = await work.drafts.get(draft.id)
            assert await work.searches.get(search, chat.id) is None, "nobody knows whose it was"
        (waiting,) = await world.claim()
    assert Translator("zh").t(waiting.broadcast.body, **waiting.broadcast.values) == notice
    assert post.title == new_post(text="antenna").title
    assert carried is not None and replace(carried, created_at=NOW) == draft
    assert people is not None and people.added_by, "people's feeds stay away from the operator's networks"
    assert min(seen_at, carried.created_at) > NOW, "they count as made when the bounds came"


async def test_rows_of_revision_6_are_carried_along(database_url: str) -> None:
    """Posts look as they did, and none counts as changed, so that nothing is edited after the upgrade.

    Sources get options of version 1. What admins write is not polled any more, and so cannot be failing.
    """
    async with opened(database_url) as (store, world):
        feed = await world.source()
        feed = replace(feed, failures=2, failing_since=NOW, last_error="it timed out", polled_at=NOW)
        chat = await world.follower(feed)
        ids = await world.posts(feed, new_post(text="antenna"), "withdrawn")
        await world.publish(feed, "sent")
        waiting = await world.found()
        async with store.write() as work:
            updates = await work.sources.add("updates", "updates:", "updates", Visibility.PUBLIC)
            await work.sources.save(replace(updates, failures=1, last_error="the database is locked"))
            await work.sources.save(feed)
            posts = await work.posts.by_ids(ids)
            await work.posts.set_withdrawn(ids[1:], True, NOW)
            hits = Found("antenna", (3, 1, 2), 1001, Match(exact=1001))
            search = await work.searches.save(chat.id, hits, NOW)
            kept = await work.searches.get(search, chat.id)
            await work.commit()
    assert await carry(database_url, "0006", between="SELECT relaxed FROM searches") == [(False,)]
    async with engine_for(database_url) as engine, engine.connect() as connection:
        marks = await connection.execute(text("SELECT DISTINCT changed_at, raw_hash FROM posts"))
        assert [tuple(row) for row in marks] == [(None, "")]
    async with opened(database_url) as (store, world):
        assert await world.found() == waiting and waiting[0].format == DEFAULT
        assert await world.search("antenna") == (ids[0],)
        async with store.read() as work:
            assert await work.sources.get(feed.id) == replace(feed, options=NO_OPTIONS)
            assert await work.sources.get(updates.id) == updates
            assert await work.posts.by_ids(ids) == posts
            assert await work.chats.get(chat.id) == chat
            assert [one.source_id for one in await work.subscriptions.of(chat.id)] == [feed.id]
            assert kept is not None and await work.searches.get(search, chat.id) == kept
            assert await work.index.has(["antenna"]), "the index has its words"


async def test_subscriptions_of_revision_13_are_carried_along(database_url: str) -> None:
    """They have no filter. What came with a chat's digest still does, and slots that ran do not run again."""
    async with opened(database_url) as (store, world):
        source, other = await world.source(), await world.source("other")
        daily, instant = [await world.follower(source, address=address) for address in ("1", "2")]
        chat = await world.follower(other, address="3")
        async with store.write() as work:
            digest = await with_digest(work, Digest(0, daily.id, "daily 09:00", "UTC", NOW, NOW, "Radio", 7))
            await work.digests.save(replace(digest, id=0, name="2"))
            slot = Broadcast(BroadcastKind.EDITION, digest_id=digest.id, slot=NOW)
            assert await work.outbox.broadcast(slot, NOW) is not None
            before = [await work.subscriptions.of(one.id) for one in (daily, instant, chat)]
            await work.commit()
        await world.filter(chat, other, "antenna")
        await world.publish(other, "a")
    modes = await carry(database_url, "0013", between="SELECT mode FROM subscriptions ORDER BY id")
    assert modes == [("digest",), ("instant",), ("instant",)]
    async with opened(database_url) as (store, world):
        async with store.write() as work:
            assert await work.digests.all() == [digest]
            assert [await work.subscriptions.of(one.id) for one in (daily, instant, chat)] == before
            assert await work.outbox.broadcast(slot, NOW) is None
            assert await work.chats.get(daily.id) == daily
        await world.publish(other, "b")
        assert len(await world.of(chat)) == 1, "the first one had not passed"


async def test_rows_of_revision_17_are_carried_along(database_url: str) -> None:
    """Those without a digest began where they begin now; what a filter has left out is known.

    So is what comes after the migration while a chat is gone. Sources are read often again, and keep the
    beginning of their failures. Posts that waited to be indexed are found.
    """
    async with opened(database_url) as (store, world):
        source, bad = await world.source(), await world.source("bad")
        await world.posts(source, "before")
        chat = await world.follower(source)
        await world.filter(chat, source, "antenna")
        (post_id,) = await world.publish(source, "a")
        away = await world.follower(source, address="200")
        known = Rhythm(NOW, posts=5)
        async with store.write() as work:
            await deactivate(work, away, "the bot was removed", NOW)
            batch = Batch(source.id, [new_post("waits", text="aerial")])
            ((waits,),) = await work.posts.insert_all([batch], NOW)
            for one, failures in ((source, 0), (bad, 3)):
                await work.sources.save(replace(one, failures=failures, polled_at=NOW, rhythm=known))
            await work.commit()
        async with store.read() as work:
            before = (await work.history.stored(chat.id))["subscriptions"]
        assert await world.search("aerial") == ()
    await carry(database_url, "0017")
    async with opened(database_url) as (store, world):
        async with store.read() as work:
            assert (await work.history.stored(chat.id))["subscriptions"] == before
            for one, failures, since in ((source, 0, None), (bad, 3, NOW)):
                expected = replace(one, failures=failures, polled_at=NOW, failing_since=since)
                assert await work.sources.get(one.id) == expected
        assert await world.search("aerial") == (waits,)
        (why,) = await world.why(chat, [post_id])
        assert why.because is Because.FILTERED
        (missed,) = await world.publish(source, "missed")
        async with store.write() as work:
            await reactivate_address(work, "telegram", "200", NOW)
            await work.commit()
        (why,) = await world.why(away, [missed])
        assert why.because is Because.AWAY


async def test_stores_that_open_at_once_do_not_collide(empty_database_url: str) -> None:
    stores = await asyncio.gather(*(SqlStore.open(empty_database_url) for _ in range(4)))
    for store in stores:
        await World(store).chat("1")
    async with stores[0].read() as work:
        assert len(await work.chats.all()) == 1
    for store in stores:
        await store.close()


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


async def test_the_index_of_this_tokenizer_is_left_alone(database_url: str) -> None:
    store = await SqlStore.open(database_url)
    world = World(store)
    await world.posts(await world.source(), new_post(text="antenna"))
    await set_tokenizer(store, database_url, TOKENIZER_VERSION)
    again = await SqlStore.open(database_url)
    assert await World(again).search("antenna") == ()
    await store.close()
    await again.close()


async def test_several_may_build_the_index_of_another_tokenizer_anew_at_once(database_url: str) -> None:
    store = await SqlStore.open(database_url)
    world = World(store)
    posts = [new_post(str(n), text="antenna 天波") for n in range(50)]
    ids = await world.posts(await world.source(), *posts)
    await set_tokenizer(store, database_url, "an older one")
    stores = await asyncio.gather(*(SqlStore.open(database_url) for _ in range(3)))
    assert len(await world.search("antenna")) == len(await world.search("天波")) == 11
    async with store.write() as work:
        near = await work.index.near(Near("ante", "ntenna", 1, 9))
        assert near == [("antenna", 50)], "words are counted anew"
        await work.posts.update([(post_id, new_post(text="aerial")) for post_id in ids], NOW)
        await work.commit()
    assert await world.search("antenna") == (), "no entry was left over"
    for opened in (store, *stores):
        await opened.close()
