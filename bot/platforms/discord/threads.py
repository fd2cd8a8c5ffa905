"""Threads in which a long post goes on below its first message."""

from typing import Literal

import discord

from bot.platforms.discord import errors
from scheduler.log import Logger
from scheduler.types import Sent

log = Logger(__name__)

# Minutes without a message until Discord archives the thread.
KEPT_OPEN: Literal[1440] = 1440


async def go_on_in_thread(client: discord.Client, sent: Sent, title: str) -> Sent:
    """Open a thread at a message, for the later parts. Without one, they follow in the channel.

    Only text channels have threads, not other threads or conversations. If Discord refuses the thread, the
    message has still arrived: an error would send it again. Raises discord.py's errors if nobody knows
    whether the thread was opened; the next attempt finds it, or opens it.
    """
    is_text = isinstance(client.get_channel(int(sent.address)), discord.TextChannel)
    if sent.opened or not is_text or not sent.message_ids:
        return sent
    channel, (number, *_) = int(sent.address), sent.message_ids
    try:
        await client.http.start_thread_with_message(
            channel, int(number), name=title, auto_archive_duration=KEPT_OPEN
        )
    except discord.DiscordServerError:
        raise
    except (discord.HTTPException, discord.RateLimited) as exc:
        if getattr(exc, "code", None) != errors.HAS_THREAD:
            log.warning("discord.no_thread", channel=sent.address, reason=str(exc))
            return sent
    # A thread has the id of the message at which it was opened.
    return Sent(number, sent.message_ids, opened=True)


async def channel_of(client: discord.Client, sent: Sent) -> int:
    """The channel of a message. Discord keeps the one at which a thread was opened outside that thread.

    In a forum, it is in the thread. Raises discord.py's errors.
    """
    number = int(sent.address)
    if not sent.opened:
        return number
    thread = client.get_channel(number) or await client.fetch_channel(number)
    parent = thread.parent if isinstance(thread, discord.Thread) else None
    return parent.id if isinstance(parent, discord.TextChannel) else number
