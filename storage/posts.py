"""The repository of posts, which also keeps the search index up to date."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Dialect, Row, Select, bindparam, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.secrets import printable
from content.tokens import IndexedText, index_all
from content.types import OPENING, Beginning, KnownPost, Media, NewPost, Post, PostQuery
from scheduler.ports import Batch
from storage.index import SqlIndex
from storage.prepared import Prepared, write
from storage.pruning import Pruning
from storage.scope import in_scope, sources_in_scope, visible_sources
from storage.sql import CHUNK, changed_rows, insert_into, reserve_alone
from storage.tables import POSTS, SOURCES, TOMBSTONES

_NEWEST = select(func.max(POSTS.c.id))
_NEW = (
    select(POSTS.c.source_id, POSTS.c.guid, POSTS.c.id)
    .where(POSTS.c.id > bindparam("before"))
    .order_by(POSTS.c.id)
)
_UNSET = {"id", "changed_at", "story", "withdrawn_at"}  # of a new post


def to_post(row: Row[Any]) -> Post:
    """From the columns of `posts_with_titles`."""
    return Post(
        id=row.id,
        source_id=row.source_id,
        source_title=row.source_title or printable(row.source_url),
        guid=row.guid,
        key=row.key,
        url=row.url,
        title=row.title,
        author=row.author,
        published_at=row.published_at,
        updated_at=row.updated_at,
        first_seen_at=row.first_seen_at,
        html=row.html,
        text=row.text,
        language=row.language,
        tags=tuple(row.tags),
        media=tuple(Media(**item) for item in row.media),
        content_hash=row.content_hash,
        withdrawn_at=row.withdrawn_at,
    )


def posts_with_titles() -> Select[Any]:
    of_source = (SOURCES.c.title.label("source_title"), SOURCES.c.url.label("source_url"))
    return select(*POSTS.c, *of_source).join(SOURCES, SOURCES.c.id == POSTS.c.source_id)


def _values(post: NewPost) -> dict[str, Any]:
    return {
        "guid": post.guid,
        "key": post.key,
        "url": post.url,
        "title": post.title,
        "author": post.author,
        "published_at": post.published_at,
        "updated_at": post.updated_at,
        "html": post.html,
        "text": post.text,
        "language": post.language,
        "tags": list(post.tags),
        "media": [{"url": m.url, "type": m.type, "alt": m.alt} for m in post.media],
        "content_hash": post.content_hash,
        "raw_hash": post.raw_hash,
        "old_news": post.old_news,
    }


@cache
def _insert_each(dialect: Dialect) -> Prepared:
    """New posts, without those that another process has stored; of two with the same guid the first."""
    columns = [column.name for column in POSTS.c if column.name not in _UNSET]
    insert = insert_into(POSTS, dialect).values({name: bindparam(name) for name in columns})
    return Prepared(insert.on_conflict_do_nothing(index_elements=["source_id", "guid"]), dialect)


@cache
def _mark_each(dialect: Dialect) -> Prepared:
    raw_hash = bindparam("raw_hash", type_=POSTS.c.raw_hash.type)
    return Prepared(update(POSTS).where(POSTS.c.id == bindparam("id")).values(raw_hash=raw_hash), dialect)


@cache
def _count_each(dialect: Dialect) -> Prepared:
    counted = SOURCES.c.post_count + bindparam("more", type_=SOURCES.c.post_count.type)
    more = update(SOURCES).where(SOURCES.c.id == bindparam("source")).values(post_count=counted)
    return Prepared(more, dialect)


@cache
def _known() -> tuple[Select[*tuple[Any, ...]], Select[int, str, str]]:
    """What is asked of stored posts and of tombstones. To build the statements takes longer than they do."""
    post, gone = POSTS.c, TOMBSTONES.c
    opening = case((post.title != "", post.title), else_=func.substr(post.text, 1, OPENING))
    identity = (post.id, post.guid, post.key, post.content_hash, opening, post.withdrawn_at.is_not(None))
    edits = (post.url, post.published_at, post.changed_at, post.changes, post.raw_hash)
    posts = select(post.source_id, *identity, *edits).where(post.source_id.in_(_given_sources()))
    return posts, select(gone.source_id, gone.guid, gone.key).where(gone.source_id.in_(_given_sources()))


@cache
def _raw_hashes() -> Select[Any]:
    post = POSTS.c
    place = func.row_number().over(partition_by=post.source_id, order_by=post.id.desc()).label("place")
    hashed = select(post.source_id, post.guid, post.raw_hash, place).where(
        post.source_id.in_(_given_sources()), post.raw_hash != ""
    )
    newest = hashed.subquery().c
    return select(newest.source_id, newest.guid, newest.raw_hash).where(newest.place <= bindparam("most"))


def _given_sources() -> BindParameter[Any]:
    return bindparam("sources", expanding=True)


class SqlPosts:
    def __init__(self, connection: AsyncConnection, index: SqlIndex) -> None:
        self._connection = connection
        self._index = index
        self._pruning = Pruning(connection, index)

    async def known(self, source_ids: Sequence[int]) -> Mapping[int, Sequence[KnownPost]]:
        found: dict[int, list[KnownPost]] = {source_id: [] for source_id in source_ids}
        posts, gone = _known()
        for source_id, *post in await self._connection.execute(posts, {"sources": source_ids}):
            found[source_id].append(KnownPost(*post))
        # Tombstones count as known, so that deleted posts do not come back as new.
        for source_id, guid, key in await self._connection.execute(gone, {"sources": source_ids}):
            found[source_id].append(KnownPost(0, guid, key, ""))
        return found

    async def raw_hashes(self, source_ids: Sequence[int], limit: int) -> Mapping[int, Mapping[str, str]]:
        found: dict[int, dict[str, str]] = {source_id: {} for source_id in source_ids}
        given = {"sources": source_ids, "most": limit}
        for source_id, guid, raw in await self._connection.execute(_raw_hashes(), given):
            found[source_id][guid] = raw
        return found

    async def set_raw_hashes(self, hashes: Sequence[tuple[int, str]]) -> None:
        rows = [{"id": post_id, "raw_hash": raw} for post_id, raw in hashes]
        await self._connection.run_sync(write, (_mark_each(self._connection.dialect), rows))

    async def insert(
        self,
        source_id: int,
        posts: Sequence[NewPost],
        now: datetime,
        tokens: Sequence[IndexedText] | None = None,
    ) -> Sequence[int]:
        if tokens is None:
            tokens = await asyncio.to_thread(index_all, posts)
        (ids,) = await self.insert_all([Batch(source_id, posts, tokens)], now)
        return ids

    async def insert_all(self, batches: Sequence[Batch], now: datetime) -> Sequence[Sequence[int]]:
        if not any(batch.posts for batch in batches):
            return [[] for _ in batches]
        # Posts must get their ids in the order of commits. Otherwise a subscription that starts after the
        # newest post could miss a post with a lower id that is committed later.
        await reserve_alone(self._connection)
        before = await self.newest_id()
        rows = [
            _values(post) | {"source_id": batch.source_id, "first_seen_at": now, "changes": 0}
            for batch in batches
            for post in batch.posts
        ]
        await self._connection.run_sync(write, (_insert_each(self._connection.dialect), rows))
        stored = await self._connection.execute(_NEW, {"before": before})
        ids = {(source_id, guid): post_id for source_id, guid, post_id in stored}
        made, waiting, indexed = [], list[int](), list[tuple[int, IndexedText]]()
        for batch in batches:
            # Of two posts with the same guid the first one was stored.
            found = [ids.pop((batch.source_id, post.guid), None) for post in batch.posts]
            made.append([post_id for post_id in found if post_id is not None])
            if batch.tokens is None:
                waiting += made[-1]
            else:
                pairs = zip(found, batch.tokens, strict=True)
                indexed += [(post_id, tokens) for post_id, tokens in pairs if post_id is not None]
        await self._count(batches, made)
        await self._index.postpone(waiting)
        await self._index.add(indexed)
        return made

    async def _count(self, batches: Sequence[Batch], made: Sequence[Sequence[int]]) -> None:
        """Keep the number of posts of each source, so that a page need not count them."""
        counts = Counter[int]()
        for batch, ids in zip(batches, made, strict=True):
            counts[batch.source_id] += len(ids)
        rows = [{"source": source_id, "more": count} for source_id, count in counts.items() if count]
        await self._connection.run_sync(write, (_count_each(self._connection.dialect), rows))

    async def update(
        self,
        changed: Sequence[tuple[int, NewPost]],
        now: datetime,
        tokens: Sequence[IndexedText] | None = None,
    ) -> None:
        if tokens is None:
            tokens = await asyncio.to_thread(index_all, [post for _, post in changed])
        # The index needs the old text to remove a post, so remove it before the update.
        await self._index.remove([post_id for post_id, _ in changed])
        stored: list[tuple[int, IndexedText]] = []
        for (post_id, post), indexed in zip(changed, tokens, strict=True):
            values = _values(post)
            # An edit must not change the post's identity, its position on pages, or whether it was old news.
            del values["guid"], values["key"], values["published_at"], values["old_news"]
            if await self._looks_different(post_id, values):
                values |= {"changed_at": now, "changes": POSTS.c.changes + 1}
            result = await self._connection.execute(update(POSTS).where(POSTS.c.id == post_id).values(values))
            stored += [(post_id, indexed)] * changed_rows(result)  # no row if the post was deleted
        await self._index.add(stored)

    async def _looks_different(self, post_id: int, values: Mapping[str, Any]) -> bool:
        """Whether people would see a difference between a stored post and these values."""
        names = ("title", "html", "text", "url", "media")
        seen = select(*(POSTS.c[name] for name in names)).where(POSTS.c.id == post_id)
        stored = (await self._connection.execute(seen)).first()
        return stored is not None and any(getattr(stored, name) != values[name] for name in names)

    async def rename(self, guids: Mapping[int, str]) -> None:
        for post_id, guid in guids.items():
            await self._connection.execute(update(POSTS).where(POSTS.c.id == post_id).values(guid=guid))

    async def set_withdrawn(self, ids: Sequence[int], withdrawn: bool, now: datetime) -> None:
        values = {"withdrawn_at": now if withdrawn else None, "changed_at": now}
        for start in range(0, len(ids), CHUNK):
            some = update(POSTS).where(POSTS.c.id.in_(ids[start : start + CHUNK]))
            await self._connection.execute(some.values(values))

    async def by_ids(self, ids: Sequence[int], *, chat_id: int | None = None) -> Sequence[Post]:
        found: dict[int, Post] = {}
        seen = [] if chat_id is None else [visible_sources(chat_id)]
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            rows = await self._connection.execute(posts_with_titles().where(POSTS.c.id.in_(chunk), *seen))
            found |= {row.id: to_post(row) for row in rows}
        return [found[post_id] for post_id in ids if post_id in found]

    async def beginnings(self, ids: Sequence[int], length: int) -> Sequence[Beginning]:
        columns = (POSTS.c.id, POSTS.c.title, func.substr(POSTS.c.text, 1, length), POSTS.c.published_at)
        rows = await self._connection.execute(select(*columns).where(POSTS.c.id.in_(ids)))
        found = {row[0]: Beginning(*row) for row in rows}
        return [found[post_id] for post_id in ids if post_id in found]

    async def page(self, query: PostQuery) -> tuple[Sequence[Post], int]:
        where = in_scope(query)
        order = (POSTS.c.published_at.desc(), POSTS.c.id.desc())
        page = posts_with_titles().where(*where).order_by(*order).offset(query.offset).limit(query.limit)
        rows = await self._connection.execute(page)
        posts = [to_post(row) for row in rows]
        return posts, await self._total(query)

    async def _total(self, query: PostQuery) -> int:
        """How many posts a query finds. Sources know how many they have, as counting takes long."""
        scope = sources_in_scope(query)
        total = await self._connection.scalar(select(func.sum(SOURCES.c.post_count)).where(*scope)) or 0
        if query.anchor is None:
            return total
        later = select(func.count()).select_from(POSTS).join(SOURCES, SOURCES.c.id == POSTS.c.source_id)
        return total - (await self._connection.scalar(later.where(*scope, POSTS.c.id > query.anchor)) or 0)

    async def titles(self, query: PostQuery, length: int) -> Sequence[str]:
        titled = select(func.substr(POSTS.c.title, 1, length)).join(
            SOURCES, SOURCES.c.id == POSTS.c.source_id
        )
        newest = titled.where(*in_scope(query), POSTS.c.title != "").order_by(
            POSTS.c.published_at.desc(), POSTS.c.id.desc()
        )
        return (await self._connection.scalars(newest.offset(query.offset).limit(query.limit))).all()

    async def newest_id(self) -> int:
        return await self._connection.scalar(_NEWEST) or 0

    # Deletion, see storage/pruning.py.

    async def still_shown(
        self, source_id: int, tombstones: Sequence[str], now: datetime, forget: datetime
    ) -> None:
        await self._pruning.still_shown(source_id, tombstones, now, forget)

    async def prunable(self, before: datetime, keep: int, limit: int) -> Sequence[tuple[int, int]]:
        return await self._pruning.prunable(before, keep, limit)

    async def of_source(self, source_id: int, up_to: int, limit: int) -> Sequence[tuple[int, int]]:
        return await self._pruning.of_source(source_id, up_to, limit)

    async def remove(self, ids: Sequence[int]) -> None:
        await self._pruning.remove(ids)

    async def forget(self, ids: Sequence[int], now: datetime) -> int:
        return await self._pruning.forget(ids, now)
