"""Remembers who was told something, so that a refusal is not repeated."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import timedelta


class Told:
    """Remembers people or chats for a period, at most `most` of them; the oldest are forgotten first."""

    def __init__(self, period: timedelta, monotonic: Callable[[], float], most: int = 10_000) -> None:
        self._seconds, self._monotonic, self._most = period.total_seconds(), monotonic, most
        self._told: OrderedDict[Hashable, float] = OrderedDict()

    def first(self, whom: Hashable) -> bool:
        """Whether `whom` was not told within the period; from now on they count as told."""
        now = self._monotonic()
        said = self._told.get(whom)
        if said is not None and now - said < self._seconds:
            return False
        self._told[whom] = now
        self._told.move_to_end(whom)
        if len(self._told) > self._most:
            self._told.popitem(last=False)
        return True
