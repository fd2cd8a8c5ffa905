"""What an error of Discord means for sending (docs.discord.com: "JSON Error Codes")."""

import asyncio
from datetime import timedelta

import aiohttp
import discord

from scheduler.errors import (
    Ambiguous,
    ChatGone,
    ChatPaused,
    ContentRejected,
    PlatformStopped,
    RateLimited,
    RateScope,
    Refused,
    SendError,
)

# Unknown channel, unknown guild, cannot message this user (two codes).
GONE = (10003, 10004, 50007, 50278)
# Missing access, missing permissions, archived or locked thread, wrong kind of channel.
PAUSED = (50001, 50013, 50083, 160005, 50008, 50024)
# Invalid form body, empty message, request too large.
CONTENT = (50035, 50006, 40005)
# Blocked by the guild's automod, or a link that Discord takes for harmful: no form of it will pass.
BLOCKED = (200000, 240000)
# Write limits of a channel, slow mode and overload: wait and try again.
WAIT = (20016, 20028, 40062, 130000)
TOKEN = (40001, 50014)

LOGIN_HINT = "check SKYWAVE_DISCORD_TOKEN (Developer Portal, Bot, Reset Token)"
ARCHIVED = 50083


def send_error(error: Exception) -> SendError:
    """The error of our tree, whose text is Discord's own."""
    match error:
        case discord.LoginFailure():
            return PlatformStopped(f"Discord refuses the token: {LOGIN_HINT}")
        case discord.RateLimited():
            wait = timedelta(seconds=error.retry_after)
            return RateLimited("Discord asks to wait", retry_after=wait, scope=RateScope.CHAT)
        case discord.HTTPException():
            return _http_error(error)
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return Refused(f"Discord cannot be reached: {type(error).__name__}")
        case aiohttp.ClientError() | asyncio.TimeoutError() | OSError():
            return Ambiguous(f"the connection to Discord broke: {type(error).__name__}")
        case _:
            return Ambiguous(f"Discord: {type(error).__name__}")


def _http_error(error: discord.HTTPException) -> SendError:
    reason, code = error.text or f"HTTP {error.status}", error.code
    if error.status == 401 or code in TOKEN:
        return PlatformStopped(f"Discord refuses the token ({reason}): {LOGIN_HINT}")
    if error.status == 429:
        # The library has tried five times already.
        return RateLimited(reason, retry_after=timedelta(seconds=5), scope=RateScope.PLATFORM)
    if error.status >= 500:
        return Ambiguous(f"Discord answered {error.status}")
    if code in GONE:
        return ChatGone(reason)
    if code in PAUSED or (error.status == 403 and code not in BLOCKED):
        return ChatPaused(reason)
    if code in BLOCKED:
        return ContentRejected(reason, final=True)
    if code in WAIT:
        return Refused(reason)
    if code in CONTENT or error.status == 400:
        return ContentRejected(reason)
    return Refused(reason)
