"""Databases to start from: a source with posts, chats that follow it, and waiting deliveries."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, select, update

from content.types import NewPost, Source, SourceState, Visibility
from scheduler.types import Broadcast, BroadcastKind, ChatKind
from storage.database import create_engine
from storage.tables import CHATS, SOURCES, SUBSCRIPTIONS
from storage.unit_of_work import SqlStore

# About as long as an excerpt.
TEXT = "The beacon on the northern ridge was heard again last night, strong and clear. " * 4
NEVER = datetime(2100, 1, 1, tzinfo=UTC)
CHUNK = 3_000  # rows a statement


def post(name: str) -> NewPost:
    """A post that is ready to be stored."""
    return NewPost(
        guid=name,
        key=f"key of {name}",
        url=f"https://example.org/{name}",
        title=f"Notes on {name}",
        author="An author",
        published_at=datetime.now(UTC),
        updated_at=None,
        html=f"<p>{TEXT}</p>",
        text=TEXT,
        language="en",
        tags=(),
        media=(),
        content_hash=name,
    )


class World:
    """A store that is filled from outside, as by another process."""

    def __init__(self, url: str, store: SqlStore, source: Source) -> None:
        self.url, self.store, self.source = url, store, source

    @classmethod
    async def make(cls, url: str) -> "World":
        """A new database with one source, which is never polled, and a page of old posts."""
        store = await SqlStore.open(url)
        async with store.write() as work:
            source = await work.sources.add(
                "feed", "https://example.org/feed", "Radio notes", Visibility.PUBLIC
            )
            await work.posts.insert(source.id, [post(f"old {n}") for n in range(11)], datetime.now(UTC))
            await work.commit()
        world = cls(url, store, source)
        engine = create_engine(url)
        async with engine.begin() as connection:
            await connection.execute(update(SOURCES).values(state=SourceState.PAUSED, polled_at=NEVER))
        await engine.dispose()
        return world

    async def follow(self, platform: str, addresses: Sequence[str], kind: ChatKind) -> None:
        """Let chats at these addresses follow the source."""
        engine = create_engine(self.url)
        async with engine.begin() as connection:
            for start in range(0, len(addresses), CHUNK):
                chats = [
                    {"platform": platform, "address": address, "kind": kind, "title": f"Chat {address}"}
                    for address in addresses[start : start + CHUNK]
                ]
                await connection.execute(insert(CHATS), chats)
            ids = (await connection.scalars(select(CHATS.c.id))).all()
            rows = [
                {
                    "chat_id": chat,
                    "scope": str(self.source.id),
                    "source_id": self.source.id,
                    "starts_after": 0,
                }
                for chat in ids
            ]
            for start in range(0, len(rows), CHUNK):
                await connection.execute(insert(SUBSCRIPTIONS), rows[start : start + CHUNK])
        await engine.dispose()

    async def filter(self, texts: Sequence[str]) -> None:
        """Let the followers have these filters, by turns."""
        now = datetime.now(UTC)
        async with self.store.write() as work:
            ids = [await work.filters.keep(text, now) for text in texts]
            await work.commit()
        engine = create_engine(self.url)
        async with engine.begin() as connection:
            turn = ids[0] + SUBSCRIPTIONS.c.id % len(ids)
            await connection.execute(update(SUBSCRIPTIONS).values(filter_id=turn))
        await engine.dispose()

    async def publish(self, name: str) -> int:
        """Publish a post to every chat that follows; returns the number of deliveries."""
        now = datetime.now(UTC) - timedelta(seconds=1)
        async with self.store.write() as work:
            ids = await work.posts.insert(self.source.id, [post(name)], now)
            made = await work.outbox.broadcast(Broadcast(BroadcastKind.POST, tuple(ids)), now)
            assert made is not None
            count = await work.outbox.fan_out(made, self.source, now)
            await work.commit()
        return count

    async def close(self) -> None:
        await self.store.close()
