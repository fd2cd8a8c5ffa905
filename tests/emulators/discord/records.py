"""The entries of the transcript: requests, gateway connections, and what people saw."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.emulators.discord.types import Json, Message


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a request. `status` is None if the connection was closed before the answer."""

    status: int | None
    code: int = 0
    """Discord's code of an error."""
    body: str = ""
    """The body of an error."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request. Its outcome is None while it is held or handled."""

    method: str
    route: str
    """The path with the names of its parameters: /channels/{channel}/messages."""
    params: Mapping[str, str]
    body: Json
    at: float
    """Seconds of the emulator's clock when it arrived."""
    outcome: Outcome | None = None

    @property
    def channel_id(self) -> str:
        """The channel in the request; '' if there is none."""
        return self.params.get("channel", "")


@dataclass(frozen=True, slots=True)
class Shown:
    """Something that people saw: a message was sent, edited or deleted, or `thinking` was shown."""

    what: str
    message: Message


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The bot answered an interaction in time; `kind` is the callback's type."""

    interaction_id: int
    kind: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A person saw that the interaction failed."""

    interaction_id: int
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """The state of a gateway connection: identified, resumed, refused, ended."""

    what: str
    session_id: str
    code: int | None = None


Happening = Request | Shown | Acknowledged | Failed | Link
