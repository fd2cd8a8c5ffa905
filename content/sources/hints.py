"""What a feed says of itself: how often it changes, and which hub tells of its changes."""

import re
from datetime import timedelta

from content.types import Hints

# RSS 1.0's syndication module counts how often a feed changes in one of these.
_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}
LONGEST = timedelta(days=30)  # a feed that asks for more made a mistake
MAX_ADDRESS = 4096  # characters of a hub's URL, or of a topic's
_COUNT = re.compile(r"\+?(\d{1,9})(?:\.\d{0,9})?", re.ASCII)


def hints(ttl: str, period: str, frequency: str, hub: str, topic: str) -> Hints:
    """The hints of a feed, from its texts as they are.

    `ttl` is in minutes. The feed changes `frequency` times (empty: once) in each `period`. `hub` and `topic`
    are absolute URLs or empty.
    """
    fits = max(len(hub), len(topic)) <= MAX_ADDRESS
    return Hints(_interval(ttl, period, frequency), hub if fits else "", topic if fits else "")


def _interval(ttl: str, period: str, frequency: str) -> timedelta | None:
    if minutes := _count(ttl):
        return min(timedelta(minutes=minutes), LONGEST)
    length = _PERIODS.get(period.strip().lower())
    if length is None:
        return None
    return min(length / (_count(frequency) or 1), LONGEST)


def _count(text: str) -> int:
    found = _COUNT.fullmatch(text.strip())
    return int(found[1]) if found else 0
