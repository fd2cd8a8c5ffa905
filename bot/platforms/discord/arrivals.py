"""Greets a server that the bot has joined, in one of its channels: Discord does not say who added it."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import discord

from bot.commands.types import Call, Reply
from bot.platforms.attempts import say_in_a_form_that_is_taken
from bot.platforms.discord.errors import FAULTS, send_error
from bot.platforms.discord.events import title_of
from bot.platforms.discord.limits import NAME
from bot.platforms.discord.render import render
from bot.platforms.discord.rights import hindrance
from bot.platforms.discord.sender import content, view
from bot.platforms.types import Wiring
from scheduler.log import Logger
from scheduler.types import ChatKind, Message, Place

log = Logger(__name__)


async def greet(guild: discord.Guild, wiring: Wiring) -> None:
    """Send the greeting to the first channel that fits. Raises SendError."""
    channels = await _by_fitness(guild, wiring)
    open_ones = [channel for channel in channels if hindrance(channel) is None]
    if not open_ones:
        reason = next((str(hindrance(channel)) for channel in channels), "it has no text channel")
        log.warning("discord.not_greeted", guild=str(guild.id), reason=reason)
        return
    reply = await wiring.router.command(_call(guild, open_ones[0]))
    if reply is not None:
        await send(open_ones[0], reply, wiring, ChatKind.CHANNEL)


async def send(channel: discord.abc.Messageable, reply: Reply, wiring: Wiring, kind: ChatKind) -> None:
    """Send a reply that answers no interaction. Raises SendError."""
    number: Any = channel.id if isinstance(channel, discord.abc.Snowflake) else ""
    if await wiring.pacer.reply_permit(str(number), kind, f"{NAME} {number}"):
        say = partial(_say, channel, reply)
        await say_in_a_form_that_is_taken(reply.document, render, say, chat=f"{NAME}:{number}")


async def _say(channel: discord.abc.Messageable, reply: Reply, message: Message) -> None:
    buttons = view(reply.rows)
    sent: dict[str, Any] = content(message.payload) | ({"view": buttons} if buttons else {})
    try:
        await channel.send(**sent)
    except FAULTS as exc:
        raise send_error(exc) from exc


async def _by_fitness(guild: discord.Guild, wiring: Wiring) -> Sequence[discord.TextChannel]:
    """The channels of a server: first those that follow something, then that for its system messages."""
    async with wiring.store.read() as work:
        following = {
            channel.id
            for channel in guild.text_channels
            for chat in await work.chats.at(NAME, str(channel.id))
            if await work.subscriptions.of(chat.id)
        }
    # Sorting keeps the order in which people see the others.
    return sorted(guild.text_channels, key=lambda one: (one.id not in following, one != guild.system_channel))


def _call(guild: discord.Guild, channel: discord.TextChannel) -> Call:
    """The call in the name of the server. Only people with Manage Server can add a bot."""

    async def is_chat_admin() -> bool:
        return True

    return Call(
        name="start",
        arguments="",
        place=Place(NAME, str(channel.id)),
        kind=ChatKind.CHANNEL,
        title=title_of(channel),
        actor=f"{NAME}:{guild.id}",
        locale=str(guild.preferred_locale),
        is_chat_admin=is_chat_admin,
    )
