"""Edits of messages whose posts have changed, and their repository."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from scheduler.types import Delivery


@dataclass(frozen=True, slots=True)
class EditLimits:
    """When messages are edited, and how often at most.

    `age`: after a message was sent, how long it may be edited. `quiet`: how long its posts must not have
    changed. `of_chat`: edits of a chat in an `hour`; `of_delivery`: edits of a delivery in all.
    """

    age: timedelta = timedelta(hours=48)
    quiet: timedelta = timedelta(minutes=1)
    hour: timedelta = timedelta(hours=1)
    of_chat: int = 20
    of_delivery: int = 10


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit of a delivery's messages to a `version`, the time at which its posts had last changed.

    `shown` has a hash of each message that shows this version, in order. `reason`: why its messages cannot
    be edited any more.
    """

    delivery_id: int
    version: datetime
    shown: tuple[str, ...] = ()
    done: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stale:
    """A delivery whose messages show less than `version` of their posts, with its edits so far."""

    delivery: Delivery
    version: datetime
    edits: tuple[Edit, ...] = ()


class EditRepository(Protocol):
    async def stale(
        self, platform: str, now: datetime, limits: EditLimits, limit: int, without: Collection[int]
    ) -> Sequence[Stale]:
        """Deliveries whose messages are to be edited now, at most `limit`, those that wait longest first.

        Leaves out chats for which a delivery waits, and the deliveries `without`.
        """
        ...

    async def may_edit(self, chat_id: int, now: datetime, limits: EditLimits) -> bool:
        """Whether no delivery waits for a chat, and it had fewer edits than an hour may have."""
        ...

    async def record(self, chat_id: int, edit: Edit, now: datetime) -> None:
        """Store an edit, in the place of an earlier state of it; nothing if its delivery is gone."""
        ...
