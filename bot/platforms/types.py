"""What every platform brings: messages out, and a listener for what people do."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar, runtime_checkable

import structlog
from pydantic import BaseModel

from bot.commands.router import Router
from scheduler.delivery.pacer import Pacer
from scheduler.ports import Clock, Sender, Store
from scheduler.types import ChatKind, Limits, Place

log = structlog.get_logger(__name__)

S = TypeVar("S", bound=BaseModel)

# Ids have 64 bits.
NUMBERS = re.compile(r"(-?[0-9]{1,20})(?:/([0-9]{1,20}))?")


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a listening sender works with: where commands go, what it may say when, and where chats are kept.

    `wake` makes the dispatcher look at the outbox, after a chat has come back.
    """

    router: Router
    pacer: Pacer
    store: Store
    clock: Clock
    wake: Callable[[], None]


@runtime_checkable
class Connects(Protocol):
    """A sender that has to be connected before it sends, and ended."""

    async def open(self) -> None:
        """Connect, trying again while the network is down. Raises PlatformStopped for a refused token."""
        ...

    async def close(self, patience: float = 0.0) -> None:
        """End; the answers that are on their way get so many seconds."""
        ...


@runtime_checkable
class Checks(Protocol):
    """A sender that can tell whether it would work."""

    async def check(self) -> str:
        """Say who the bot is, after connecting once without retry. Raises SendError with the next step."""
        ...


@runtime_checkable
class Listens(Protocol):
    """A sender whose chats can also speak."""

    async def listen(self, wiring: Wiring) -> None:
        """Answer people until cancelled, or until there is nobody left. Raises PlatformStopped."""
        ...


@dataclass(frozen=True, slots=True)
class Platform(Generic[S]):
    """A platform as it is known before its SDK is loaded.

    `make` imports the SDK and returns the sender, or None if the platform is not configured.
    `parse` reads the name of a chat without its "platform:"; `examples` show how to write it.
    `kind` is the kind of chat that the place alone tells.
    `here` is the chat of the person at this machine, who is an operator; None if the platform is remote.
    `publishes` says whether the sender implements `Publishes`: commands ask before the SDK is loaded.
    `loggers` are those of the SDK, with the lowest level that is logged.
    `secret` matches what the platform's secrets look like, so that logs have none.
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
    """A parser of chats that are numbers, with that of a topic after a slash."""

    def parse(word: str) -> Place | None:
        found = NUMBERS.fullmatch(word)
        return Place(name, found[1], found[2] or "") if found else None

    return parse


class TaskSet:
    """Tasks that are kept alive until they are done; the event loop itself holds only weak references."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self, patience: float) -> None:
        """Wait for all of them, so many seconds; those that are left are cancelled."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)
        if left := set(self._tasks):
            log.warning("end.cut_off", what="answers", count=len(left))
            for task in left:
                task.cancel()
            await asyncio.wait(left)
