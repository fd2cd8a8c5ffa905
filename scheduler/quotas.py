"""Quotas of people and chats. They do not apply to operators or to the command line.

Each check raises QuotaExceeded. It takes a unit of work, so that it counts in the transaction that stores.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from content.types import Source, Visibility
from scheduler.errors import QuotaExceeded
from scheduler.ports import UnitOfWork
from scheduler.types import Quota

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Quotas:
    """The limits; `bot/settings.py` describes each of them."""

    chat_sources: int = 30
    person_sources: int = 50
    private_sources: int = 2000
    posts_per_day: int = 50
    post_length: int = 20_000

    async def may_add(self, work: UnitOfWork, person: str) -> None:
        """Check that a person may add a private source."""
        _within(Quota.PERSON_SOURCES, self.person_sources, await work.sources.count_private(added_by=person))
        _within(Quota.PRIVATE_SOURCES, self.private_sources, await work.sources.count_private())

    async def may_follow(self, work: UnitOfWork, chat_id: int, source: Source | None) -> None:
        """Check that a chat may follow a source. None: a private source that is not added yet."""
        if source is not None:
            followed = {one.source_id for one in await work.subscriptions.of(chat_id)}
            if source.visibility is not Visibility.PRIVATE or source.id in followed:
                return
        _within(Quota.CHAT_SOURCES, self.chat_sources, await work.sources.count_private(chat_id=chat_id))

    async def may_write(self, work: UnitOfWork, person: str, text: str, now: datetime) -> None:
        """Check that a person may write an update."""
        if len(text) > self.post_length:
            raise QuotaExceeded(Quota.POST_LENGTH, self.post_length)
        _within(Quota.POSTS_PER_DAY, self.posts_per_day, await work.drafts.written_since(person, now - DAY))


def _within(quota: Quota, limit: int, used: int) -> None:
    if used >= limit:
        raise QuotaExceeded(quota, limit)
