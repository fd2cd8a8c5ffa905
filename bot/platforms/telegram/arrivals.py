"""Greets a chat once for each arrival of the bot, although two updates may tell of it.

An app that adds the bot by a link then sends `/start` with what the link carries
(core.telegram.org/api/links: "Bot links"). That changes the greeting instead of adding a second one.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from scheduler.types import Place, Sent

# How long after an arrival its `/start` may come, and how long that waits for the greeting; seconds.
TOGETHER, PATIENCE = 60.0, 10.0
MOST = 1000  # arrivals that are remembered; the oldest are forgotten first


class Arrivals:
    """The greetings of chats that the bot has just been added to."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._greetings: OrderedDict[Place, tuple[float, asyncio.Future[Sent | None]]] = OrderedDict()

    def expect(self, place: Place) -> None:
        """Note that a chat may be greeted soon. Call it before any later update is handled."""
        greeting: asyncio.Future[Sent | None] = asyncio.get_running_loop().create_future()
        self._greetings[place] = self._monotonic(), greeting
        if len(self._greetings) > MOST:
            self._greetings.popitem(last=False)

    def settle(self, place: Place, sent: Sent | None) -> None:
        """Note the greeting of a chat; None if it got none."""
        _, greeting = self._greetings.get(place, (0.0, None))
        if greeting is not None and not greeting.done():
            greeting.set_result(sent)

    async def greeting(self, place: Place) -> Sent | None:
        """The greeting that a chat has just got, given out once; None if there is none."""
        at, greeting = self._greetings.get(place, (0.0, None))
        if greeting is None or self._monotonic() - at > TOGETHER:
            return None
        await asyncio.wait({greeting}, timeout=PATIENCE)
        self._greetings.pop(place, None)
        return greeting.result() if greeting.done() else None
