"""Posts that tell the same story as an earlier post of another source; see content/stories.py."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, insert, literal, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from scheduler.stories import STORY, Told
from scheduler.types import LedgerState
from storage.sql import changed_rows, reserve_alone, upsert
from storage.tables import CHATS, LEDGER, POSTS, STORY_WORDS, SUBSCRIPTIONS

# Titles that a new one is compared with: those that share the most words with it.
COMPARED = 50

COLUMNS = ("chat_id", "post_key", "post_id", "state", "reason")
# A post that failed or was skipped does not count.
HAD = (LedgerState.RESERVED, LedgerState.SENT)


def asks_once() -> ColumnElement[bool]:
    """Whether a chat wants each story once."""
    once: ColumnElement[bool] = CHATS.c.choices["once"].as_boolean()
    return CHATS.c.choices.is_not(None) & once.is_(True)


class SqlStories:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def wanted(self) -> bool:
        return await self._connection.scalar(select(CHATS.c.id).where(asks_once()).limit(1)) is not None

    async def near(self, keys: Collection[int], since: datetime) -> Sequence[Told]:
        shared = (
            select(STORY_WORDS.c.post_id, func.count().label("words"))
            .where(STORY_WORDS.c.word.in_(keys))
            .group_by(STORY_WORDS.c.post_id)
            .order_by(func.count().desc(), STORY_WORDS.c.post_id)
            .limit(COMPARED)
            .subquery()
        )
        posts = (
            select(POSTS.c.id, POSTS.c.title, POSTS.c.story)
            .join(shared, shared.c.post_id == POSTS.c.id)
            .where(POSTS.c.first_seen_at >= since)
            .order_by(POSTS.c.id)
        )
        return [
            Told(post_id, title, story or post_id)
            for post_id, title, story in await self._connection.execute(posts)
        ]

    async def record(self, post_id: int, keys: Collection[int], story: int | None) -> None:
        if keys:
            rows = [{"word": key, "post_id": post_id} for key in keys]
            await self._connection.execute(insert(STORY_WORDS), rows)
        if story is not None:
            await self._connection.execute(update(POSTS).where(POSTS.c.id == post_id).values(story=story))

    async def came(self, chat_id: int, posts: Sequence[int]) -> Mapping[int, int]:
        known = {row.id: row for row in await self._connection.execute(_stories(POSTS.c.id.in_(posts)))}
        stories = {row.story for row in known.values()}
        promised = (
            _stories(or_(POSTS.c.id.in_(stories), POSTS.c.story.in_(stories)))
            .join(LEDGER, LEDGER.c.post_key == POSTS.c.key)
            .where(LEDGER.c.chat_id == chat_id, LEDGER.c.state.in_(HAD))
        )
        first: dict[int, Any] = {}
        for row in await self._connection.execute(promised.order_by(POSTS.c.id)):
            first.setdefault(row.story, row)
        found = {}
        for post_id in posts:
            before = first.setdefault(known[post_id].story, known[post_id])
            if before.source_id != known[post_id].source_id:
                found[post_id] = before.id
        return found

    async def leave_out(self, chat_id: int, instead: Mapping[int, int]) -> None:
        await reserve_alone(self._connection)
        statement = upsert(self._connection, LEDGER)
        for post_id, other in instead.items():
            skipped = select(*_skipped(literal(chat_id), POSTS.c.key, literal(other))).where(
                POSTS.c.id == post_id
            )
            await self._connection.execute(statement.from_select(COLUMNS, skipped).on_conflict_do_nothing())

    async def prune(self, before: datetime, limit: int) -> int:
        newest = select(func.max(POSTS.c.id)).where(POSTS.c.first_seen_at < before).scalar_subquery()
        key = (STORY_WORDS.c.word, STORY_WORDS.c.post_id)
        some = (
            select(*key).where(STORY_WORDS.c.post_id <= newest).order_by(STORY_WORDS.c.post_id).limit(limit)
        )
        return changed_rows(await self._connection.execute(delete(STORY_WORDS).where(tuple_(*key).in_(some))))


def _stories(which: ColumnElement[bool]) -> Select[int, int, int | None]:
    """Posts with their sources and the first posts of their stories."""
    story = func.coalesce(POSTS.c.story, POSTS.c.id).label("story")
    return select(POSTS.c.id, POSTS.c.source_id, story).where(which)


def told_again(posts: Sequence[int], chat_id: Any, wants: ColumnElement[bool]) -> Select[Any]:
    """Rows of the ledger for posts whose story chats have already, by posts of other sources.

    For a query that also selects from SUBSCRIPTIONS and CHATS.
    """
    first, had = POSTS.alias(), LEDGER.alias()
    same = or_(first.c.id == POSTS.c.story, first.c.story == POSTS.c.story)
    return (
        select(*_skipped(chat_id, POSTS.c.key, func.min(first.c.id)))
        .select_from(SUBSCRIPTIONS)
        .join(CHATS, CHATS.c.id == SUBSCRIPTIONS.c.chat_id)
        .join(POSTS, POSTS.c.id > SUBSCRIPTIONS.c.starts_after)
        .join(first, same & (first.c.source_id != POSTS.c.source_id))
        .join(had, (had.c.chat_id == chat_id) & (had.c.post_key == first.c.key))
        .where(POSTS.c.id.in_(posts), had.c.state.in_(HAD), asks_once(), wants)
        .group_by(chat_id, POSTS.c.key)
    )


def _skipped(chat_id: Any, key: Any, other: Any) -> tuple[Any, ...]:
    """The columns of a skipped post in the ledger; it names the post that came instead."""
    state = literal(LedgerState.SKIPPED, LEDGER.c.state.type)
    return (chat_id, key, other, state, literal(STORY))
