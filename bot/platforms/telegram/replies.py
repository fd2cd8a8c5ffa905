"""Replies to commands: sent before broadcasts, within the same limits, and once more after a flood wait."""

from dataclasses import replace

import structlog

from bot.commands.types import Reply
from bot.platforms.attempts import say_in_a_form_that_is_taken
from bot.platforms.telegram import chats
from bot.platforms.telegram.events import Where
from bot.platforms.telegram.sender import TelegramSender
from bot.platforms.types import Wiring
from scheduler.errors import ChatGone, ChatMoved, ContentRejected, RateLimited
from scheduler.types import Chat, Form, Message, Sent

log = structlog.get_logger(__name__)

# A reply is dropped if its flood wait is longer than this, seconds: it would come too late to be of use.
LATE = 60.0


class Replies:
    """Sends replies to one person, and edits messages to show another page.

    A reply that waits for the chat's limit is dropped when the same person has sent another command.
    """

    def __init__(self, sender: TelegramSender, wiring: Wiring, actor: str) -> None:
        self._sender, self._wiring, self._actor = sender, wiring, actor

    async def send(self, where: Where, reply: Reply) -> None:
        """Send a reply, in a plainer form if Telegram rejects it. Raises SendError if that fails too."""
        try:
            await say_in_a_form_that_is_taken(
                reply.document,
                self._sender.render,
                lambda message: self._say(where, message, reply),
                self._first_form(where, reply),
                chat=str(where.place),
            )
        except ChatGone as exc:
            await chats.gone(where.place, str(exc), self._wiring)

    async def _say(self, where: Where, message: Message, reply: Reply) -> None:
        """Send a message; if the chat has moved, send it to the new address."""
        try:
            await self._say_at(where, message, reply)
        except ChatMoved as exc:
            await chats.moved(where.place.address, exc.address, self._wiring)
            there = replace(where, place=replace(where.place, address=exc.address))
            await self._say_at(there, message, reply)

    async def turn(self, where: Where, message_id: int, reply: Reply) -> None:
        """Edit a message so that it shows another page. Raises SendError."""
        if not await self._slot(where, f"{self._actor} in {message_id}"):
            return
        sent, form = Sent(where.place.address, (str(message_id),)), self._first_form(where, reply)
        try:
            await self._rewrite(sent, reply, form)
        except ContentRejected:
            if form is Form.FULL:
                raise
            await self._rewrite(sent, reply, Form.FULL)
        except RateLimited as exc:
            self._hold(exc, where)
            raise

    async def _rewrite(self, sent: Sent, reply: Reply, form: Form) -> None:
        await self._sender.rewrite(sent, self._sender.render(reply.document, form)[0], reply.buttons)

    def _first_form(self, where: Where, reply: Reply) -> Form:
        chat = Chat(0, where.place, where.title, where.kind)
        return Form.RICH if self._sender.prefers_rich(reply.document, chat) else Form.FULL

    async def _say_at(self, where: Where, message: Message, reply: Reply) -> None:
        """Send a message; after a flood wait of at most LATE seconds, send it once more."""
        if not await self._slot(where, self._actor):
            return
        try:
            await self._sender.say(where.place, message, reply.buttons)
        except RateLimited as exc:
            wait = self._hold(exc, where)
            if wait > LATE:
                raise
            await self._wiring.clock.sleep(wait)
            await self._sender.say(where.place, message, reply.buttons)

    async def _slot(self, where: Where, asked: str) -> bool:
        place = where.place
        if await self._wiring.pacer.reply_permit(place.address, where.kind, f"{asked} of {place.topic}"):
            return True
        log.info("reply.left_out", chat=str(place), reason="asked again, or too many replies wait")
        return False

    def _hold(self, error: RateLimited, where: Where) -> float:
        """Tell the pacer about a flood wait, so that broadcasts wait as well; returns its seconds."""
        self._wiring.pacer.limited(where.place.address, error.retry_after, error.scope)
        return error.retry_after.total_seconds()
