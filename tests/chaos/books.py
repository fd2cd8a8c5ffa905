"""Reads Skywave's own database, SQLite or PostgreSQL, from outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select, update

from scheduler.ports import EditLimits
from scheduler.types import OPEN, DeliveryState, PartState
from storage.database import create_engine
from storage.models import (
    BroadcastPostRow,
    BroadcastRow,
    ChatRow,
    DeliveryRow,
    EditRow,
    LedgerRow,
    PartRow,
    PostRow,
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
        chat = select(ChatRow.id, ChatRow.platform, ChatRow.address, ChatRow.topic, ChatRow.state)
        ledger = select(LedgerRow.chat_id, LedgerRow.post_id, LedgerRow.state, LedgerRow.reason)
        delivery = select(
            DeliveryRow.id,
            DeliveryRow.broadcast_id,
            DeliveryRow.chat_id,
            DeliveryRow.state,
            DeliveryRow.reason,
            DeliveryRow.ended_at,
        )
        edition = select(
            BroadcastPostRow.broadcast_id, BroadcastPostRow.post_id, BroadcastRow.created_at
        ).join(BroadcastRow, BroadcastRow.id == BroadcastPostRow.broadcast_id)
        part = select(PartRow.delivery_id, PartRow.state, PartRow.posts, PartRow.unknowns, PartRow.sent)
        edit = select(EditRow.delivery_id, EditRow.chat_id, EditRow.at, EditRow.done, EditRow.reason)
        return Books(
            await self.rows(chat),
            await self.rows(select(PostRow.id, PostRow.title, PostRow.first_seen_at)),
            await self.rows(ledger),
            await self.rows(delivery),
            await self.rows(edition),
            await self.rows(part),
            await self.rows(edit),
        )

    async def sending(self) -> set[Sending]:
        """The parts that are `sending`."""
        part = (PartRow.delivery_id, PartRow.form, PartRow.n, PartRow.unknowns)
        query = (
            select(DeliveryRow.platform, DeliveryRow.chat_id, PartRow.posts, *part)
            .join(DeliveryRow, DeliveryRow.id == PartRow.delivery_id)
            .where(PartRow.state == PartState.SENDING)
        )
        return {
            Sending(platform, chat, tuple(posts), (delivery, str(form), n, unknowns))
            for platform, chat, posts, delivery, form, n, unknowns in await self.rows(query)
        }

    async def states(self) -> dict[tuple[str, str, str], str]:
        """The state of each chat, by platform, address and topic."""
        query = select(ChatRow.platform, ChatRow.address, ChatRow.topic, ChatRow.state)
        return {(row[0], row[1], row[2]): str(row[3]) for row in await self.rows(query)}

    async def open(self) -> int:
        """The number of open deliveries."""
        query = select(func.count()).select_from(DeliveryRow).where(DeliveryRow.state.in_(OPEN))
        count: int = (await self.rows(query))[0][0]
        return count

    async def posts(self) -> int:
        """The number of stored posts."""
        count: int = (await self.rows(select(func.count()).select_from(PostRow)))[0][0]
        return count

    async def quiet(self) -> None:
        """Let posts that have just changed count as quiet for long enough to be edited."""
        since = datetime.now(UTC) - EditLimits().quiet
        engine = create_engine(self.url).execution_options(write=True)
        try:
            async with engine.begin() as connection:
                lately = update(PostRow).where(PostRow.changed_at > since)
                await connection.execute(lately.values(changed_at=since))
        finally:
            await engine.dispose()

    async def hurry(self) -> None:
        """Make deliveries due that have a back-off of minutes, as if the time had passed."""
        now = datetime.now(UTC)
        waiting = (DeliveryRow.state == DeliveryState.PENDING) & (DeliveryRow.due_at > now + SOON)
        engine = create_engine(self.url).execution_options(write=True)
        try:
            async with engine.begin() as connection:
                await connection.execute(update(DeliveryRow).where(waiting).values(due_at=now))
        finally:
            await engine.dispose()
