"""The one place that reaches into discord.py: its buckets, one for each channel and kind of request.

Two of their habits have no switch. Above 256 the library looks at all of them for each new one, which at ten
thousand channels costs several times what sending does. And a bucket that is full again later than
`max_ratelimit_timeout` refuses requests although it has some left: of ten an hour only the first would pass.
"""

from discord.http import HTTPClient, Ratelimit, Route

# Buckets that are no longer used are looked for when there are this many, and each time they have doubled.
LOOK_ABOVE = 256


class Buckets(dict[str, Ratelimit]):
    """Forgets its unused buckets by itself, rarely enough to cost nothing for each request."""

    def __init__(self) -> None:
        super().__init__()
        self._look_at = LOOK_ABOVE

    def __len__(self) -> int:
        return 0  # the library cleans up where it finds many

    def __setitem__(self, key: str, bucket: Ratelimit) -> None:
        super().__setitem__(key, bucket)
        if super().__len__() < self._look_at:
            return
        for unused in [name for name, one in self.items() if one.is_inactive() and one is not bucket]:
            del self[unused]
        self._look_at = max(LOOK_ABOVE, 2 * super().__len__())


def install(http: HTTPClient) -> None:
    """Let the library keep its buckets here."""
    http._buckets = Buckets()


def refill(http: HTTPClient, route: Route) -> None:
    """Let the library take the bucket of a route for full; its next answer tells it better."""
    name = http._bucket_hashes.get(route.key, route.key)
    http._buckets.pop(f"{name}:{route.major_parameters}", None)
