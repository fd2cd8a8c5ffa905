"""Subscriptions: which chat follows what, and from which post on."""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from content.formats import Format, from_json
from scheduler.types import Mode, Subscription
from storage.models import DigestRow, FilterRow, PostRow, SourceRow, SubscriptionRow
from storage.scope import follows, scope_of
from storage.sql import changed_rows, reserve_alone, upsert


def to_subscription(row: SubscriptionRow, filter_text: str | None) -> Subscription:
    return Subscription(
        row.id,
        row.chat_id,
        row.source_id,
        row.mode,
        row.starts_after,
        from_json(row.choices),
        filter_text or "",
    )


class SqlSubscriptions:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, chat_id: int, source_id: int | None) -> bool:
        values = {
            "chat_id": chat_id,
            "scope": scope_of(source_id),
            "source_id": source_id,
            "mode": Mode.DIGEST if await self._has_digest(chat_id) else Mode.INSTANT,
            "starts_after": await self._newest_post(),
        }
        statement = upsert(self._session, SubscriptionRow).values(values).on_conflict_do_nothing()
        added = await self._session.scalars(statement.returning(SubscriptionRow.id))
        await self._take_up(source_id)
        return added.first() is not None

    async def remove(self, chat_id: int, source_id: int | None) -> bool:
        scope = (SubscriptionRow.chat_id == chat_id) & (SubscriptionRow.scope == scope_of(source_id))
        return changed_rows(await self._session.execute(delete(SubscriptionRow).where(scope))) > 0

    async def of(self, chat_id: int) -> Sequence[Subscription]:
        return await self._many(SubscriptionRow.chat_id == chat_id)

    async def followed(self, chat_id: int) -> Collection[int]:
        query = select(SourceRow.id).join(SubscriptionRow, SubscriptionRow.chat_id == chat_id)
        return set(await self._session.scalars(query.where(follows(SourceRow))))

    async def all(self) -> Sequence[Subscription]:
        return await self._many(SubscriptionRow.id > 0)

    async def set_mode(self, chat_id: int, mode: Mode) -> int:
        followed = update(SubscriptionRow).where(SubscriptionRow.chat_id == chat_id)
        return changed_rows(await self._session.execute(followed.values(mode=mode)))

    async def set_choices(self, chat_id: int, source_id: int | None, choices: Format) -> None:
        scope = (SubscriptionRow.chat_id == chat_id) & (SubscriptionRow.scope == scope_of(source_id))
        chosen = dict(choices.chosen) or None
        await self._session.execute(update(SubscriptionRow).where(scope).values(choices=chosen))

    async def restart(self, chat_id: int) -> None:
        await reserve_alone(
            self._session
        )  # a post that is being stored must be either before or after the new start
        restarted = update(SubscriptionRow).where(SubscriptionRow.chat_id == chat_id)
        await self._session.execute(restarted.values(starts_after=await self._newest_post()))

    async def _take_up(self, source_id: int | None) -> None:
        """Let a source that nobody followed start again: the posts that it has by now are old news."""
        forgotten = (SourceRow.id == source_id) & SourceRow.unfollowed_since.is_not(None)
        anew = {"unfollowed_since": None, "polled_at": None, "next_poll_at": None}
        await self._session.execute(update(SourceRow).where(forgotten).values(anew))

    async def _has_digest(self, chat_id: int) -> bool:
        found = await self._session.scalar(select(DigestRow.id).where(DigestRow.chat_id == chat_id))
        return found is not None

    async def _newest_post(self) -> int:
        return await self._session.scalar(select(func.max(PostRow.id))) or 0

    async def _many(self, where: ColumnElement[bool]) -> Sequence[Subscription]:
        query = select(SubscriptionRow, FilterRow.text).outerjoin(FilterRow).where(where)
        # The rows may have been read before they were changed.
        fresh = query.order_by(SubscriptionRow.id).execution_options(populate_existing=True)
        return [to_subscription(row, text) for row, text in await self._session.execute(fresh)]
