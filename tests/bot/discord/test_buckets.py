"""discord.py's buckets: many cost no more each than few, and those that nobody uses are forgotten."""

from discord.http import Ratelimit

from bot.platforms.discord.buckets import LOOK_ABOVE, Buckets
from bot.platforms.discord.client import Client

MANY = 10_000


class Bucket(Ratelimit):
    """Counts how often it is looked at."""

    looks = 0

    def __init__(self, *, unused: bool = False) -> None:
        super().__init__(None)
        if unused:
            self._last_request -= 301

    def is_inactive(self) -> bool:
        Bucket.looks += 1
        return super().is_inactive()


def names(buckets: Buckets) -> set[str]:
    return set(buckets.keys())


async def test_ten_thousand_channels_are_looked_at_twice_each_at_most() -> None:
    Bucket.looks, buckets = 0, Buckets(30)
    for number in range(MANY):
        buckets[str(number)] = Bucket()
    assert len(names(buckets)) == MANY
    assert Bucket.looks <= 2 * MANY


async def test_what_nobody_uses_is_forgotten_and_what_was_just_made_is_not() -> None:
    buckets = Buckets(30)
    for number in range(LOOK_ABOVE - 1):
        buckets[str(number)] = Bucket(unused=number % 2 == 0)
    buckets["new"] = Bucket(unused=True)
    assert "new" in buckets and "1" in buckets
    assert len(names(buckets)) == LOOK_ABOVE // 2


async def test_the_library_keeps_its_buckets_there_and_cleans_up_none() -> None:
    """It does so above 256, at each new one."""
    Bucket.looks = 0
    client = _client()
    assert isinstance(client.http._buckets, Buckets)
    for number in range(2 * LOOK_ABOVE):
        client.http._buckets[str(number)] = Bucket()
    Bucket.looks = 0
    client.http.get_ratelimit("another")
    assert Bucket.looks == 0
    assert "another" in client.http._buckets


def _client() -> Client:
    return Client(0.0, proxy=None, patience=1.0, guild_wait=1.0)
