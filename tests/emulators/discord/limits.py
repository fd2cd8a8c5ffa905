"""Rate limits, all off by default.

Discord publishes 50 requests/s for a bot and 10,000 invalid requests in 10 minutes for an address; buckets
are told by headers only. Five messages in 5 s to a channel, fifty new threads in 300 s and ten crossposts an
hour are what clients see.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from tests.emulators.discord.faults import too_many
from tests.emulators.discord.types import ApiError

Clock = Callable[[], float]
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a strict server."""

    overall: int = 50
    """Requests in any one second; interactions and webhooks do not count."""
    channel: int = 5
    """Messages to a channel in `span` seconds; edits, deletions and typing have the same limit each."""
    span: float = 5.0
    threads: int = 50
    """Threads begun in a channel, or posts of a forum, in 300 s."""
    crossposts: int = 10
    """Announcements of a channel published in an hour."""
    invalid: int = 10_000
    """Answers of 401, 403 and 429 (except shared ones) in 10 minutes; after that, everything is refused."""


_HOUR, _INVALID_SPAN, _THREADS_SPAN = 3600.0, 600.0, 300.0
_CHANNEL = "/channels/{channel}"
_PER_CHANNEL = frozenset(
    (
        f"POST {_CHANNEL}/messages",
        f"PATCH {_CHANNEL}/messages/{{message}}",
        f"DELETE {_CHANNEL}/messages/{{message}}",
        f"POST {_CHANNEL}/typing",
    )
)
_THREADS = frozenset((f"POST {_CHANNEL}/threads", f"POST {_CHANNEL}/messages/{{message}}/threads"))
_CROSSPOST = f"POST {_CHANNEL}/messages/{{message}}/crosspost"


@dataclass(slots=True)
class _Window:
    """A bucket. It starts with its first request and is full again after its span."""

    until: float
    used: int = 0


@dataclass(slots=True)
class Governor:
    """The state of the limits. A bucket uses memory after its first request."""

    limits: Limits
    clock: Clock
    today: Callable[[], float]
    refusals: int = 0
    """Requests that were answered 429, except blocked ones."""
    blocked: int = 0
    """Requests that were refused after too many invalid ones."""
    _overall: deque[float] = field(init=False)
    _invalid: deque[float] = field(init=False)
    _windows: dict[Hashable, _Window] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._overall = deque(maxlen=self.limits.overall)
        self._invalid = deque(maxlen=self.limits.invalid)

    def is_blocked(self) -> bool:
        """Whether the address is blocked after too many invalid requests. If so, count this one."""
        full = len(self._invalid) == self.limits.invalid
        blocked = full and self.clock() - self._invalid[0] < _INVALID_SPAN
        self.blocked += blocked
        return blocked

    def admit(self, route: str, place: str) -> Headers:
        """Return the headers of the bucket. Raises ApiError 429 if the bucket is empty."""
        if "/interactions/" not in route and "/webhooks/" not in route:
            self._admit_overall()
        if route == _CROSSPOST:
            return self._admit(route, place, self.limits.crossposts, _HOUR)
        if route in _THREADS:
            return self._admit(route, place, self.limits.threads, _THREADS_SPAN)
        if route in _PER_CHANNEL:
            return self._admit(route, place, self.limits.channel, self.limits.span)
        return ()

    def note(self, status: int, headers: Headers) -> None:
        """Count the answer if its request was invalid."""
        if status in (401, 403, 429) and ("X-RateLimit-Scope", "shared") not in headers:
            self._invalid.append(self.clock())

    def _admit_overall(self) -> None:
        now = self.clock()
        if len(self._overall) == self.limits.overall and (wait := self._overall[0] + 1.0 - now) > 0:
            raise self._refuse(wait, scope="global")
        self._overall.append(now)

    def _admit(self, route: str, place: str, size: int, span: float) -> Headers:
        now = self.clock()
        window = self._windows.get((route, place))
        if window is None or window.until <= now:
            window = self._windows[route, place] = _Window(now + span)
        left = window.until - now
        over = window.used >= size
        window.used += not over
        headers = (
            ("X-RateLimit-Limit", str(size)),
            ("X-RateLimit-Remaining", str(size - window.used)),
            ("X-RateLimit-Reset", f"{self.today() + left:.3f}"),
            ("X-RateLimit-Reset-After", f"{left:.3f}"),
            ("X-RateLimit-Bucket", hashlib.md5(route.encode()).hexdigest()),
        )
        if over:
            raise self._refuse(left, headers=headers)
        return headers

    def _refuse(self, wait: float, *, scope: str = "user", headers: Headers = ()) -> ApiError:
        self.refusals += 1
        return too_many(wait, scope=scope, headers=headers)
