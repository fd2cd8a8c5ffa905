"""Messages out to Telegram."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, MessageEntity
from telegram.error import BadRequest, RetryAfter, TelegramError

from bot.commands.types import Button
from bot.platforms.telegram.errors import FloodScope, send_error
from bot.platforms.telegram.render import render
from content.document import Document
from scheduler.errors import SendError
from scheduler.types import Chat, Form, Message, Payload, Place, Sent

NAME = "telegram"


class TelegramPlatform:
    """Sends and edits text messages; raises `SendError` only."""

    name = NAME
    deduplicates = False

    def __init__(
        self, bot: Bot, monotonic: Callable[[], float] = time.monotonic, *, paid: bool = False
    ) -> None:
        self._bot, self._monotonic = bot, monotonic
        self._paid = paid or None
        self._floods = FloodScope()

    def render(self, document: Document, form: Form) -> Sequence[Message]:
        return render(document, form)

    async def send(self, chat: Chat, message: Message, *, key: str) -> Sent:
        return await self.say(chat.place, message, paid=self._paid)

    async def say(
        self, place: Place, message: Message, buttons: Sequence[Button] = (), *, paid: bool | None = None
    ) -> Sent:
        """Send a message to a place, with a row of buttons below it; `paid` buys a faster lane."""
        try:
            sent = await self._bot.send_message(
                chat_id=int(place.address),
                message_thread_id=int(place.topic) if place.topic else None,
                reply_markup=keyboard(buttons),
                allow_paid_broadcast=paid,
                **_content(message.payload),
            )
        except TelegramError as exc:
            raise self._error(exc, place.address) from exc
        return Sent(str(sent.chat_id), (str(sent.message_id),))

    async def edit(self, chat: Chat, sent: Sent, message: Message) -> None:
        await self.rewrite(sent, message)

    async def recall(self, chat: Chat, message: Message, since: datetime) -> Sent | None:
        return None  # a bot cannot read what it has written

    async def publish(self, sent: Sent) -> None:
        return None

    async def rewrite(self, sent: Sent, message: Message, buttons: Sequence[Button] = ()) -> None:
        """Replace the text and buttons of a message."""
        try:
            await self._bot.edit_message_text(
                chat_id=int(sent.address),
                message_id=int(sent.message_ids[0]),
                reply_markup=keyboard(buttons),
                **_content(message.payload),
            )
        except BadRequest as exc:
            if "message is not modified" not in exc.message.lower():
                raise self._error(exc, sent.address) from exc
        except TelegramError as exc:
            raise self._error(exc, sent.address) from exc

    def _error(self, error: TelegramError, address: str) -> SendError:
        if isinstance(error, RetryAfter):
            return send_error(error, self._floods.of(address, self._monotonic()))
        return send_error(error)


def _content(payload: Payload) -> dict[str, Any]:
    return {
        "text": payload["text"],
        "entities": [MessageEntity(**entity) for entity in payload["entities"]],
        "link_preview_options": LinkPreviewOptions(**payload["link_preview_options"]),
    }


def keyboard(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    """One row of buttons."""
    if not buttons:
        return None
    return InlineKeyboardMarkup([[InlineKeyboardButton(b.label, callback_data=b.data) for b in buttons]])
