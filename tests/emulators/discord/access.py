"""Checks whether the bot can reach a channel, and what it may send there."""

from tests.emulators.discord.content import Draft
from tests.emulators.discord.faults import invalid_form, refusal
from tests.emulators.discord.permissions import Permission, demand, permissions
from tests.emulators.discord.state import World
from tests.emulators.discord.types import DM, FORUM, Channel, Guild, Message


def reach(world: World, number: int, needed: int = 0) -> Channel:
    """The channel, if the bot can see it and has the permissions. Raises 10003, 50001, 50013."""
    channel = world.channels.get(number)
    if channel is None:
        raise refusal(10003)
    demand(channel, world.bot.id, needed)
    return channel


def reach_guild(world: World, number: int) -> Guild:
    """The guild, if the bot is in it. Raises 10004."""
    guild = world.guilds.get(number)
    if guild is None or not guild.has_bot:
        raise refusal(10004)
    return guild


def reach_message(world: World, channel: Channel, number: int) -> Message:
    """The message, if it is not ephemeral. Raises 10008."""
    message = channel.messages.get(number)
    if message is None:
        raise refusal(10008)
    return message


def check_writing(world: World, channel: Channel) -> None:
    """Raise the error if the bot may not write to the channel at all."""
    if channel.type == DM:
        _check_dm(world, channel)
    elif channel.type == FORUM:
        raise refusal(50008)
    elif channel.is_thread:
        demand(channel, world.bot.id, Permission.SEND_MESSAGES_IN_THREADS)
        _check_thread(world, channel)
    else:
        demand(channel, world.bot.id, Permission.SEND_MESSAGES)


def _check_dm(world: World, channel: Channel) -> None:
    if channel.refuses is not None:
        raise refusal(channel.refuses)
    assert channel.user is not None
    homes = world.homes.get(channel.user.id)
    if homes is not None and not any(world.guilds[home].has_bot for home in homes):
        raise refusal(50278)


def _check_thread(world: World, channel: Channel) -> None:
    if not channel.locked or permissions(channel, world.bot.id) & Permission.MANAGE_THREADS:
        return
    raise refusal(50083 if channel.archived else 160005)


def check_draft(world: World, channel: Channel, draft: Draft) -> None:
    """Raise the error if the bot may write to the channel, but may not send this draft."""
    needed = Permission(0)
    if draft.embeds:
        needed |= Permission.EMBED_LINKS
    if draft.files:
        needed |= Permission.ATTACH_FILES
    demand(channel, world.bot.id, needed)
    check_words(channel, draft.text)
    if draft.reply_to is None:
        return
    if not permissions(channel, world.bot.id) & Permission.READ_MESSAGE_HISTORY:
        raise refusal(160002)
    if draft.must_exist and draft.reply_to not in channel.messages:
        known = {"code": "REPLIES_UNKNOWN_MESSAGE", "message": "Unknown message"}
        raise invalid_form({"message_reference": {"_errors": [known]}})


def check_words(channel: Channel, content: str) -> None:
    """Raise 200000 if the guild's AutoMod blocks the text."""
    words = channel.guild.blocked_words if channel.guild else ()
    if words and any(word in content.lower() for word in words):
        raise refusal(200000)
