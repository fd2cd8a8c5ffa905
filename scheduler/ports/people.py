"""The repositories of what people do: questions, private chats, the audit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from scheduler.types import Place


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that a button with this data asks. `message` is the one that asks it of `actor`."""

    data: str
    prompt: str
    placeholder: str = ""
    actor: str = ""
    message: str = ""


class QuestionRepository(Protocol):
    """Questions are stored, so that a button still asks its question after a restart."""

    async def ask(self, chat_id: int, questions: Sequence[Asked], now: datetime) -> None:
        """Store questions of buttons, or of messages. A newer one replaces an older."""
        ...

    async def of_button(self, chat_id: int, data: str) -> Asked | None: ...

    async def of_message(self, chat_id: int, message: str) -> Asked | None: ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Delete questions asked before a moment, at most `limit`; returns how many."""
        ...


class PersonRepository(Protocol):
    async def writes_in(self, actor: str, chat_id: int) -> None:
        """Store that a chat is the private one of a person."""
        ...

    async def language(self, actor: str) -> str:
        """The language of a person's private chat; empty if none is known."""
        ...

    async def manage(self, actor: str, chat_id: int, target_id: int | None) -> None:
        """Store which chat a person manages from another one; None ends that."""
        ...

    async def managed(self, actor: str, chat_id: int) -> int | None:
        """The chat that a person manages from this one."""
        ...


@dataclass(frozen=True, slots=True)
class AuditEntry:
    at: datetime
    actor: str
    action: str
    target: str


class AuditRepository(Protocol):
    async def add(self, actor: str, action: str, target: str, now: datetime) -> None:
        """Record that `actor` changed `target`."""
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Delete entries made before a moment, at most `limit`; returns how many."""
        ...

    async def forget(self, name: str) -> None:
        """Delete the entries of an actor of this name, and those about a place of this name."""
        ...

    async def newest(
        self,
        limit: int,
        *,
        offset: int = 0,
        since: datetime | None = None,
        action: str = "",
        place: Place | None = None,
        actor: str = "",
    ) -> Sequence[AuditEntry]:
        """The newest entries after `offset`, newest first: since a moment, of an action, chat or person."""
        ...
