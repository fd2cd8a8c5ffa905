"""The bot's recent nonces. With enforce_nonce, a nonce sends only one message."""

from collections import deque
from dataclasses import dataclass, field

from tests.emulators.discord.types import Channel, Message


@dataclass(slots=True)
class Nonces:
    """Maps nonces to their messages. A nonce belongs to its author, in all channels."""

    window: float = 180.0
    """Seconds for which a nonce is remembered; Discord says the past few minutes."""
    _used: dict[str, tuple[float, Channel, int]] = field(default_factory=dict)
    _order: deque[tuple[float, str]] = field(default_factory=deque)
    """The times of use, oldest first."""

    def find(self, nonce: str | int, now: float) -> tuple[Channel, int] | None:
        """The channel and message of the nonce, if it was used within the window."""
        while self._order and self._order[0][0] <= now - self.window:
            at, old = self._order.popleft()
            if (known := self._used.get(old)) and known[0] == at:  # otherwise it was used again later
                del self._used[old]
        found = self._used.get(str(nonce))
        return found[1:] if found else None

    def keep(self, nonce: str | int, channel: Channel, message: Message, now: float) -> None:
        """Remember the message of the nonce, with or without enforce_nonce."""
        self._used[str(nonce)] = (now, channel, message.id)
        self._order.append((now, str(nonce)))
