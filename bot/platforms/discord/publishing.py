"""Publishing what an announcement channel has got, to the servers that follow it."""

import discord
from discord.http import HTTPClient, Route

from bot.platforms.discord.errors import PUBLISHED

PATH = "/channels/{channel_id}/messages/{message_id}/crosspost"


async def publish(http: HTTPClient, channel: int, message: int) -> None:
    """Publish a message, if it is not yet. Raises discord.RateLimited beyond ten an hour of a channel."""
    try:
        await http.request(Route("POST", PATH, channel_id=channel, message_id=message))
    except discord.HTTPException as exc:
        if exc.code not in PUBLISHED:
            raise
