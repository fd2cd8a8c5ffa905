"""Remembers for a minute who administers a chat, so that a panel with many presses asks the platform once."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable

KEPT = 60.0  # seconds
MOST = 10_000  # answers that are remembered; the oldest are forgotten first


class Roles:
    """What a platform answered about people and chats in the last KEPT seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._known: OrderedDict[tuple[str, str], tuple[bool, float]] = OrderedDict()

    async def administers(self, person: str, chat: str, ask: Callable[[], Awaitable[bool]]) -> bool:
        """Whether a person administers a chat; `ask` asks the platform. Raises what `ask` raises."""
        key, now = (person, chat), self._monotonic()
        if key in self._known and now - self._known[key][1] < KEPT:
            return self._known[key][0]
        answer = await ask()
        self._known[key] = answer, now
        self._known.move_to_end(key)
        if len(self._known) > MOST:
            self._known.popitem(last=False)
        return answer
