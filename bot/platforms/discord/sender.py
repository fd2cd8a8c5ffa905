"""Messages out to Discord."""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import aiohttp
import discord

from bot.commands.types import Button
from bot.platforms.discord.errors import ARCHIVED, send_error
from bot.platforms.discord.render import render
from content.document import Document
from scheduler.limits import Limits, Rate
from scheduler.types import Chat, ChatKind, Form, Message, Payload, Sent

NAME = "discord"

# 50 requests a second over all, 5 messages per 5 s in a channel (docs.discord.com: "Rate Limits"). One each
# 1.3 s never empties a channel's bucket: the library would keep the request that does until the reset.
PER_CHANNEL = Rate(1.3)
LIMITS = Limits(
    overall=Rate(1 / 47),
    per_chat={ChatKind.CHANNEL: PER_CHANNEL, ChatKind.PRIVATE: PER_CHANNEL, ChatKind.GROUP: PER_CHANNEL},
)

# Whether the attempt that leaves next was paced already: the library's own repetitions were not.
paced: ContextVar[list[bool] | None] = ContextVar("paced", default=None)

FAULTS = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError)


class DiscordPlatform:
    """Sends and edits messages; raises `SendError` only. A repeated key makes no second message."""

    name = NAME
    deduplicates = True

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    def render(self, document: Document, form: Form) -> Sequence[Message]:
        return render(document, form)

    async def send(self, chat: Chat, message: Message, *, key: str) -> Sent:
        await self._client.wait_until_ready()
        token = paced.set([True])
        try:
            return await self._send(int(chat.place.address), message.payload, key)
        except FAULTS as exc:
            raise send_error(exc) from exc
        finally:
            paced.reset(token)

    async def _send(self, channel_id: int, payload: Payload, key: str) -> Sent:
        channel = self._client.get_channel(channel_id)
        if isinstance(channel, discord.ForumChannel):
            return await _open_thread(channel, payload)
        target = self._client.get_partial_messageable(channel_id)
        try:
            sent = await target.send(nonce=key, **content(payload))
        except discord.HTTPException as exc:
            if exc.code != ARCHIVED or not isinstance(channel, discord.Thread):
                raise
            # A locked thread answers the same; then this fails, and the chat is paused.
            await channel.edit(archived=False)
            sent = await target.send(nonce=key, **content(payload))
        return Sent(str(sent.channel.id), (str(sent.id),))

    async def edit(self, chat: Chat, sent: Sent, message: Message) -> None:
        try:
            target = self._client.get_partial_messageable(int(sent.address))
            await target.get_partial_message(int(sent.message_ids[0])).edit(**content(message.payload))
        except FAULTS as exc:
            raise send_error(exc) from exc


async def _open_thread(forum: discord.ForumChannel, payload: Payload) -> Sent:
    """A post of a forum is a thread; a forum that asks for a tag gets its first."""
    tags = forum.available_tags[:1] if forum.flags.require_tag else []
    opened = await forum.create_thread(name=payload["title"], applied_tags=tags, **content(payload))
    return Sent(str(opened.thread.id), (str(opened.message.id),), opened=True)


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
