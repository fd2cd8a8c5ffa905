"""The one place that reaches into discord.py: its buckets, one for each channel and kind of request.

Three of their habits have no switch. Above 256 the library looks at all of them for each new one, which at
ten thousand channels costs several times what sending does. A bucket that is full again later than
`max_ratelimit_timeout` refuses requests although it has some left: of fifty new threads in 300 s only the
first would pass. And such a bucket is taken for full when it is empty, so that a request is made in vain.
"""

import asyncio

import discord
from discord.http import HTTPClient, Ratelimit

# Buckets that are no longer used are looked for when there are this many, and each time they have doubled.
LOOK_ABOVE = 256


class Bucket(Ratelimit):
    """Raises discord.RateLimited while it is empty, if it is so for more than `longest` seconds."""

    __slots__ = ("_longest",)

    def __init__(self, longest: float) -> None:
        super().__init__(None)  # it never refuses by itself
        self._longest = longest

    async def acquire(self) -> None:
        wait = self._wait()
        if self.remaining <= 0 and wait > self._longest:
            raise discord.RateLimited(wait)
        await super().acquire()

    async def _refresh(self) -> None:
        """The bucket is empty: who waits goes on waiting until it is full, or is told how long that takes."""
        wait = self._wait()
        if wait <= self._longest:
            await super()._refresh()
        else:
            self._wake(len(self._pending_requests), exception=discord.RateLimited(wait))

    def is_inactive(self) -> bool:
        return super().is_inactive() and not self._wait()

    def _wait(self) -> float:
        """Seconds until it is full again, 0 if it is or if nobody knows."""
        return 0.0 if self.expires is None else max(0.0, self.expires - asyncio.get_running_loop().time())


class Buckets(dict[str, Ratelimit]):
    """Makes buckets, and forgets unused ones by itself, rarely enough to cost nothing for each request."""

    def __init__(self, longest: float) -> None:
        super().__init__()
        self._longest, self._look_at = longest, LOOK_ABOVE

    def __missing__(self, key: str) -> Ratelimit:
        bucket = self[key] = Bucket(self._longest)
        return bucket

    def __len__(self) -> int:
        return 0  # the library cleans up where it finds many

    def __setitem__(self, key: str, bucket: Ratelimit) -> None:
        super().__setitem__(key, bucket)
        if super().__len__() < self._look_at:
            return
        for unused in [name for name, one in self.items() if one.is_inactive() and one is not bucket]:
            del self[unused]
        self._look_at = max(LOOK_ABOVE, 2 * super().__len__())


def install(http: HTTPClient, longest: float) -> None:
    """Let the library keep its buckets here; `longest`: what it waits for an empty one, seconds."""
    http._buckets = Buckets(longest)
