"""Sends messages to Discord."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from itertools import count
from typing import Any, TypeVar

import discord

from bot.commands.types import Button, Question, Rows
from bot.platforms.discord import errors
from bot.platforms.discord.errors import FAULTS, send_error
from bot.platforms.discord.events import custom_id
from bot.platforms.discord.limits import NAME
from bot.platforms.discord.pacing import answered
from bot.platforms.discord.publishing import publish
from bot.platforms.discord.recall import find
from bot.platforms.discord.render import prefers_rich, render
from bot.platforms.discord.threads import channel_of, go_on_in_thread
from bot.platforms.discord.views import layout_view
from content.document import Document
from content.formats import Rich
from scheduler.errors import ContentRejected
from scheduler.types import Chat, ChatKind, Form, Limits, Message, Payload, Sent

# A send that takes longer (seconds) times out, so that the retry comes while Discord still remembers its
# nonce ("the past few minutes"). discord.py itself would wait five minutes.
SEND_TIMEOUT = 60.0

ROW, ROWS = 5, 5  # most buttons of a row, most rows (docs.discord.com: "Component Reference")
LABEL, TITLE, HINT = 80, 45, 100  # lengths of a button's label; of a form's title and label; of its hint

S = TypeVar("S", Sent, Sent | None)


class DiscordSender:
    """Sends messages; raises `SendError` only. The key is the nonce, so a retry makes no second message."""

    name = NAME
    deduplicates = True

    def __init__(
        self,
        client: discord.Client,
        limits: Limits,
        now: Callable[[], datetime],
        *,
        timeout: float,
    ) -> None:
        self._client, self.limits, self._timeout, self._now = client, limits, timeout, now
        self._overdue: set[asyncio.Task[Sent]] = set()

    def render(self, document: Document, form: Form) -> Sequence[Message]:
        return render(document, form)

    def prefers_rich(self, document: Document, chat: Chat) -> bool:
        choice = chat.choices.rich
        return choice is Rich.ON or (choice is not Rich.OFF and prefers_rich(document))

    async def send(self, chat: Chat, message: Message, *, key: str, silent: bool = False) -> Sent:
        sending = self._send(chat, message.payload, key, silent)
        try:
            return await self._in_time(self._go_on(chat, message, sending))
        except FAULTS as exc:
            raise send_error(exc) from exc

    async def recall(self, chat: Chat, message: Message, since: datetime) -> Sent | None:
        try:
            found = find(self._client, chat, message.payload, since, self._now())
            return await self._go_on(chat, message, found)
        except FAULTS as exc:
            raise send_error(exc) from exc

    async def rewrite(self, sent: Sent, message: Message) -> None:
        try:
            await self._in_time(self._rewrite(sent, message.payload))
        except discord.NotFound as exc:
            raise ContentRejected(f"the message was deleted: {exc.text}", final=True) from exc
        except FAULTS as exc:
            raise send_error(exc) from exc

    async def publish(self, sent: Sent) -> None:
        try:
            for number in sent.message_ids:
                await publish(self._client.http, int(sent.address), int(number))
        except FAULTS as exc:
            raise send_error(exc) from exc

    async def _in_time(self, sending: Coroutine[Any, Any, Sent]) -> Sent:
        """The result of a send. Raises TimeoutError.

        A late send keeps running: if it were cancelled while it waits for the global rate limit, discord.py
        would never send anything again.
        """
        task = asyncio.create_task(sending)
        try:
            await asyncio.wait({task}, timeout=self._timeout)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not task.done():
            self._overdue.add(task)
            task.add_done_callback(self._forget)
            raise TimeoutError
        return task.result()

    async def _go_on(self, chat: Chat, message: Message, sending: Coroutine[Any, Any, S]) -> S | Sent:
        """The message, and the thread in which its post goes on if the chat wants one.

        Servers that follow a channel get its messages, not its threads: a post that is published has none.
        """
        sent = await sending
        goes_on = message.payload.get("continued") and chat.format.threads and not chat.crosspost
        if sent is None or not goes_on:
            return sent
        return await go_on_in_thread(self._client, sent, message.payload["title"])

    def _forget(self, task: asyncio.Task[Sent]) -> None:
        self._overdue.discard(task)
        if not task.cancelled():
            task.exception()  # read it, or asyncio logs that it was never retrieved

    async def _send(self, chat: Chat, payload: Payload, key: str, silent: bool) -> Sent:
        number = int(chat.place.address)
        channel = self._client.get_channel(number)
        if isinstance(channel, discord.ForumChannel):
            return await self._open_thread(channel, payload, silent)
        try:
            return await self._post(number, payload, key, silent)
        except discord.HTTPException as exc:
            return await self._otherwise(exc, chat, payload, key, silent)

    async def _post(self, channel: int, payload: Payload, key: str, silent: bool) -> Sent:
        target = self._client.get_partial_messageable(channel)
        sent = await target.send(nonce=key, silent=silent, **content(payload))
        return Sent(str(channel), (str(sent.id),))

    async def _rewrite(self, sent: Sent, payload: Payload) -> Sent:
        channel = self._client.get_partial_messageable(await channel_of(self._client, sent))
        for number in sent.message_ids:
            await channel.get_partial_message(int(number)).edit(**content(payload))
        return sent

    async def _otherwise(
        self, error: discord.HTTPException, chat: Chat, payload: Payload, key: str, silent: bool
    ) -> Sent:
        """Try again in the way that a refusal calls for. Raises the refusal if there is none."""
        number, is_person = int(chat.place.address), chat.kind is ChatKind.PRIVATE
        match error.code:
            case errors.UNKNOWN_MESSAGE:
                # The nonce is known: an earlier attempt arrived, and its message was deleted since.
                return Sent(str(number), ())
            case errors.ARCHIVED:
                # A locked thread gives the same error; then unarchiving fails and the chat is paused.
                await self._client.http.edit_channel(number, archived=False)
                return await self._post(number, payload, key, silent)
            case errors.UNKNOWN_CHANNEL if is_person:
                # The settings name operators by the id of the person, not of the DM channel.
                conversation = await self._client.create_dm(discord.Object(number))
                return await self._post(conversation.id, payload, key, silent)
            case errors.NOT_A_TEXT_CHANNEL:
                # A forum that the gateway has not announced yet.
                channel = await self._client.fetch_channel(number)
                if isinstance(channel, discord.ForumChannel):
                    return await self._open_thread(channel, payload, silent)
        raise error

    async def _open_thread(self, forum: discord.ForumChannel, payload: Payload, silent: bool) -> Sent:
        """Open a thread, which is how a forum takes posts.

        If the forum requires a tag, it gets the first one that is not reserved for moderators.
        """
        free = [tag for tag in forum.available_tags if not tag.moderated] or forum.available_tags
        tags = free[:1] if forum.flags.require_tag else []
        token = answered.set([])  # threads have no nonce, so a retry could open a second one
        try:
            opened = await forum.create_thread(
                name=payload["title"], applied_tags=tags, silent=silent, **content(payload)
            )
        finally:
            answered.reset(token)
        return Sent(str(opened.thread.id), (str(opened.message.id),), opened=True)


def content(payload: Payload) -> dict[str, Any]:
    """The keyword arguments of a send or edit. No mention in it notifies anybody."""
    if made := payload.get("components"):
        return {"view": layout_view(made), "allowed_mentions": discord.AllowedMentions.none()}
    return {
        "content": payload["content"] or None,
        "embeds": [discord.Embed.from_dict(embed) for embed in payload["embeds"]],
        "allowed_mentions": discord.AllowedMentions.none(),
    }


def view(rows: Rows) -> discord.ui.View | None:
    """Rows of buttons. Each carries its data, so no state is kept for the message."""
    made = discord.ui.View(timeout=None)
    numbers = count()
    for place, row in enumerate(fitting(rows)):
        for button in row:
            made.add_item(_button(button, next(numbers), place))
    made.stop()  # so that discord.py does not keep the view in memory
    return made if made.children else None


def fitting(rows: Rows) -> Sequence[Sequence[Button]]:
    """The rows, each as wide as Discord allows; packed without their ends if they are too many."""
    split = [part for row in rows for part in _parts(row)]
    packed = split if len(split) <= ROWS else _parts([button for row in rows for button in row])
    return packed[:ROWS]


def _parts(row: Sequence[Button]) -> list[Sequence[Button]]:
    return [row[start : start + ROW] for start in range(0, len(row), ROW)]


def _button(button: Button, number: int, row: int) -> discord.ui.Button[Any]:
    label = button.label[:LABEL]
    if button.url:
        return discord.ui.Button(label=label, url=button.url, row=row)
    return discord.ui.Button(label=label, custom_id=custom_id(button, number), row=row)


def form(question: Question, title: str, data: str) -> discord.ui.Modal:
    """A form with one field. Its id is the data of the button that opens it."""
    made = discord.ui.Modal(title=title[:TITLE], timeout=None, custom_id=data)
    if len(question.prompt) > TITLE:
        made.add_item(discord.ui.TextDisplay(question.prompt))
    field = discord.ui.TextInput[Any](placeholder=question.placeholder[:HINT] or None)
    asked = title if len(question.prompt) > TITLE else question.prompt
    made.add_item(discord.ui.Label(text=asked[:TITLE], component=field))
    made.stop()  # so that discord.py does not keep the form in memory
    return made
