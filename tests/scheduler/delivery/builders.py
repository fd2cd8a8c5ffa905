"""Scenes of sending that many tests begin with, and ways in which a send can end."""

import asyncio
from datetime import timedelta

from scheduler.delivery.dispatch import Dispatcher
from scheduler.errors import RateLimited, RateScope
from scheduler.retry import MAX_ATTEMPTS, MAX_REFUSED
from scheduler.types import Chat, Message
from tests.fakes import Fault
from tests.scheduler.conftest import World

# Longer than the back-off after any fault but a chat without rights, seconds.
LATER = timedelta(hours=1).total_seconds()
# Longer than the first back-offs of such a chat, too, seconds.
LONG = timedelta(hours=2).total_seconds()
LEFT = "SELECT count(*) FROM deliveries WHERE state IN ('pending', 'claimed')"
FOUR_LINES = "first\nsecond\nthird\nfourth"


async def waiting(world: World, *posts: str, per_message: int = 100) -> Chat:
    """A chat for which these posts wait; so many of their lines go into one message."""
    await world.source()
    chat = await world.chat()
    world.platform.per_message = per_message
    await world.publish(*posts)
    return chat


async def many_waiting(world: World, count: int, *posts: str) -> list[Chat]:
    """The same for so many chats."""
    await world.source()
    chats = [await world.chat(str(n)) for n in range(count)]
    await world.publish(*posts)
    return chats


async def until_quiet(dispatcher: Dispatcher, world: World) -> None:
    """Dispatch until nothing is left, however long it takes."""
    for _ in range(MAX_REFUSED + MAX_ATTEMPTS):
        await dispatcher.drain()
        if world.sql(LEFT) == [(0,)]:
            return
        world.clock.advance(LONG)
    await dispatcher.drain()


def sends_end(world: World, *outcomes: BaseException | None) -> None:
    """The first sends end like this, in order; None: it arrives, as do all later ones."""
    left = iter(outcomes)

    async def end(chat: Chat, message: Message, key: str) -> None:
        if error := next(left, None):
            raise error

    world.platform.on_send = end


def killed() -> Fault:
    """The process ends while the request is on its way."""
    return Fault(asyncio.CancelledError(), arrived=True)


def limited(seconds: float, scope: RateScope = RateScope.CHAT) -> RateLimited:
    return RateLimited("slow down", retry_after=timedelta(seconds=seconds), scope=scope)
