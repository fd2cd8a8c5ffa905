"""Publishes messages of an announcement channel to the servers that follow it."""

import discord
from discord.http import HTTPClient, Route

from bot.platforms.discord.errors import PUBLISHED

PATH = "/channels/{channel_id}/messages/{message_id}/crosspost"


async def publish(http: HTTPClient, channel: int, message: int) -> None:
    """Crosspost a message; one that is already published or deleted is no error.

    Raises discord.RateLimited without a request when the channel's ten an hour are used up.
    """
    try:
        await http.request(Route("POST", PATH, channel_id=channel, message_id=message))
    except discord.HTTPException as exc:
        if exc.code not in PUBLISHED:
            raise
