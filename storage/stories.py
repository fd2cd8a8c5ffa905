"""Posts that tell the same story as an earlier post of another source; see content/stories.py."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, insert, literal, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from scheduler.stories import STORY, Told
from scheduler.types import LedgerState
from storage.models import ChatRow, LedgerRow, PostRow, StoryWordRow, SubscriptionRow
from storage.sql import changed_rows, reserve_alone, upsert

# Titles that a new one is compared with: those that share the most words with it.
COMPARED = 50

COLUMNS = ("chat_id", "post_key", "post_id", "state", "reason")
# A post that failed or was skipped does not count.
HAD = (LedgerState.RESERVED, LedgerState.SENT)


def asks_once() -> ColumnElement[bool]:
    """Whether a chat wants each story once."""
    once: ColumnElement[bool] = ChatRow.choices["once"].as_boolean()
    return ChatRow.choices.is_not(None) & once.is_(True)


class SqlStories:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def wanted(self) -> bool:
        return await self._connection.scalar(select(ChatRow.id).where(asks_once()).limit(1)) is not None

    async def near(self, keys: Collection[int], since: datetime) -> Sequence[Told]:
        shared = (
            select(StoryWordRow.post_id, func.count().label("words"))
            .where(StoryWordRow.word.in_(keys))
            .group_by(StoryWordRow.post_id)
            .order_by(func.count().desc(), StoryWordRow.post_id)
            .limit(COMPARED)
            .subquery()
        )
        posts = (
            select(PostRow.id, PostRow.title, PostRow.story)
            .join(shared, shared.c.post_id == PostRow.id)
            .where(PostRow.first_seen_at >= since)
            .order_by(PostRow.id)
        )
        return [
            Told(post_id, title, story or post_id)
            for post_id, title, story in await self._connection.execute(posts)
        ]

    async def record(self, post_id: int, keys: Collection[int], story: int | None) -> None:
        if keys:
            rows = [{"word": key, "post_id": post_id} for key in keys]
            await self._connection.execute(insert(StoryWordRow), rows)
        if story is not None:
            await self._connection.execute(update(PostRow).where(PostRow.id == post_id).values(story=story))

    async def came(self, chat_id: int, posts: Sequence[int]) -> Mapping[int, int]:
        known = {row.id: row for row in await self._connection.execute(_stories(PostRow.id.in_(posts)))}
        stories = {row.story for row in known.values()}
        promised = (
            _stories(or_(PostRow.id.in_(stories), PostRow.story.in_(stories)))
            .join(LedgerRow, LedgerRow.post_key == PostRow.key)
            .where(LedgerRow.chat_id == chat_id, LedgerRow.state.in_(HAD))
        )
        first: dict[int, Any] = {}
        for row in await self._connection.execute(promised.order_by(PostRow.id)):
            first.setdefault(row.story, row)
        found = {}
        for post_id in posts:
            before = first.setdefault(known[post_id].story, known[post_id])
            if before.source_id != known[post_id].source_id:
                found[post_id] = before.id
        return found

    async def leave_out(self, chat_id: int, instead: Mapping[int, int]) -> None:
        await reserve_alone(self._connection)
        statement = upsert(self._connection, LedgerRow)
        for post_id, other in instead.items():
            skipped = select(*_skipped(literal(chat_id), PostRow.key, literal(other))).where(
                PostRow.id == post_id
            )
            await self._connection.execute(statement.from_select(COLUMNS, skipped).on_conflict_do_nothing())

    async def prune(self, before: datetime, limit: int) -> int:
        newest = select(func.max(PostRow.id)).where(PostRow.first_seen_at < before).scalar_subquery()
        key = (StoryWordRow.word, StoryWordRow.post_id)
        some = select(*key).where(StoryWordRow.post_id <= newest).order_by(StoryWordRow.post_id).limit(limit)
        return changed_rows(
            await self._connection.execute(delete(StoryWordRow).where(tuple_(*key).in_(some)))
        )


def _stories(which: ColumnElement[bool]) -> Select[int, int, int]:
    """Posts with their sources and the first posts of their stories."""
    story = func.coalesce(PostRow.story, PostRow.id).label("story")
    return select(PostRow.id, PostRow.source_id, story).where(which)


def told_again(posts: Sequence[int], chat_id: Any, wants: ColumnElement[bool]) -> Select[Any]:
    """Rows of the ledger for posts whose story chats have already, by posts of other sources.

    For a query that also selects from SubscriptionRow and ChatRow.
    """
    first, had = aliased(PostRow), aliased(LedgerRow)
    same = or_(first.id == PostRow.story, first.story == PostRow.story)
    return (
        select(*_skipped(chat_id, PostRow.key, func.min(first.id)))
        .select_from(SubscriptionRow)
        .join(ChatRow, ChatRow.id == SubscriptionRow.chat_id)
        .join(PostRow, PostRow.id > SubscriptionRow.starts_after)
        .join(first, same & (first.source_id != PostRow.source_id))
        .join(had, (had.chat_id == chat_id) & (had.post_key == first.key))
        .where(PostRow.id.in_(posts), had.state.in_(HAD), asks_once(), wants)
        .group_by(chat_id, PostRow.key)
    )


def _skipped(chat_id: Any, key: Any, other: Any) -> tuple[Any, ...]:
    """The columns of a skipped post in the ledger; it names the post that came instead."""
    state = literal(LedgerState.SKIPPED, LedgerRow.state.type)
    return (chat_id, key, other, state, literal(STORY))
