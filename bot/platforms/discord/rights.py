"""Which permission of Discord the bot lacks in a channel, and where to give it."""

import discord

from content.i18n import Msgid
from scheduler.errors import ChatPaused

Channel = discord.abc.GuildChannel | discord.Thread

LOCKED = Msgid("the thread is locked: unlock it, or give the bot Manage Threads")
HIDDEN = Msgid("the bot cannot see the channel: give it View Channel (Edit Channel › Permissions)")
SILENT = Msgid("the bot may not write here: give it {right} (Edit Channel › Permissions)")


def hindrance(channel: Channel) -> ChatPaused | None:
    """Why the bot cannot write to a channel, with the next step; None if it can."""
    is_thread = isinstance(channel, discord.Thread)
    if isinstance(channel, discord.Thread) and channel.parent is None:
        return None  # permissions are those of the parent, which is not cached
    allowed = channel.permissions_for(channel.guild.me)
    if isinstance(channel, discord.Thread) and channel.locked and not allowed.manage_threads:
        return ChatPaused(LOCKED)
    if not allowed.view_channel:  # without it, Discord denies all other permissions too
        return ChatPaused(HIDDEN)
    needed = (
        (Msgid("Send Messages in Threads"), not is_thread or allowed.send_messages_in_threads),
        (Msgid("Send Messages"), is_thread or allowed.send_messages),
        (Msgid("Embed Links"), allowed.embed_links),
    )
    missing = next((name for name, given in needed if not given), "")
    return ChatPaused(SILENT, right=missing) if missing else None
