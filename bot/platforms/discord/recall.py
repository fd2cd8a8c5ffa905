"""Looks up a message whose outcome is unknown, where resending with the same nonce is not safe."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import discord

from bot.platforms.discord.layout import Json, pictures_in, texts_in
from scheduler.types import Chat, ChatKind, Payload, Sent

# How long a nonce is trusted to prevent a duplicate: Discord remembers it for "the past few minutes".
NONCE_LIFE = timedelta(minutes=2)
# How many messages of the channel are searched.
LOOK_BACK = 100
# How far our clock may be ahead of Discord's: message ids contain the time of Discord's clock.
SKEW = timedelta(seconds=30)


async def find(
    client: discord.Client, chat: Chat, payload: Payload, since: datetime, now: datetime
) -> Sent | None:
    """The message or thread with this content that we sent after `since`; None if there is none.

    Within NONCE_LIFE a channel is not searched, because the nonce prevents a duplicate.
    """
    number, after = int(chat.place.address), discord.Object(discord.utils.time_snowflake(since - SKEW))
    channel = client.get_channel(number)
    if channel is None and chat.kind is not ChatKind.PRIVATE:
        channel = await client.fetch_channel(number)
    if isinstance(channel, discord.ForumChannel):
        return await _find_thread(client, channel, payload, after.id)
    if now - since <= NONCE_LIFE:
        return None
    async for message in client.get_partial_messageable(number).history(after=after, limit=LOOK_BACK):
        if _is_ours(client, message.author.id) and _shows(message, payload):
            return Sent(str(number), (str(message.id),))
    return None


async def _find_thread(
    client: discord.Client, forum: discord.ForumChannel, payload: Payload, after: int
) -> Sent | None:
    """Find a forum post, which has no nonce. A thread has the same id as its first message."""
    active = await client.http.get_active_threads(forum.guild.id)
    for thread in active["threads"]:
        number, there = int(thread["id"]), int(thread["parent_id"]) == forum.id
        if there and number > after and _is_ours(client, int(thread["owner_id"])):
            with suppress(discord.NotFound):  # its first message was deleted
                first = await client.get_partial_messageable(number).fetch_message(number)
                if _shows(first, payload):
                    return Sent(str(number), (str(number),), opened=True)
    return None


def _is_ours(client: discord.Client, author: int) -> bool:
    return client.user is not None and author == client.user.id


def _shows(message: discord.Message, payload: Payload) -> bool:
    """Whether a message has this content, ignoring the white space that Discord strips at its ends."""
    made: list[Any] = [component.to_dict() for component in message.components]
    there = [message.content, *(embed.description or "" for embed in message.embeds), *_shown(made)]
    wanted = [payload["content"], *(embed["description"] for embed in payload["embeds"])]
    wanted += _shown(payload.get("components", ()))
    return [text.strip() for text in there] == [text.strip() for text in wanted]


def _shown(made: Sequence[Json]) -> list[str]:
    """The texts and the pictures of components, in order."""
    return [*texts_in(made), *(picture["media"]["url"] for picture in pictures_in(made))]
