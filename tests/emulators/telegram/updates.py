"""The queue of updates for getUpdates."""

import asyncio
from collections import deque

from tests.emulators.telegram.faults import refusal
from tests.emulators.telegram.types import Json

UNASKED = ("chat_member", "message_reaction", "message_reaction_count")
"""Kinds that a bot only gets when it names them in allowed_updates."""


class UpdateQueue:
    """A queue of updates. An update stays until a later getUpdates confirms it with a higher offset."""

    def __init__(self) -> None:
        self.allowed: frozenset[str] = frozenset()
        """Kinds that are kept; empty for the default. Outlives the request that set it."""
        self._waiting: deque[tuple[int, str, Json]] = deque()
        self._next_id = 1000
        self._poll: asyncio.Future[bool] | None = None

    @property
    def pending(self) -> int:
        """The number of updates that are not confirmed."""
        return len(self._waiting)

    def is_about(self, chat_id: int) -> bool:
        """Whether an update about the bot's membership in the chat is not confirmed."""
        chats = (body["chat"] for _, kind, body in self._waiting if kind == "my_chat_member")
        return any(isinstance(chat, dict) and chat["id"] == chat_id for chat in chats)

    def put(self, kind: str, body: Json) -> int | None:
        """Queue an update and return its id. Drop it if the bot did not ask for its kind."""
        if kind not in self.allowed if self.allowed else kind in UNASKED:
            return None
        self._next_id += 1
        self._waiting.append((self._next_id, kind, body))
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(True)
        return self._next_id

    def drop(self) -> None:
        """Remove all updates."""
        self._waiting.clear()

    async def poll(self, offset: int, limit: int, timeout: float) -> list[Json]:
        """Return the result of getUpdates. A poll that is already waiting ends with 409."""
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(False)
        self._confirm(offset)
        if not self._waiting and timeout > 0:
            await self._wait(timeout)
        batch = (
            list(self._waiting) if limit >= len(self._waiting) else [self._waiting[i] for i in range(limit)]
        )
        return [{"update_id": number, kind: body} for number, kind, body in batch]

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            while len(self._waiting) > -offset:
                self._waiting.popleft()
        while self._waiting and self._waiting[0][0] < offset:
            self._waiting.popleft()

    async def _wait(self, timeout: float) -> None:
        mine: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._poll = mine
        handle = asyncio.get_running_loop().call_later(timeout, _finish, mine)
        try:
            if not await mine:
                raise refusal("conflict")
        finally:
            handle.cancel()
            if self._poll is mine:
                self._poll = None


def _finish(poll: asyncio.Future[bool]) -> None:
    if not poll.done():
        poll.set_result(True)
