"""Who changes what, and from where: every change is recorded here, in the transaction that makes it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scheduler.ports import UnitOfWork
from scheduler.types import Chat, Place


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person like `telegram:123`, the command line, or Skywave itself.

    `place` is the chat that the person writes in, None elsewhere. `limited`: quotas apply.
    """

    name: str
    place: Place | None = None
    limited: bool = False

    @property
    def person(self) -> str:
        """A person whose URLs may reach public addresses only; empty for operators and the command line."""
        return self.name if self.limited else ""


COMMAND_LINE = Actor("cli")
UPKEEP = Actor("skywave")


class Change(StrEnum):
    """What was done, as `skywave audit` shows it."""

    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    FORMAT = "format"
    FILTER = "filter"
    DIGEST_SET = "digest"
    DIGEST_SENT = "digest sent"
    DIGEST_PAUSED = "digest paused"
    DIGEST_RESUMED = "digest resumed"
    DIGEST_ENDED = "digest off"
    RHYTHM = "rhythm"
    QUIET = "quiet"
    PAUSE = "paused"
    RESUME = "resumed"
    UPDATE_SCHEDULED = "post scheduled"
    UPDATE_DISCARDED = "post discarded"
    UPDATE_SENT = "post"
    SOURCE_ADDED = "source added"
    SOURCE_PUBLISHED = "source made public"
    SOURCE_PAUSED = "source paused"
    SOURCE_RESUMED = "source active"
    SOURCE_SET = "source set"
    HOOK_SECRET = "hook secret"
    SOURCE_REMOVED = "source removed"
    CHAT_ADDED = "chat added"
    CHAT_SET = "chat set"
    CHAT_DEFAULT = "chat default"
    CHAT_ALLOWED = "chat allowed"
    CHAT_BANNED = "chat banned"
    CHAT_REMOVED = "chat removed"
    MOVED_IN = "moved in"
    DELIVERIES_RETRIED = "deliveries retried"
    REFUSED = "refused"


async def record(
    work: UnitOfWork, by: Actor, change: Change, now: datetime, what: str = "", *, chat: Chat | None = None
) -> None:
    """Record a change to `chat`, or one that was made from the actor's place."""
    place = chat.place if chat else by.place
    target = " ".join(filter(None, (str(place or ""), what)))
    await work.audit.add(by.name, change, target, now)
