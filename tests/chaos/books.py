"""Reads Skywave's own database, SQLite or PostgreSQL, from outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select, update

from scheduler.ports import EditLimits
from scheduler.types import OPEN, DeliveryState, PartState
from storage.database import create_engine
from storage.tables import (
    BROADCAST_POSTS,
    BROADCASTS,
    CHATS,
    DELIVERIES,
    EDITS,
    LEDGER,
    PARTS,
    POSTS,
)

# At the end, deliveries with a longer back-off than this are made due at once, so that the run need not wait.
SOON = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Books:
    """The rows of the database that the verdict needs."""

    chats: Sequence[Any]
    posts: Sequence[Any]
    ledger: Sequence[Any]
    deliveries: Sequence[Any]
    editions: Sequence[Any]
    parts: Sequence[Any]
    edits: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Sending:
    """A part that is `sending`. `attempt` distinguishes it from an earlier attempt at the same part."""

    platform: str
    chat_id: int
    posts: tuple[int, ...]
    attempt: tuple[int, str, int, int]


class Database:
    """Reads and changes the database behind `url` from outside the program."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def rows(self, query: Select[*tuple[Any, ...]]) -> Sequence[Any]:
        engine = create_engine(self.url)
        try:
            async with engine.connect() as connection:
                rows: Sequence[Any] = (await connection.execute(query)).all()
                return rows
        finally:
            await engine.dispose()

    async def read(self) -> Books:
        """Read the rows."""
        chat = select(CHATS.c.id, CHATS.c.platform, CHATS.c.address, CHATS.c.topic, CHATS.c.state)
        ledger = select(LEDGER.c.chat_id, LEDGER.c.post_id, LEDGER.c.state, LEDGER.c.reason)
        delivery = select(
            DELIVERIES.c.id,
            DELIVERIES.c.broadcast_id,
            DELIVERIES.c.chat_id,
            DELIVERIES.c.state,
            DELIVERIES.c.reason,
            DELIVERIES.c.ended_at,
        )
        edition = select(
            BROADCAST_POSTS.c.broadcast_id, BROADCAST_POSTS.c.post_id, BROADCASTS.c.created_at
        ).join(BROADCASTS, BROADCASTS.c.id == BROADCAST_POSTS.c.broadcast_id)
        part = select(PARTS.c.delivery_id, PARTS.c.state, PARTS.c.posts, PARTS.c.unknowns, PARTS.c.sent)
        edit = select(EDITS.c.delivery_id, EDITS.c.chat_id, EDITS.c.at, EDITS.c.done, EDITS.c.reason)
        return Books(
            await self.rows(chat),
            await self.rows(select(POSTS.c.id, POSTS.c.title, POSTS.c.first_seen_at)),
            await self.rows(ledger),
            await self.rows(delivery),
            await self.rows(edition),
            await self.rows(part),
            await self.rows(edit),
        )

    async def sending(self) -> set[Sending]:
        """The parts that are `sending`."""
        part = (PARTS.c.delivery_id, PARTS.c.form, PARTS.c.n, PARTS.c.unknowns)
        query = (
            select(DELIVERIES.c.platform, DELIVERIES.c.chat_id, PARTS.c.posts, *part)
            .join(DELIVERIES, DELIVERIES.c.id == PARTS.c.delivery_id)
            .where(PARTS.c.state == PartState.SENDING)
        )
        return {
            Sending(platform, chat, tuple(posts), (delivery, str(form), n, unknowns))
            for platform, chat, posts, delivery, form, n, unknowns in await self.rows(query)
        }

    async def states(self) -> dict[tuple[str, str, str], str]:
        """The state of each chat, by platform, address and topic."""
        query = select(CHATS.c.platform, CHATS.c.address, CHATS.c.topic, CHATS.c.state)
        return {(row[0], row[1], row[2]): str(row[3]) for row in await self.rows(query)}

    async def open(self) -> int:
        """The number of open deliveries."""
        query = select(func.count()).select_from(DELIVERIES).where(DELIVERIES.c.state.in_(OPEN))
        count: int = (await self.rows(query))[0][0]
        return count

    async def posts(self) -> int:
        """The number of stored posts."""
        count: int = (await self.rows(select(func.count()).select_from(POSTS)))[0][0]
        return count

    async def quiet(self) -> None:
        """Let posts that have just changed count as quiet for long enough to be edited."""
        since = datetime.now(UTC) - EditLimits().quiet
        engine = create_engine(self.url).execution_options(write=True)
        try:
            async with engine.begin() as connection:
                lately = update(POSTS).where(POSTS.c.changed_at > since)
                await connection.execute(lately.values(changed_at=since))
        finally:
            await engine.dispose()

    async def hurry(self) -> None:
        """Make deliveries due that have a back-off of minutes, as if the time had passed."""
        now = datetime.now(UTC)
        waiting = (DELIVERIES.c.state == DeliveryState.PENDING) & (DELIVERIES.c.due_at > now + SOON)
        engine = create_engine(self.url).execution_options(write=True)
        try:
            async with engine.begin() as connection:
                await connection.execute(update(DELIVERIES).where(waiting).values(due_at=now))
        finally:
            await engine.dispose()
