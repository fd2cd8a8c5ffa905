"""Removes commands and their answers from channels, where every subscriber sees them."""

import asyncio

from telegram import Bot
from telegram.error import TelegramError

from bot.platforms.tasks import TaskSet
from scheduler.log import Logger
from scheduler.types import Place, Sent

log = Logger(__name__)

STAYS = 600.0  # seconds that an answer stays


class Tidying:
    """Deletes messages. An answer that has not been deleted when Skywave stops stays."""

    def __init__(self, bot: Bot, stays: float) -> None:
        self._bot, self._stays = bot, stays
        self._tasks = TaskSet()
        self._waiting: set[asyncio.TimerHandle] = set()

    async def delete(self, place: Place, message_id: int) -> None:
        """Delete a message, if the bot may."""
        try:
            await self._bot.delete_message(int(place.address), message_id)
        except TelegramError as exc:
            log.info("message.not_deleted", chat=str(place), reason=exc.message)

    def delete_later(self, place: Place, sent: Sent) -> None:
        """Delete an answer when it has been there for a while."""

        def start() -> None:
            self._waiting.discard(timer)
            deleting = self.delete(place, int(sent.message_ids[0]))
            self._tasks.start(asyncio.create_task(deleting))

        timer = asyncio.get_running_loop().call_later(self._stays, start)
        self._waiting.add(timer)

    async def close(self) -> None:
        """Delete nothing more."""
        for timer in self._waiting:
            timer.cancel()
        await self._tasks.finish(0.0)
