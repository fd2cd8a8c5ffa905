"""What every platform brings: messages out, and a listener for what people do."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from bot.commands.router import Router
from bot.settings import Settings
from scheduler.delivery.limits import Limits
from scheduler.delivery.pacer import Pacer
from scheduler.ports import Clock, Platform, Store
from scheduler.types import ChatKind, Place

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wiring:
    """What an adapter works with: where commands go, what it may say when, and where chats are kept.

    `wake` makes the dispatcher look at the outbox, after a chat has come back.
    """

    router: Router
    pacer: Pacer
    store: Store
    clock: Clock
    wake: Callable[[], None]


class Adapter(Protocol):
    """One platform as the application sees it."""

    name: str
    limits: Limits

    @property
    def platform(self) -> Platform: ...

    async def open(self) -> None:
        """Connect, trying again while the network is down. Raises PlatformStopped for a refused token."""
        ...

    async def check(self) -> str:
        """Connect once, without retry, and say who the bot is. Raises SendError with the next step."""
        ...

    async def listen(self, wiring: Wiring) -> None:
        """Answer people until cancelled, or until there is nobody left. Raises PlatformStopped."""
        ...

    async def close(self, patience: float = 0.0) -> None:
        """End; the answers that are on their way get so many seconds."""
        ...


@dataclass(frozen=True, slots=True)
class PlatformSpec:
    """A platform before it is loaded: its SDK is imported only where `make` finds its settings.

    `kind` tells what can be told of a place before the platform has said more.
    """

    name: str
    make: Callable[[Settings], Adapter | None]
    kind: Callable[[Place], ChatKind]
    limits: Callable[[Settings], Limits]


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
