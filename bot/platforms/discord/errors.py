"""Maps Discord's errors to errors of our tree (docs.discord.com: "JSON Error Codes")."""

import asyncio
import re
from datetime import timedelta

import aiohttp
import discord

from content.i18n import Msgid
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

UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_USER = 10003, 10008, 10013
ARCHIVED, NOT_A_TEXT_CHANNEL = 50083, 50008
HAS_THREAD = 160004  # the message

# Unknown channel, guild or user, cannot message this user (two codes).
GONE = (UNKNOWN_CHANNEL, 10004, UNKNOWN_USER, 50007, 50278)
# Missing access, missing permissions, archived thread, locked thread, wrong kind of channel (two codes);
# in forums: a tag is required, too many active threads (two codes).
PAUSED = (50001, 50013, ARCHIVED, 160005, NOT_A_TEXT_CHANNEL, 50024, 40067, 160006, 160007)
# Invalid form body, empty message, request too large.
CONTENT = (50035, 50006, 40005)
# Blocked by the guild's AutoMod, or a link that Discord considers harmful: no plainer form would pass.
BLOCKED = (200000, 240000)
# Slow mode, write limits of a channel, overload: send it again later.
WAIT = (20016, 20028, 40062, 130000)
TOKEN = (40001, 50014)
# For replies: unknown interaction, unknown webhook, already acknowledged, message deleted, token expired.
LATE = (10062, 10015, 40060, UNKNOWN_MESSAGE, 50027)

# For publishing: the message is already published, or it was deleted.
PUBLISHED = (40033, UNKNOWN_MESSAGE)

# All exceptions that discord.py raises, of its own and of aiohttp.
FAULTS = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError)

TOKEN_REFUSED = Msgid(
    "Discord refuses the token: check SKYWAVE_DISCORD_TOKEN (Developer Portal, Bot, Reset Token)"
)
REASON_LENGTH = 200
_FIELD = re.compile(r"^In (\S+): ", re.MULTILINE)
_MEDIA = re.compile(r"(?:^|\.)(?:media|image|thumbnail)(?:\.|$)")
# Seconds to wait after a 429 without Retry-After. BLOCK_WAIT: our IP address is blocked, which lasts longer.
SHORT_WAIT, BLOCK_WAIT = 5.0, 60.0


def send_error(error: Exception) -> SendError:
    """The error of our tree for an exception of discord.py; its text is Discord's own where there is one."""
    match error:
        case discord.LoginFailure():
            return PlatformStopped(TOKEN_REFUSED)
        case discord.RateLimited():
            wait = timedelta(seconds=error.retry_after)
            return RateLimited("Discord asks to wait", retry_after=wait, scope=RateScope.CHAT)
        case discord.HTTPException():
            return _http_error(error)
        case aiohttp.ClientHttpProxyError():
            return Refused(f"the proxy of SKYWAVE_PROXY refuses Discord with {error.status}")
        case aiohttp.ClientProxyConnectionError():
            return Refused("the proxy of SKYWAVE_PROXY cannot be reached: check that it runs")
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return Refused(f"Discord cannot be reached: {type(error).__name__}")
        case aiohttp.ClientError() | asyncio.TimeoutError() | OSError():
            return Ambiguous(f"the connection to Discord broke: {type(error).__name__}")
        case _:
            return Ambiguous(f"Discord: {type(error).__name__}")


def is_late(error: Exception) -> bool:
    """Whether a reply failed because its interaction has expired or was already answered."""
    if isinstance(error, discord.HTTPException):
        return error.code in LATE
    return isinstance(error, discord.InteractionResponded)


def _http_error(error: discord.HTTPException) -> SendError:
    reason, code, status = _reason(error), error.code, error.status
    if status == 401 or code in TOKEN:
        return PlatformStopped(
            "Discord refuses the token ({reason}): "
            "check SKYWAVE_DISCORD_TOKEN (Developer Portal, Bot, Reset Token)",
            reason=reason,
        )
    if status == 429:
        return _rate_limited(error, reason)
    if code in WAIT:
        return Refused(reason)
    if status >= 500:
        return Ambiguous(f"Discord answered {status}")
    if code in GONE:
        return ChatGone(reason)
    if code in BLOCKED:
        return ContentRejected(reason, final=True)
    if code in PAUSED or status == 403:
        return ChatPaused(reason)
    if code in CONTENT or status == 400:
        return ContentRejected(reason, media=_is_about_media(error))
    return Refused(reason)


def _is_about_media(error: discord.HTTPException) -> bool:
    """Whether Discord rejects only pictures. discord.py writes a line for each wrong field of a body."""
    fields = _FIELD.findall(error.text)
    return bool(fields) and all(_MEDIA.search(field) for field in fields)


def _rate_limited(error: discord.HTTPException, reason: str) -> RateLimited:
    """The error for a 429 that discord.py did not wait out: it was too long, or repeated too often.

    A 429 with a code of WAIT concerns one channel. One without a `Via` header comes from Cloudflare and
    means that our IP address is blocked.
    """
    headers = error.response.headers
    wait = headers.get("Retry-After", "")
    seconds = SHORT_WAIT if "Via" in headers else BLOCK_WAIT
    if wait.replace(".", "", 1).isdecimal():
        seconds = float(wait)
    scope = RateScope.CHAT if error.code in WAIT else RateScope.PLATFORM
    return RateLimited(reason, retry_after=timedelta(seconds=seconds), scope=scope)


def _reason(error: discord.HTTPException) -> str:
    """Discord's text in one line. The HTML page of a proxy is replaced by the status."""
    text = " ".join(error.text.split())[:REASON_LENGTH]
    return text if text and not text.startswith("<") else f"HTTP {error.status}"
