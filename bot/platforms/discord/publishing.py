"""Publishing what an announcement channel has got, to the servers that follow it."""

import time
from collections import deque

import discord
from discord.http import HTTPClient, Route

from bot.platforms.discord.buckets import refill
from bot.platforms.discord.errors import PUBLISHED
from bot.platforms.discord.limits import PUBLISHED_HOURLY

HOUR = 3600.0
PATH = "/channels/{channel_id}/messages/{message_id}/crosspost"


class Publishing:
    """Keeps each channel's hourly limit by itself: the library would refuse the second of an hour."""

    def __init__(self, http: HTTPClient) -> None:
        self._http = http
        self._published: dict[int, deque[float]] = {}

    async def publish(self, channel: int, message: int) -> None:
        """Publish a message that is there and is not yet. Beyond the limit it raises RateLimited unasked."""
        latest = self._published.setdefault(channel, deque(maxlen=PUBLISHED_HOURLY))
        if len(latest) == PUBLISHED_HOURLY and (wait := latest[0] + HOUR - time.monotonic()) > 0:
            raise discord.RateLimited(wait)
        route = Route("POST", PATH, channel_id=channel, message_id=message)
        refill(self._http, route)
        latest.append(time.monotonic())
        try:
            await self._http.request(route)
        except discord.HTTPException as exc:
            if exc.code not in PUBLISHED:
                raise
