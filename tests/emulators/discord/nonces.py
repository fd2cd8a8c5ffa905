"""The nonces that the bot used lately: one that is enforced sends a message only once."""

from collections import deque
from dataclasses import dataclass, field

from tests.emulators.discord.types import Channel, Message


@dataclass(slots=True)
class Nonces:
    """What each nonce led to. They count for the author, in whichever channel."""

    window: float = 180.0
    """Seconds for which a nonce is remembered; Discord says the past few minutes."""
    _used: dict[str, tuple[float, Channel, int]] = field(default_factory=dict)
    _order: deque[tuple[float, str]] = field(default_factory=deque)
    """When each was used, oldest first."""

    def find(self, nonce: str | int, now: float) -> tuple[Channel, int] | None:
        """The channel and the message that it led to within the window."""
        while self._order and self._order[0][0] <= now - self.window:
            at, old = self._order.popleft()
            if (known := self._used.get(old)) and known[0] == at:  # else it was used again since
                del self._used[old]
        found = self._used.get(str(nonce))
        return found[1:] if found else None

    def keep(self, nonce: str | int, channel: Channel, message: Message, now: float) -> None:
        """Remember what it led to, whether or not it was enforced."""
        self._used[str(nonce)] = (now, channel, message.id)
        self._order.append((now, str(nonce)))
