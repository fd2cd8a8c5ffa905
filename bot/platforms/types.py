"""The description of a platform, and the protocols that its sender may implement."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel

from scheduler.delivery.pacer import Pacer
from scheduler.ports import Clock, Sender, Store
from scheduler.types import ChatKind, Limits, Place

if TYPE_CHECKING:
    from bot.commands.router import Router

S = TypeVar("S", bound=BaseModel)

# A chat id, and a topic id after a slash. Ids are 64-bit integers: at most 20 digits.
NUMBERS = re.compile(r"(-?[0-9]{1,20})(?:/([0-9]{1,20}))?")


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a listening sender works with.

    `router` runs commands, `pacer` gives permits for replies, `store` keeps chats, and `wake` makes the
    dispatcher query the outbox, for example after a chat has come back.
    """

    router: "Router"
    pacer: Pacer
    store: Store
    clock: Clock
    wake: Callable[[], None]


@runtime_checkable
class Connects(Protocol):
    """A sender that has to be opened before it sends, and closed at the end."""

    async def open(self) -> None:
        """Connect; retry while the network is down. Raises PlatformStopped for a refused token."""
        ...

    async def close(self, patience: float = 0.0) -> None:
        """Disconnect; replies in progress get `patience` seconds to finish."""
        ...


@runtime_checkable
class Checks(Protocol):
    """A sender whose configuration `skywave doctor` can check."""

    async def check(self) -> str:
        """Connect once, without retries, and return the bot's name. Raises SendError with the next step."""
        ...


@runtime_checkable
class Invites(Protocol):
    """A sender whose bot people add by links."""

    async def invitations(self, payload: str) -> Sequence[tuple[str, str]]:
        """What the links do, and the links. They carry `payload` along where the platform can do that.

        It connects once, as `check` does. Raises SendError.
        """
        ...


@runtime_checkable
class Listens(Protocol):
    """A sender that also receives commands and events from its chats."""

    async def listen(self, wiring: Wiring) -> None:
        """Answer people until cancelled, or until the input ends. Raises PlatformStopped."""
        ...


@dataclass(frozen=True, slots=True)
class Platform(Generic[S]):
    """The description of a platform, which does not import its SDK.

    `make` imports the SDK and returns the sender, or None if the platform is not configured.
    `parse` reads the name of a chat without its "platform:" prefix; `examples` show how to write it.
    `kind` derives the kind of a chat from its place alone.
    `here` is the chat of the person at this machine, who is an operator; None if the platform is remote.
    `publishes` says whether the sender implements `Publishes`; commands check it without loading the SDK.
    `loggers` are the SDK's loggers, each with the lowest level that is logged.
    `secret` matches the platform's secrets by their form; logs mask what it matches.
    """

    name: str
    settings: type[S]
    make: Callable[[S], Sender | None]
    limits: Callable[[S], Limits]
    parse: Callable[[str], Place | None]
    kind: Callable[[Place], ChatKind]
    examples: Sequence[str]
    here: Place | None = None
    publishes: bool = False
    loggers: Mapping[str, int] = field(default_factory=dict)
    secret: re.Pattern[str] | None = None


def numbered(name: str) -> Callable[[str], Place | None]:
    """Make a parser for chats that are numbers, with an optional topic number after a slash."""

    def parse(word: str) -> Place | None:
        found = NUMBERS.fullmatch(word)
        return Place(name, found[1], found[2] or "") if found else None

    return parse
