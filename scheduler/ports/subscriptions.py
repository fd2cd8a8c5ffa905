"""The repositories of what chats follow: subscriptions, their filters, and those that ended."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from content.formats import Format
from content.types import Source
from scheduler.types import Subscription


class SubscriptionRepository(Protocol):
    async def add(self, chat_id: int, source_id: int | None, starts_after: int | None = None) -> bool:
        """Subscribe to a source (None: all public ones) from the next post on; False if it was already.

        It joins the digest of the subscription to all; else the chat's first if nothing is sent at once.
        """
        ...

    async def remove(self, chat_id: int, source_id: int | None) -> bool: ...

    async def of(self, chat_id: int) -> Sequence[Subscription]: ...

    async def followed(self, chat_id: int) -> Collection[int]:
        """The ids of the sources that a chat follows: each by its own subscription, public ones by `all`."""
        ...

    async def have_followers(self, source_ids: Collection[int]) -> Collection[int]:
        """The ids of those sources that a chat may follow: others need no fan-out."""
        ...

    async def all(self) -> Sequence[Subscription]: ...

    async def assign(self, ids: Collection[int], digest_id: int | None) -> None:
        """Put subscriptions into a digest of their chat; None: their posts are sent at once."""
        ...

    async def set_choices(self, chat_id: int, source_id: int | None, choices: Format) -> None:
        """Store how a chat wants the posts of a subscription."""
        ...

    async def restart(self, ids: Collection[int], seen_before: datetime | None = None) -> None:
        """Let subscriptions start after the newest post, or after the newest seen before a moment."""
        ...

    async def pause(self, ids: Collection[int], until: datetime) -> None:
        """Pause subscriptions after the newest post, or go on with their present pause."""
        ...

    async def resume(self, ids: Collection[int]) -> None:
        """End the pause of subscriptions; what came in between has to be skipped before."""
        ...

    async def paused_until(self, now: datetime) -> Sequence[Subscription]:
        """Subscriptions whose pause has ended by now."""
        ...


class FilterRepository(Protocol):
    async def keep(self, text: str, now: datetime) -> int:
        """The id of a filter by its normal text; it is stored if it is new."""
        ...

    async def text(self, filter_id: int) -> str | None: ...

    async def choose(self, chat_id: int, source_id: int | None, filter_id: int | None, now: datetime) -> None:
        """Give a subscription a filter, or none, from the next post on."""
        ...

    async def of_followers(self, source: Source) -> Mapping[int, str]:
        """The texts, by id, of all filters that posts of a source may have to pass."""
        ...

    async def are_used(self) -> bool:
        """Whether any subscription has a filter."""
        ...

    async def reject(self, post_id: int, why: Mapping[int, str]) -> None:
        """Record which filters a post did not pass, each with the condition that it failed."""
        ...

    async def waiting(self, chat_id: int, source_id: int | None) -> Sequence[int]:
        """The posts that a subscription has for the next digest, whatever its filter says, oldest first."""
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Delete verdicts about posts seen before a moment, and filters not used since, at most `limit`.

        Verdicts about posts that wait for a digest stay.
        """
        ...


class EndingRepository(Protocol):
    """Subscriptions that a chat ended, so that this can be undone."""

    async def keep(self, chat_id: int, ids: Collection[int], now: datetime) -> int:
        """Store subscriptions as they are, before they are removed; returns the number of the ending."""
        ...

    async def restore(self, chat_id: int, number: int) -> int | None:
        """Restore the subscriptions of an ending, once; returns how many. None if it is not known.

        Those are left out whose source is gone, or that the chat has again.
        """
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Delete endings from before a moment, at most `limit`; returns how many."""
        ...
