"""Publishing what an announcement channel has got, to the servers that follow it."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

import discord
from discord.http import HTTPClient, Route

from bot.platforms.discord.buckets import refill
from bot.platforms.discord.errors import PUBLISHED
from bot.platforms.discord.limits import PUBLISHED_HOURLY

HOUR = timedelta(hours=1)
PATH = "/channels/{channel_id}/messages/{message_id}/crosspost"


class Publishing:
    """Keeps each channel's hourly limit by itself: the library would refuse the second of an hour."""

    def __init__(self, http: HTTPClient, now: Callable[[], datetime]) -> None:
        self._http, self._now = http, now
        self._published: dict[int, deque[datetime]] = {}

    async def publish(self, channel: int, message: int) -> None:
        """Publish a message that is there and is not yet. Beyond the limit it raises RateLimited unasked."""
        latest = self._published.setdefault(channel, deque(maxlen=PUBLISHED_HOURLY))
        now = self._now()
        if len(latest) == PUBLISHED_HOURLY and (wait := latest[0] + HOUR - now) > timedelta():
            raise discord.RateLimited(wait.total_seconds())
        route = Route("POST", PATH, channel_id=channel, message_id=message)
        refill(self._http, route)
        latest.append(now)
        try:
            await self._http.request(route)
        except discord.HTTPException as exc:
            if exc.code not in PUBLISHED:
                raise
