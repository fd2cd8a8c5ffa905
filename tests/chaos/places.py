"""The chats of a run, as the people in them know them, and when each could not be reached."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.emulators.discord import Channel
from tests.emulators.telegram import Chat


@dataclass(slots=True, eq=False)
class Spot:
    """One place that follows the feed. A group that became a supergroup has two addresses."""

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
    """Its topic is."""
    away: list[tuple[datetime, datetime]] = field(default_factory=list)
    """When Skywave was told, rightly or by a fault, that it cannot be reached."""
    away_since: datetime | None = None
    hindered: bool = False
    """Told that it may not write there, since the last time that it was let in."""

    @property
    def word(self) -> str:
        """As the commands name it."""
        return f"{self.platform}:{self.addresses[-1]}" + (f"/{self.topic}" if self.topic else "")

    def left(self) -> None:
        """It cannot be reached from now on."""
        if self.away_since is None:
            self.away_since = datetime.now(UTC)

    def returned(self) -> None:
        """It is known to be back."""
        if self.away_since is not None:
            self.away.append((self.away_since, datetime.now(UTC)))
            self.away_since = None

    def was_away(self, start: datetime, end: datetime) -> bool:
        """Whether it could not be reached at some moment between these."""
        if self.away_since is not None and end >= self.away_since:
            return True
        return any(since <= end and start <= until for since, until in self.away)
