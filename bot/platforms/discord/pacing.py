"""The last gate before the wire: no more HTTP attempts a second than Discord lets a bot make.

The platform's pacer gives out slots to what is sent. It does not see the library's own repetitions and
look-ups, nor that what it spaced may leave together after all; every attempt passes here.
"""

import asyncio
from contextvars import ContextVar

import aiohttp

from scheduler.delivery.limits import TOLERANCE

# These do not count to the bot's limit (docs.discord.com: "Rate Limits"), and people wait for them.
UNCOUNTED = ("/interactions/", "/webhooks/", "/gateway")

# What a request was answered that must not be repeated once it may have been processed; None: any other.
answered: ContextVar[list[int] | None] = ContextVar("answered", default=None)


class MayBeDone(ConnectionError):
    """The library was about to repeat a request that may have been processed."""


def pacing(interval: float) -> aiohttp.TraceConfig:
    """A trace that lets attempts begin so many seconds after one another."""
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
            # A slot that was missed by more is lost: two that leave together may be one too many.
            ready = max(ready, time() - TOLERANCE) + interval

    async def end(_session: object, _context: object, request: aiohttp.TraceRequestEndParams) -> None:
        statuses = answered.get()
        if statuses is not None:
            statuses.append(request.response.status)

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(begin)
    trace.on_request_end.append(end)
    return trace
