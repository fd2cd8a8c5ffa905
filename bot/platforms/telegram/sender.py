"""Sends messages to Telegram."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from telegram import Bot, InputFile
from telegram.error import BadRequest, RetryAfter, TelegramError

from bot.commands.types import Button, File, Question, Rows
from bot.platforms.telegram import gains, render, rich
from bot.platforms.telegram.alone import Alone
from bot.platforms.telegram.errors import FloodScope, is_unknown_to_server, send_error
from bot.platforms.telegram.limits import NAME
from bot.platforms.telegram.transport import call
from content.document import Document
from content.formats import Rich
from scheduler.errors import Ambiguous, ContentRejected, SendError
from scheduler.log import Logger
from scheduler.types import Chat, Form, Limits, Message, Place, Sent

log = Logger(__name__)

HINT_LENGTH = 64  # most characters of the hint in the field of an answer
RICH = "rich_message"  # the field of a payload that makes it a rich message
TOO_OLD = "the Bot API server is too old for rich messages: update it"


class TelegramSender:
    """Sends and edits text messages and rich messages; raises `SendError` only.

    A bot cannot read the messages it has sent, so an unknown outcome cannot be looked up.
    """

    name = NAME
    deduplicates = False

    def __init__(
        self,
        bot: Bot,
        limits: Limits,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        paid: bool = False,
    ) -> None:
        self._bot, self.limits, self._monotonic = bot, limits, monotonic
        self._paid = paid or None
        self._floods = FloodScope()
        self._is_too_old = False  # for rich messages; learned from the server's first answer to one

    def render(self, document: Document, form: Form) -> Sequence[Message]:
        if form in (Form.RICH, Form.RICH_TEXT):
            return rich.render(document, form)
        return render.render(document, form)

    def prefers_rich(self, document: Document, chat: Chat) -> bool:
        """By the chat's choice; without one, if the document gains by it."""
        choice = chat.format.rich
        if self._is_too_old or choice is Rich.OFF:
            return False
        return choice is Rich.ON or gains.gains(document)

    async def send(self, chat: Chat, message: Message, *, key: str, silent: bool = False) -> Sent:
        return await self.say(chat.place, message, paid=self._paid, silent=silent)

    async def say(
        self,
        place: Place,
        message: Message,
        below: Rows | Question = (),
        *,
        paid: bool | None = None,
        silent: bool = False,
        alone: Alone | None = None,
    ) -> Sent:
        """Send a message with rows of buttons, or one that asks for an answer.

        `paid`: pay for a place outside the free rate limit. `alone`: the message that it answers, so that
        nobody else sees the answer.
        """
        asked: dict[str, object] = {
            "chat_id": int(place.address),
            "message_thread_id": int(place.topic) if place.topic else None,
            "allow_paid_broadcast": paid,
            "disable_notification": silent or None,
            **(alone.reply_fields() if alone else {}),
        }
        left = self._monotonic()
        try:
            method = "sendRichMessage" if RICH in message.payload else "sendMessage"
            answer = await self._call(method, asked, message, below)
        except TelegramError as exc:
            raise self._error(exc, place.address, left, message) from exc
        self._floods.accepted(left)
        return _sent(answer, place.address)

    async def hand_over(self, place: Place, file: File, message: Message) -> Sent:
        """Send a file with a message as its caption."""
        asked = {
            "chat_id": int(place.address),
            "message_thread_id": int(place.topic) if place.topic else None,
            "document": InputFile(file.content, filename=file.name),
            "caption": message.payload["text"],
            "caption_entities": message.payload["entities"],
        }
        left = self._monotonic()
        try:
            answer = await call(self._bot, "sendDocument", asked)
        except TelegramError as exc:
            raise self._error(exc, place.address, left, message) from exc
        self._floods.accepted(left)
        return _sent(answer, place.address)

    async def rewrite(
        self, sent: Sent, message: Message, rows: Rows = (), *, alone: Alone | None = None
    ) -> None:
        """Replace the text and buttons of a message. No error if they are the same already.

        `alone`: the message, if one person sees it alone.
        """
        method = "editEphemeralMessageText" if alone else "editMessageText"
        which = alone.edit_fields() if alone else {"message_id": int(sent.message_ids[0])}
        asked, left = {"chat_id": int(sent.address), **which}, self._monotonic()
        try:
            await self._call(method, asked, message, rows)
        except BadRequest as exc:
            if "message is not modified" not in exc.message.lower():
                raise self._error(exc, sent.address, left, message) from exc
        except TelegramError as exc:
            raise self._error(exc, sent.address, left, message) from exc

    async def _call(
        self, method: str, asked: Mapping[str, object], message: Message, below: Rows | Question
    ) -> object:
        """Call a method and return plain JSON.

        python-telegram-bot's own methods raise if they cannot parse the answer to a message that was sent.
        """
        if self._is_too_old and RICH in message.payload:
            raise ContentRejected(TOO_OLD)
        given = {**asked, **message.payload, "reply_markup": markup(below)}
        return await call(self._bot, method, given)

    def _error(self, error: TelegramError, address: str, left: float, message: Message) -> SendError:
        if RICH in message.payload and is_unknown_to_server(error):
            if not self._is_too_old:
                log.warning(
                    "telegram.no_rich_messages", reason=TOO_OLD, next_step="messages are sent as text"
                )
            self._is_too_old = True
            return ContentRejected(TOO_OLD)
        if isinstance(error, RetryAfter):
            return send_error(error, self._floods.of(address, left, self._monotonic()))
        return send_error(error)


def _sent(answer: Any, address: str) -> Sent:
    """The sent message that an answer names. Raises Ambiguous if it names none."""
    try:
        number = int(answer["message_id"])
    except (KeyError, TypeError, ValueError) as exc:
        raise Ambiguous("Telegram's answer names no message") from exc
    chat = answer.get("chat")
    return Sent(str(chat["id"]) if isinstance(chat, dict) and "id" in chat else address, (str(number),))


def markup(below: Rows | Question) -> Mapping[str, object] | None:
    """Rows of buttons, or what makes an app answer a question of the person whom the message mentions."""
    if isinstance(below, Question):
        hint = {"input_field_placeholder": below.placeholder[:HINT_LENGTH]} if below.placeholder else {}
        return {"force_reply": True, "selective": True, **hint}
    rows = [[_button(button) for button in row] for row in below if row]
    return {"inline_keyboard": rows} if rows else None


def _button(button: Button) -> Mapping[str, object]:
    action = {"url": button.url} if button.url else {"callback_data": button.sent}
    return {"text": button.label, **action}
