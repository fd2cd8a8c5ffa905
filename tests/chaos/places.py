"""The chats of a run as people see them, and the times when the bot could not reach them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.emulators.discord import Channel
from tests.emulators.telegram import Chat


@dataclass(slots=True, eq=False)
class Spot:
    """One chat that follows the feed. A group that became a supergroup has two addresses."""

    platform: str
    addresses: list[str]
    kind: str
    """private, group, supergroup, channel, topic; text, announcement, thread, forum, dm"""
    topic: str = ""
    hold: bool = False
    digest: bool = False
    chat: Chat | None = None
    channel: Channel | None = None
    deleted: bool = False
    closed: bool = False
    """Whether its topic is closed."""
    away: list[tuple[datetime, datetime]] = field(default_factory=list)
    """Periods in which Skywave was told, truly or by a fault, that the chat cannot be reached."""
    away_since: datetime | None = None
    hindered: bool = False
    """Whether Skywave was told that it may not write, since the bot was last let in."""

    @property
    def word(self) -> str:
        """The chat's name in commands."""
        return f"{self.platform}:{self.addresses[-1]}" + (f"/{self.topic}" if self.topic else "")

    def left(self) -> None:
        """Note that the bot cannot reach the chat from now on."""
        if self.away_since is None:
            self.away_since = datetime.now(UTC)

    def returned(self) -> None:
        """Note that Skywave knows that the chat can be reached again."""
        if self.away_since is not None:
            self.away.append((self.away_since, datetime.now(UTC)))
            self.away_since = None

    def was_away(self, start: datetime, end: datetime) -> bool:
        """Whether the bot could not reach the chat at any moment between these."""
        if self.away_since is not None and end >= self.away_since:
            return True
        return any(since <= end and start <= until for since, until in self.away)
