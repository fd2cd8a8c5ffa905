"""The repository of chats."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from content.formats import Format
from scheduler.types import Chat, ChatAccess, ChatKind, ChatState, Place


class ChatRepository(Protocol):
    async def get(self, chat_id: int) -> Chat | None: ...

    async def find(self, place: Place) -> Chat | None: ...

    async def ensure(self, place: Place, *, title: str = "", kind: ChatKind | None = None) -> Chat:
        """The chat at that place, created if it is new; a given title or kind is stored.

        A new topic starts with the access of the chat around it.
        """
        ...

    async def all(self) -> Sequence[Chat]: ...

    async def page(self, offset: int, limit: int) -> tuple[Sequence[Chat], int]:
        """Some of the chats, the newest first, and how many there are."""
        ...

    async def accesses(self) -> Mapping[ChatAccess, int]:
        """How many chats have each access."""
        ...

    async def at(self, platform: str, address: str) -> Sequence[Chat]:
        """The chat of an address and all its topics."""
        ...

    async def set_state(self, chat_id: int, state: ChatState, reason: str) -> None: ...

    async def set_access(self, chat_id: int, access: ChatAccess) -> None:
        """Store what the operator decided. `save` does not, for it may write an older state of the chat."""
        ...

    async def save(self, chat: Chat) -> None:
        """Store the settings of a chat: language, time zone, policies."""
        ...

    async def set_choices(self, chat_id: int, choices: Format) -> None:
        """Store how a chat wants its posts. `save` does not, for it may write an older state of the chat."""
        ...

    async def set_quiet(
        self, chat_id: int, quiet: str, quiet_from: datetime | None, quiet_until: datetime | None
    ) -> None:
        """Store the quiet hours of a chat, and the period that lasts or comes next."""
        ...

    async def quiet_until(self, now: datetime) -> Sequence[Chat]:
        """Chats whose quiet period has ended by now."""
        ...

    async def remove(self, chat_ids: Sequence[int]) -> None:
        """Delete chats with their subscriptions, digests, deliveries, drafts, searches and ledger.

        Cancel their waiting deliveries first.
        """
        ...

    async def move(self, platform: str, old: str, new: str) -> None:
        """Move an address and all its topics to a new one; where that has rows already, unite them."""
        ...
