"""Replaces the rate limit buckets of discord.py, one for each channel and kind of request.

This is the only module that uses internals of discord.py, because three behaviours have no setting:

- With more than 256 buckets it scans all of them for each new one. With ten thousand channels, that costs
  several times as much as sending.
- A bucket that is reset later than `max_ratelimit_timeout` refuses requests although it has some left: of
  fifty new threads in 300 s, only the first would be made.
- Such a bucket counts as full when it is empty, so a request is made that can only fail.
"""

import asyncio

import discord
from discord.http import HTTPClient, Ratelimit

# Unused buckets are removed when there are this many, and again each time their number has doubled.
LOOK_ABOVE = 256


class Bucket(Ratelimit):
    """A bucket that raises discord.RateLimited if it is empty for more than `longest` seconds."""

    __slots__ = ("_longest",)

    def __init__(self, longest: float) -> None:
        super().__init__(None)  # no time-out in the base class: `acquire` and `_refresh` apply ours
        self._longest = longest

    async def acquire(self) -> None:
        wait = self._wait()
        if self.remaining <= 0 and wait > self._longest:
            raise discord.RateLimited(wait)
        await super().acquire()

    async def _refresh(self) -> None:
        """The bucket is empty: waiting requests keep waiting for the reset, or fail if it is too far away."""
        wait = self._wait()
        if wait <= self._longest:
            await super()._refresh()
        else:
            self._wake(len(self._pending_requests), exception=discord.RateLimited(wait))

    def is_inactive(self) -> bool:
        return super().is_inactive() and not self._wait()

    def _wait(self) -> float:
        """Seconds until the reset; 0 if it has passed or is not known."""
        return 0.0 if self.expires is None else max(0.0, self.expires - asyncio.get_running_loop().time())


class Buckets(dict[str, Ratelimit]):
    """Creates buckets on demand and removes unused ones, rarely enough to cost nothing per request."""

    def __init__(self, longest: float) -> None:
        super().__init__()
        self._longest, self._look_at = longest, LOOK_ABOVE

    def __missing__(self, key: str) -> Ratelimit:
        bucket = self[key] = Bucket(self._longest)
        return bucket

    def __len__(self) -> int:
        return 0  # so discord.py never starts its own scan

    def __setitem__(self, key: str, bucket: Ratelimit) -> None:
        super().__setitem__(key, bucket)
        if super().__len__() < self._look_at:
            return
        for unused in [name for name, one in self.items() if one.is_inactive() and one is not bucket]:
            del self[unused]
        self._look_at = max(LOOK_ABOVE, 2 * super().__len__())


def install(http: HTTPClient, longest: float) -> None:
    """Replace discord.py's buckets. `longest`: longest wait for an empty one, seconds."""
    http._buckets = Buckets(longest)
