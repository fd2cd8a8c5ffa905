"""Messages out to Discord."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any

import discord

from bot.commands.types import Button
from bot.platforms.discord.errors import (
    ARCHIVED,
    FAULTS,
    NOT_A_TEXT_CHANNEL,
    UNKNOWN_CHANNEL,
    UNKNOWN_MESSAGE,
    send_error,
)
from bot.platforms.discord.render import render
from content.document import Document
from scheduler.types import Chat, ChatKind, Form, Message, Payload, Sent

NAME = "discord"

# A send that takes longer (seconds) is tried again while Discord still knows its nonce. The library would
# wait five minutes, and Discord remembers "the past few minutes".
SEND_TIMEOUT = 60.0
# A forum's posts have no nonce: one of ours with this content that is younger is the one we want to send.
REMEMBERED = timedelta(minutes=3)


class DiscordPlatform:
    """Sends and edits messages; raises `SendError` only. A repeated key makes no second message."""

    name = NAME
    deduplicates = True

    def __init__(
        self,
        client: discord.Client,
        *,
        timeout: float = SEND_TIMEOUT,
        now: Callable[[], datetime] = discord.utils.utcnow,
    ) -> None:
        self._client, self._timeout, self._now = client, timeout, now
        self._overdue: set[asyncio.Task[Sent]] = set()

    def render(self, document: Document, form: Form) -> Sequence[Message]:
        return render(document, form)

    async def send(self, chat: Chat, message: Message, *, key: str) -> Sent:
        try:
            return await self._in_time(self._send(chat, message.payload, key))
        except FAULTS as exc:
            raise send_error(exc) from exc

    async def edit(self, chat: Chat, sent: Sent, message: Message) -> None:
        try:
            target = self._client.get_partial_messageable(int(sent.address))
            await target.get_partial_message(int(sent.message_ids[0])).edit(**content(message.payload))
        except FAULTS as exc:
            raise send_error(exc) from exc

    async def _in_time(self, sending: Coroutine[Any, Any, Sent]) -> Sent:
        """The result, or TimeoutError. What is late is left alone: cancelled inside a global rate limit, the
        library would send nothing any more."""
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

    def _forget(self, task: asyncio.Task[Sent]) -> None:
        self._overdue.discard(task)
        if not task.cancelled():
            task.exception()  # nobody else asks for it

    async def _send(self, chat: Chat, payload: Payload, key: str) -> Sent:
        number = int(chat.place.address)
        channel = self._client.get_channel(number)
        if isinstance(channel, discord.ForumChannel):
            return await self._open_thread(channel, payload)
        try:
            return await self._post(number, payload, key)
        except discord.HTTPException as exc:
            return await self._otherwise(exc, chat, payload, key)

    async def _post(self, channel: int, payload: Payload, key: str) -> Sent:
        target = self._client.get_partial_messageable(channel)
        sent = await target.send(nonce=key, **content(payload))
        return Sent(str(channel), (str(sent.id),))

    async def _otherwise(self, error: discord.HTTPException, chat: Chat, payload: Payload, key: str) -> Sent:
        """What a refusal asks for; raises it where it asks for nothing."""
        number = int(chat.place.address)
        if error.code == UNKNOWN_MESSAGE:  # an earlier attempt arrived, and has been deleted since
            return Sent(str(number), ())
        if (
            error.code == ARCHIVED
        ):  # a locked thread answers the same; then this fails, and the chat is paused
            await self._client.http.edit_channel(number, archived=False)
            return await self._post(number, payload, key)
        if (
            error.code == UNKNOWN_CHANNEL and chat.kind is ChatKind.PRIVATE
        ):  # a person, as operators are named
            conversation = await self._client.create_dm(discord.Object(number))
            return await self._post(conversation.id, payload, key)
        if error.code == NOT_A_TEXT_CHANNEL:  # a forum that the gateway has not told of yet
            channel = await self._client.fetch_channel(number)
            if isinstance(channel, discord.ForumChannel):
                return await self._open_thread(channel, payload)
        raise error

    async def _open_thread(self, forum: discord.ForumChannel, payload: Payload) -> Sent:
        """A post of a forum is a thread; a forum that asks for a tag gets its first that anybody may use."""
        if found := await self._opened_before(forum, payload):
            return Sent(str(found), (str(found),), opened=True)
        free = [tag for tag in forum.available_tags if not tag.moderated] or forum.available_tags
        tags = free[:1] if forum.flags.require_tag else []
        opened = await forum.create_thread(name=payload["title"], applied_tags=tags, **content(payload))
        return Sent(str(opened.thread.id), (str(opened.message.id),), opened=True)

    async def _opened_before(self, forum: discord.ForumChannel, payload: Payload) -> int | None:
        """The thread that an attempt with an unknown outcome has opened; it has the id of its message."""
        since = discord.utils.time_snowflake(self._now() - REMEMBERED)
        for thread in forum.threads:
            mine = self._client.user is not None and thread.owner_id == self._client.user.id
            if mine and thread.id >= since and thread.name == payload["title"]:
                first = await thread.fetch_message(thread.id)
                if _shows(first, payload):
                    return thread.id
        return None


def _shows(message: discord.Message, payload: Payload) -> bool:
    texts = [message.content, *(embed.description or "" for embed in message.embeds)]
    wanted = [payload["content"], *(embed["description"] for embed in payload["embeds"])]
    return [text.strip() for text in texts] == [text.strip() for text in wanted]


def content(payload: Payload) -> dict[str, Any]:
    """The arguments of a send or edit; pinging is off for all of them."""
    return {
        "content": payload["content"] or None,
        "embeds": [discord.Embed.from_dict(embed) for embed in payload["embeds"]],
        "allowed_mentions": discord.AllowedMentions.none(),
    }


def view(buttons: Sequence[Button]) -> discord.ui.View | None:
    """A row of buttons. They carry all that is needed, so that nothing about the message is kept."""
    if not buttons:
        return None
    row = discord.ui.View(timeout=None)
    for button in buttons:
        row.add_item(discord.ui.Button(label=button.label, custom_id=button.data))
    row.stop()  # the library keeps no view that has ended
    return row
