"""Limits the rate of HTTP requests to the one that Discord allows a bot.

The platform's pacer gives permits for sends. It does not see discord.py's own retries and look-ups, and
sends that it spaced out may still reach the network together. Every HTTP request passes through here.
"""

import asyncio
from contextvars import ContextVar

import aiohttp

from scheduler.delivery.limits import TOLERANCE

# Requests that do not count towards the bot's limit (docs.discord.com: "Rate Limits"). People wait for them.
UNCOUNTED = ("/interactions/", "/webhooks/", "/gateway")

# The statuses that a request received so far, if it must not be retried after a 5xx, because it may have been
# processed; None for all other requests.
answered: ContextVar[list[int] | None] = ContextVar("answered", default=None)


class MayBeDone(ConnectionError):
    """discord.py was about to retry a request that may have been processed."""


def pacing(interval: float) -> aiohttp.TraceConfig:
    """An aiohttp trace that starts requests at least `interval` seconds apart. Raises MayBeDone."""
    turn, ready = asyncio.Lock(), float("-inf")

    async def begin(_session: object, _context: object, request: aiohttp.TraceRequestStartParams) -> None:
        nonlocal ready
        statuses = answered.get()
        if statuses and statuses[-1] >= 500:
            raise MayBeDone(f"Discord answered {statuses[-1]}")
        if any(part in request.url.path for part in UNCOUNTED):
            return
        time = asyncio.get_running_loop().time
        async with turn:
            await asyncio.sleep(ready - time())
            # Catch up a delay of at most TOLERANCE: more would let requests leave in a burst.
            ready = max(ready, time() - TOLERANCE) + interval

    async def end(_session: object, _context: object, request: aiohttp.TraceRequestEndParams) -> None:
        statuses = answered.get()
        if statuses is not None:
            statuses.append(request.response.status)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(begin)
    trace.on_request_end.append(end)
    return trace
