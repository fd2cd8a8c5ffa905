"""Reads the history of posts and one chat: what its ledger, outbox and subscriptions say of them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Row, Text, bindparam, case, cast, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.types import OPENING, Source
from scheduler.history import History, Item, LedgerEntry, MessagePlace, Outlook
from scheduler.stories import STORY
from scheduler.types import Delivery, DeliveryState, LedgerState, PartState, Subscription
from storage.chats import SqlChats
from storage.deliveries import AnySelect, load_deliveries
from storage.digests import SqlDigests
from storage.overview import FAILED
from storage.past import absences, lives
from storage.scope import follows, visible_sources
from storage.sources import source_rows, to_source
from storage.sql import is_open
from storage.subscriptions import to_subscription
from storage.tables import (
    BROADCAST_POSTS,
    CHATS,
    DELIVERIES,
    FILTERS,
    LEDGER,
    METADATA,
    PARTS,
    POSTS,
    SOURCES,
    SUBSCRIPTIONS,
)

# Deliveries of a chat that are searched for a message. The ledger's primary key finds them without an index
# of message ids, which every message that is sent would have to be written to.
RECENT = 2_000
# Deliveries of all chats among which those that failed are counted.
LATEST = 20_000

_POST = (
    POSTS.c.id,
    POSTS.c.key,
    case((POSTS.c.title != "", POSTS.c.title), else_=func.substr(POSTS.c.text, 1, OPENING)).label("title"),
    POSTS.c.url,
    POSTS.c.source_id,
    POSTS.c.old_news,
    POSTS.c.withdrawn_at,
    POSTS.c.first_seen_at,
)
# Built once: for one answer, to build them takes longer than to run them.
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_SAME = (
    select(*_POST)
    .where(POSTS.c.key.in_(select(POSTS.c.key).where(POSTS.c.id.in_(_IDS)).scalar_subquery()))
    .order_by(POSTS.c.id)
)
_CARRIED = select(BROADCAST_POSTS.c.post_id).where(BROADCAST_POSTS.c.post_id.in_(_IDS))
_LEDGER = select(
    LEDGER.c.post_key, LEDGER.c.state, LEDGER.c.reason, LEDGER.c.post_id, LEDGER.c.delivery_id
).where(LEDGER.c.chat_id == bindparam("chat"), LEDGER.c.post_key.in_(bindparam("keys", expanding=True)))
_CANCELLED = (
    select(BROADCAST_POSTS.c.post_id, DELIVERIES.c.id)
    .join(DELIVERIES, DELIVERIES.c.broadcast_id == BROADCAST_POSTS.c.broadcast_id)
    .where(
        BROADCAST_POSTS.c.post_id.in_(_IDS),
        DELIVERIES.c.chat_id == bindparam("chat"),
        DELIVERIES.c.state == DeliveryState.CANCELLED,
    )
    .order_by(DELIVERIES.c.id)
)
_OPEN = select(DELIVERIES.c.id).where(DELIVERIES.c.chat_id == bindparam("chat"), is_open(DELIVERIES.c.state))
_FOLLOWED = (
    select(SOURCES.c.id.label("followed"), SUBSCRIPTIONS, FILTERS.c.text)
    .select_from(SOURCES)
    .join(SUBSCRIPTIONS, SUBSCRIPTIONS.c.chat_id == bindparam("chat"))
    .outerjoin(FILTERS, FILTERS.c.id == SUBSCRIPTIONS.c.filter_id)
    .where(SOURCES.c.id.in_(_IDS), follows())
)


class SqlHistory:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, chat_id: int, posts: Collection[int]) -> Sequence[History]:
        chat = await SqlChats(self._connection).get(chat_id)
        items = await self._items(chat_id, posts) if chat else {}
        if chat is None or not items:
            return []
        by_key: dict[str, list[Item]] = defaultdict(list)
        for item in items.values():
            by_key[item.key].append(item)
        ledger = await self._ledger(chat_id, list(by_key))
        skipped = {row.post_id for row in ledger.values() if row.reason == STORY and row.post_id}
        instead = await self._items(chat_id, skipped) if skipped else {}
        cancelled = await self._cancelled(chat_id, list(items))
        wanted = {row.delivery_id for row in ledger.values() if row.delivery_id} | set(cancelled.values())
        deliveries = await self._loaded(wanted)
        waiting = await self._open(chat_id)
        digests = {digest.id: digest for digest in await SqlDigests(self._connection).of(chat_id)}
        found = []
        for post in (items[post_id] for post_id in posts if post_id in items):
            row, same = ledger.get(post.key), by_key[post.key]
            number = row.delivery_id if row else None
            found.append(
                History(
                    chat=chat,
                    post=post,
                    twins=tuple(item for item in same if item is not post),
                    entry=LedgerEntry(row.state, row.reason, row.post_id) if row else None,
                    delivery=deliveries.get(number) if number else None,
                    ahead=sum(1 for other in waiting if number and other < number),
                    cancelled={one.id: deliveries[cancelled[one.id]] for one in same if one.id in cancelled},
                    digests=digests,
                    instead=instead.get(row.post_id) if row and row.post_id else None,
                )
            )
        return found

    async def with_key(self, key: str) -> Sequence[int]:
        posts = select(POSTS.c.id).where(POSTS.c.key == key).order_by(POSTS.c.id.desc())
        return (await self._connection.scalars(posts)).all()

    async def message(self, where: MessagePlace) -> Delivery | None:
        there = (CHATS.c.platform == where.platform) & CHATS.c.address.in_(where.addresses)
        newest = (
            select(LEDGER.c.delivery_id)
            .join(CHATS, CHATS.c.id == LEDGER.c.chat_id)
            .where(there, LEDGER.c.delivery_id.is_not(None))
            .distinct()
            .order_by(LEDGER.c.delivery_id.desc())
            .limit(RECENT)
        )
        ids = (await self._connection.scalars(newest)).all()
        # Other parts may contain the id by chance, so it is compared below.
        near = cast(PARTS.c.sent, Text).contains(f'"{where.message_id}"', autoescape=True)
        parts = select(PARTS.c.delivery_id, PARTS.c.sent).where(
            PARTS.c.delivery_id.in_(ids), PARTS.c.state == PartState.SENT, near
        )
        for delivery_id, sent in await self._connection.execute(parts.order_by(PARTS.c.delivery_id.desc())):
            if sent["address"] in where.addresses and where.message_id in sent["message_ids"]:
                return (await self._loaded({delivery_id}))[delivery_id]
        return None

    async def stored(self, chat_id: int) -> Mapping[str, Sequence[Mapping[str, object]]]:
        tables = [table for table in METADATA.sorted_tables if "chat_id" in table.c]
        posts = select(LEDGER.c.post_id).where(LEDGER.c.chat_id == chat_id)
        followed = select(SUBSCRIPTIONS.c.source_id).where(SUBSCRIPTIONS.c.chat_id == chat_id)
        source = (SOURCES.c.id, SOURCES.c.title, SOURCES.c.url, SOURCES.c.visibility)
        queries: dict[str, AnySelect] = {
            "chats": select(CHATS).where(CHATS.c.id == chat_id),
            "sources": select(*source).where(SOURCES.c.id.in_(followed.scalar_subquery())),
            "posts": select(POSTS.c.id, POSTS.c.title, POSTS.c.url).where(
                POSTS.c.id.in_(posts.scalar_subquery())
            ),
        }
        queries |= {table.name: select(table).where(table.c.chat_id == chat_id) for table in tables}
        return {name: await self._rows(query) for name, query in queries.items()}

    async def _rows(self, query: AnySelect) -> Sequence[Mapping[str, object]]:
        return [dict(row._mapping) for row in await self._connection.execute(query)]

    async def outlook(self, chat_id: int, since: datetime) -> Outlook:
        waiting = sorted(await self._open(chat_id))
        # By the ledger, whose primary key begins with the chat: deliveries have no index of their chats.
        failed = (
            select(DELIVERIES.c.id)
            .join(LEDGER, LEDGER.c.delivery_id == DELIVERIES.c.id)
            .where(
                LEDGER.c.chat_id == chat_id,
                LEDGER.c.state == LedgerState.FAILED,
                DELIVERIES.c.state.in_(FAILED),
                DELIVERIES.c.ended_at >= since,
            )
            .distinct()
        )
        ended = sorted(await self._connection.scalars(failed))
        shown = {*waiting[:1], *ended[-1:]}
        found = await self._loaded(shown)
        return Outlook(
            waiting=len(waiting),
            first=found.get(waiting[0]) if waiting else None,
            failed=len(ended),
            last=found.get(ended[-1]) if ended else None,
        )

    async def queue(self) -> Mapping[DeliveryState, int]:
        states = select(DELIVERIES.c.state, func.count()).group_by(DELIVERIES.c.state)
        newest = select(DELIVERIES.c.id).order_by(DELIVERIES.c.id.desc()).offset(LATEST).limit(1)
        since = await self._connection.scalar(newest) or 0
        failed = states.where(DELIVERIES.c.id > since, DELIVERIES.c.state.in_(FAILED))
        counts = {state: count for state, count in await self._connection.execute(failed)}
        waiting = states.where(is_open(DELIVERIES.c.state))
        return counts | {state: count for state, count in await self._connection.execute(waiting)}

    async def _items(self, chat_id: int, posts: Collection[int]) -> Mapping[int, Item]:
        """The posts and those with the same keys."""
        rows = (await self._connection.execute(_SAME, {"ids": list(posts)})).all()
        sources = await self._sources({row.source_id for row in rows})
        followed = await self._followed(chat_id, list(sources))
        before = await lives(self._connection, chat_id, [row.id for row in rows])
        away = await absences(self._connection, chat_id)
        visible = select(SOURCES.c.id).where(SOURCES.c.id.in_(sources), visible_sources(chat_id))
        seen = set(await self._connection.scalars(visible))
        broadcast = set(await self._connection.scalars(_CARRIED, {"ids": [row.id for row in rows]}))
        return {
            row.id: Item(
                id=row.id,
                key=row.key,
                title=row.title,
                url=row.url,
                source=sources[row.source_id],
                subscription=follow,
                old_news=row.old_news,
                withdrawn=row.withdrawn_at is not None,
                visible=row.source_id in seen,
                broadcast=row.id in broadcast,
                first_seen_at=row.first_seen_at,
                fails=before.fails(follow.source_id, row.id) if follow else "",
                followed=before.followed(sources[row.source_id], row.id),
                away=any(after < row.id <= up_to for after, up_to in away),
                rejected=before.rejected(sources[row.source_id], row.id),
            )
            for row in rows
            for follow in [followed.get(row.source_id)]
        }

    async def _sources(self, ids: Collection[int]) -> Mapping[int, Source]:
        rows = await self._connection.execute(source_rows(SOURCES.c.id.in_(ids)))
        return {row.id: to_source(row) for row in rows}

    async def _followed(self, chat_id: int, sources: Collection[int]) -> Mapping[int, Subscription]:
        """The subscription by which a chat follows each source that it follows."""
        rows = await self._connection.execute(_FOLLOWED, {"chat": chat_id, "ids": list(sources)})
        return {row.followed: to_subscription(row) for row in rows}

    async def _ledger(self, chat_id: int, keys: Collection[str]) -> Mapping[str, Row[*tuple[Any, ...]]]:
        rows = await self._connection.execute(_LEDGER, {"chat": chat_id, "keys": list(keys)})
        return {row.post_key: row for row in rows}

    async def _cancelled(self, chat_id: int, posts: Collection[int]) -> Mapping[int, int]:
        """The newest cancelled delivery of each post that has one."""
        rows = await self._connection.execute(_CANCELLED, {"chat": chat_id, "ids": list(posts)})
        return {post_id: delivery_id for post_id, delivery_id in rows}

    async def _loaded(self, ids: Collection[int]) -> Mapping[int, Delivery]:
        if not ids:
            return {}
        found = await load_deliveries(self._connection, select(DELIVERIES).where(DELIVERIES.c.id.in_(ids)))
        return {delivery.id: delivery for delivery in found}

    async def _open(self, chat_id: int) -> Sequence[int]:
        return (await self._connection.scalars(_OPEN, {"chat": chat_id})).all()
