"""The pages that chats were shown last: /read and /more refer to them.

They are written behind the answers, those of all chats in one transaction. Otherwise each answer would wait
for whoever writes, and keep one of the few places for commands meanwhile.
"""

import asyncio
from collections.abc import Mapping

from content.errors import StoreError, StoreRejected, UsageError
from scheduler.ports import Shown, Store, UnitOfWork
from scheduler.types import Chat

LAST = 2.0  # seconds that the end of the program waits for what is being written


class LastShown:
    """Remembers the last page of each chat. One that cannot be written is forgotten."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._unwritten: dict[int, Shown] = {}  # by the id of the chat
        self._writing: asyncio.Task[None] | None = None

    def note(self, chat: Chat, shown: Shown) -> None:
        """Remember the page that a chat is shown now."""
        self._unwritten[chat.id] = shown
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def of(self, work: UnitOfWork, chat: Chat) -> Shown:
        """The page that a chat was shown last. Raises UsageError if there is none."""
        if shown := self._unwritten.get(chat.id) or await work.views.last(chat.id):
            return shown
        raise UsageError("No page has been shown here yet. Send /latest or /search first.")

    async def settled(self) -> None:
        """Wait until everything is written, but not for long."""
        if self._writing is not None:
            await asyncio.wait({self._writing}, timeout=LAST)

    async def _write(self) -> None:
        while some := dict(self._unwritten):
            if not await self._is_written(some):
                # One chat may have been removed meanwhile; that must not cost the others their pages.
                for chat_id, shown in some.items():
                    await self._is_written({chat_id: shown})
            for chat_id, shown in some.items():
                if self._unwritten[chat_id] is shown:
                    del self._unwritten[chat_id]

    async def _is_written(self, some: Mapping[int, Shown]) -> bool:
        """Write pages; False if the database rejects one of them."""
        try:
            async with self._store.write() as work:
                await work.views.remember(some)
                await work.commit()
        except StoreRejected:
            return False
        except StoreError:  # whoever asks for the page next is told to open one again
            return True
        return True
