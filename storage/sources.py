"""The repository of sources."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Dialect,
    Integer,
    Select,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.types import (
    HOOK,
    NO_OPTIONS,
    NO_RHYTHM,
    UPDATES,
    Failure,
    Options,
    Rhythm,
    Source,
    SourceState,
    Validators,
    Visibility,
)
from scheduler.push.pushes import PushKind
from storage.index import SqlIndex
from storage.prepared import Prepared, read, write
from storage.scope import shown_sources, visible_sources
from storage.tables import POSTS, PUSHES, SOURCES, SUBSCRIPTIONS

# No wait is that long: what is due later was planned while the clock of the machine was wrong.
FARTHEST = timedelta(days=60)
DUE = 2_000  # rows of due sources that are read at once


def to_source(row: Sequence[Any]) -> Source:
    """The source in a row of `_COLUMNS`."""
    *plain, tags, etag, last_modified, content_hash, options, unread, rhythm = row
    return Source(
        **dict(zip(_PLAIN, plain, strict=True)),
        tags=tuple(tags),
        validators=Validators(etag, last_modified, content_hash),
        options=_to_options(options),
        unread=tuple([Failure(**item) for item in unread]),
        rhythm=_to_rhythm(rhythm),
    )


def _to_options(stored: Mapping[str, Any]) -> Options:
    # Nearly all sources share these: as one object they take no memory.
    return NO_OPTIONS if stored == _NO_OPTIONS else Options(**stored)


def _to_rhythm(stored: Mapping[str, Any]) -> Rhythm:
    if not stored:
        return NO_RHYTHM
    last = datetime.fromisoformat(stored["last"]) if stored["last"] else None
    hours, days = (tuple(map(_same, stored[name])) for name in ("hours", "days"))
    return Rhythm(**{**stored, "last": last, "hours": hours, "days": days})


@lru_cache(maxsize=10_000)
def _same(number: float) -> float:
    """The number that equal ones share: those of many sources would take much memory."""
    return number


def _from_rhythm(rhythm: Rhythm) -> dict[str, Any]:
    plain = {field.name: getattr(rhythm, field.name) for field in fields(rhythm)}
    return plain | {"last": rhythm.last.isoformat() if rhythm.last else None}


def _to_json(options: Options) -> dict[str, object]:
    return {"version": options.version, "values": dict(options.values)}


def is_polled() -> ColumnElement[bool]:
    return (SOURCES.c.state == SourceState.ACTIVE) & (SOURCES.c.kind != UPDATES) & (SOURCES.c.kind != HOOK)


def is_unfollowed() -> ColumnElement[bool]:
    followed = exists().where(SUBSCRIPTIONS.c.source_id == SOURCES.c.id)
    return (SOURCES.c.visibility == Visibility.PRIVATE) & ~followed


def _values(source: Source) -> dict[str, object]:
    """What polls and people change of a source, by column, and its id."""
    return {
        "id": source.id,
        "title": source.title,
        "tags": list(source.tags),
        "visibility": source.visibility,
        "url": source.url,
        "etag": source.validators.etag,
        "last_modified": source.validators.last_modified,
        "content_hash": source.validators.content_hash,
        "options": _to_json(source.options),
        "next_poll_at": source.next_poll_at,
        "polled_at": source.polled_at,
        "starts_after": source.starts_after,
        "failures": source.failures,
        "failing_since": source.failing_since,
        "trouble_told": source.trouble_told,
        "last_error": source.last_error,
        "read_seconds": source.read_seconds,
        "warning": source.warning,
        "unread": [{"name": failure.name, "reason": failure.reason} for failure in source.unread],
        "rhythm": _from_rhythm(source.rhythm),
        "unfollowed_since": source.unfollowed_since,
        "added_by": source.added_by,
        "moved_to": source.moved_to,
        "moved_since": source.moved_since,
    }


_NO_OPTIONS = _to_json(NO_OPTIONS)
_PLAIN_NAMES = (
    "id kind url title visibility state next_poll_at polled_at starts_after failures failing_since "
    "trouble_told last_error added_by read_seconds warning unfollowed_since moved_to moved_since pushed_until"
)
_PLAIN = tuple(_PLAIN_NAMES.split())  # what a source has under the name of its column
_NAMES = (*_PLAIN, "tags", "etag", "last_modified", "content_hash", "options", "unread", "rhythm")
_UNCHANGED = {"post_count", "id", "kind", "state", "pushed_until"}
# By place, because a row takes several times as long to find a value by its name.
_COLUMNS = [SOURCES.c[name] for name in _NAMES]
_ADD = insert(SOURCES).returning(*_COLUMNS)


@cache
def _update_each(dialect: Dialect) -> Prepared:
    values: dict[str, BindParameter[Any]] = {
        column.name: bindparam(column.name) for column in SOURCES.c if column.name not in _UNCHANGED
    }
    return Prepared(update(SOURCES).where(SOURCES.c.id == bindparam("id")).values(values), dialect)


@cache
def _note_each(dialect: Dialect) -> Prepared:
    due = SOURCES.c.next_poll_at
    is_still = due.is_not_distinct_from(bindparam("due", type_=due.type))
    values: dict[str, BindParameter[Any]] = {
        name: bindparam(name) for name in ("next_poll_at", "polled_at", "read_seconds")
    }
    same = update(SOURCES).where(SOURCES.c.id == bindparam("id"), is_still)
    return Prepared(same.values(values), dialect)


@cache
def _by_ids() -> Select[Any]:
    return source_rows(SOURCES.c.id.in_(bindparam("ids", expanding=True))).order_by(SOURCES.c.id)


@cache
def _due(dialect: Dialect) -> Prepared:
    next_poll = SOURCES.c.next_poll_at
    when = or_(next_poll.is_(None), next_poll <= bindparam("now"), next_poll > bindparam("farthest"))
    query = select(*_COLUMNS).where(is_polled(), when, ~is_unfollowed())
    ordered = query.order_by(next_poll.nulls_first(), SOURCES.c.id)
    return Prepared(ordered.limit(DUE).offset(bindparam("found", type_=Integer)), dialect)


class SqlSources:
    def __init__(self, connection: AsyncConnection, index: SqlIndex) -> None:
        self._connection = connection
        self._index = index

    async def add(
        self,
        kind: str,
        url: str,
        title: str,
        visibility: Visibility,
        *,
        options: Options = NO_OPTIONS,
        added_by: str = "",
    ) -> Source:
        values = {
            "kind": kind,
            "options": _to_json(options),
            "url": url,
            "title": title,
            "visibility": visibility,
            "state": SourceState.ACTIVE,
            "added_by": added_by,
        }
        added = await self._connection.execute(_ADD, values)
        return to_source(added.one())

    async def count_private(self, *, chat_id: int | None = None, added_by: str | None = None) -> int:
        # A chat's own updates do not count, because they cost no reads.
        count = select(func.count()).where(
            SOURCES.c.visibility == Visibility.PRIVATE, SOURCES.c.kind != UPDATES
        )
        if chat_id is not None:
            followed = select(SUBSCRIPTIONS.c.source_id).where(SUBSCRIPTIONS.c.chat_id == chat_id)
            count = count.where(SOURCES.c.id.in_(followed.scalar_subquery()))
        if added_by is not None:
            count = count.where(SOURCES.c.added_by == added_by)
        return await self._connection.scalar(count) or 0

    async def get(self, source_id: int) -> Source | None:
        return await self._one(SOURCES.c.id == source_id)

    async def by_ids(self, ids: Sequence[int]) -> Sequence[Source]:
        rows = await self._connection.execute(_by_ids(), {"ids": ids})
        return [to_source(row) for row in rows]

    async def by_url(self, url: str) -> Source | None:
        return await self._one(SOURCES.c.url == url)

    async def all(self) -> Sequence[Source]:
        return await self._many(shown_sources())

    async def polled(self) -> Sequence[Source]:
        return await self._many(shown_sources() & is_polled())

    async def visible_to(self, chat_id: int) -> Sequence[Source]:
        return await self._many(visible_sources(chat_id))

    async def due(self, now: datetime) -> Sequence[Source]:
        values = {"now": now, "farthest": now + FARTHEST}
        found: list[Source] = []
        # Rows take as much memory as sources, so not all of them are in memory at once.
        while True:
            query = _due(self._connection.dialect), values | {"found": len(found)}
            (rows,) = await self._connection.run_sync(read, query)
            found += map(to_source, rows)
            if len(rows) < DUE:
                return found

    async def note_unfollowed(self, now: datetime) -> None:
        # Without `next_poll_at` a source is due at once when a chat follows it again.
        new = (SOURCES.c.kind != UPDATES) & is_unfollowed() & SOURCES.c.unfollowed_since.is_(None)
        await self._connection.execute(
            update(SOURCES).where(new).values(unfollowed_since=now, next_poll_at=None)
        )

    async def unfollowed(self, before: datetime) -> Sequence[Source]:
        return await self._many(is_unfollowed() & (SOURCES.c.unfollowed_since < before))

    async def last_read(self) -> datetime | None:
        return await self._connection.scalar(select(func.max(SOURCES.c.polled_at)).where(is_polled()))

    async def save(self, *sources: Source) -> None:
        rows = [_values(source) for source in sources]
        await self._connection.run_sync(write, (_update_each(self._connection.dialect), rows))

    async def note_reads(self, reads: Sequence[tuple[Source, Source]]) -> None:
        rows = [
            {
                "id": after.id,
                "due": before.next_poll_at,
                "next_poll_at": after.next_poll_at,
                "polled_at": after.polled_at,
                "read_seconds": after.read_seconds,
            }
            for before, after in reads
        ]
        await self._connection.run_sync(write, (_note_each(self._connection.dialect), rows))

    async def set_state(self, source_id: int, state: SourceState) -> None:
        # A source that is resumed is due at once.
        values = {"state": state, "next_poll_at": None}
        await self._connection.execute(update(SOURCES).where(SOURCES.c.id == source_id).values(values))

    async def set_pushed(self, source_id: int, until: datetime | None) -> None:
        changed = update(SOURCES).where(SOURCES.c.id == source_id)
        await self._connection.execute(changed.values(pushed_until=until))

    async def remove(self, source_id: int) -> None:
        # Posts are deleted by the foreign key, but their index entries are not.
        posts = await self._connection.scalars(select(POSTS.c.id).where(POSTS.c.source_id == source_id))
        await self._index.remove(posts.all())
        # A subscription stays, so that it can be ended at its hub.
        hook = (PUSHES.c.source_id == source_id) & (PUSHES.c.kind == PushKind.HOOK)
        await self._connection.execute(delete(PUSHES).where(hook))
        await self._connection.execute(delete(SOURCES).where(SOURCES.c.id == source_id))

    async def _one(self, where: ColumnElement[bool]) -> Source | None:
        row = (await self._connection.execute(source_rows(where))).first()
        return None if row is None else to_source(row)

    async def _many(self, where: ColumnElement[bool]) -> Sequence[Source]:
        rows = await self._connection.execute(source_rows(where).order_by(SOURCES.c.id))
        return [to_source(row) for row in rows]


def source_rows(where: ColumnElement[bool]) -> Select[Any]:
    return select(*_COLUMNS).where(where)
