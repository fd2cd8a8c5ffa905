"""What is known of one push: its address, its secret, and how far a subscription is. Pure."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from urllib.parse import urlencode, urlsplit

# The lease that a hub is asked for, and the bounds of what it may answer.
LEASE, LEAST, MOST = timedelta(days=10), timedelta(hours=1), timedelta(days=30)
# A subscription is renewed when this share of its lease is over.
RENEWED_AFTER = 0.75
# The wait for a hub that has not verified a subscription; it doubles up to the longest.
WAIT, LONGEST_WAIT = timedelta(hours=1), timedelta(days=1)
# After this long a hub that denied a subscription is asked again, …
DENIED_WAIT = timedelta(days=7)
# … and a subscription that was ended is forgotten, whether or not the hub verifies that.
END_WAIT = timedelta(days=1)
# Bodies of which a push remembers the hash, so that an old one changes nothing when it comes again.
SEEN = 50
NOT_VERIFIED = "the hub has not verified the subscription"
NOT_TOLD = "a read found posts of which the hub had not told"

_SIGNATURE = re.compile(r"(sha1|sha256|sha384|sha512)=([0-9a-f]{40,128})", re.IGNORECASE)
_SECONDS = re.compile(r"[0-9]{1,12}")


class PushKind(StrEnum):
    """Who calls: a WebSub hub, or whatever a person gave the address of a hook."""

    WEBSUB = "websub"
    HOOK = "hook"


class PushState(StrEnum):
    """How far a subscription is. A hook is always active.

    WANTED: the hub is to be asked. ASKED: it has to verify that. RENEWING: active, and asked again.
    ENDING: the hub was asked to end it. ENDED: it has, and the source is not read at present. DENIED: by it.
    """

    WANTED = "wanted"
    ASKED = "asked"
    ACTIVE = "active"
    RENEWING = "renewing"
    ENDING = "ending"
    ENDED = "ended"
    DENIED = "denied"


# States in which a hub may send posts.
LIVE = (PushState.ACTIVE, PushState.RENEWING)


@dataclass(frozen=True, slots=True)
class Push:
    """One way in for one source: what calls `token` in a URL, signed with `secret`, has posts of it.

    `source_id` is None after the source was removed, or has named another hub. `next_at` is when something is
    to be done. `seen` are hashes of bodies that were taken. `failures` count requests that the hub has not
    verified; `reason` says what is wrong, empty if nothing is.
    """

    id: int
    source_id: int | None
    kind: PushKind
    token: str = field(repr=False)
    secret: str = field(repr=False)
    hub: str = ""
    topic: str = ""
    state: PushState = PushState.WANTED
    next_at: datetime | None = None
    lease_until: datetime | None = None
    last_at: datetime | None = None
    seen: tuple[str, ...] = ()
    failures: int = 0
    reason: str = ""

    @property
    def works(self) -> bool:
        return not self.reason and (self.kind is PushKind.HOOK or self.state in LIVE)

    @property
    def word(self) -> str:
        """The state for people: `push` if it works, else what is wrong."""
        if self.reason:
            return f"push failing: {self.reason}"
        return "push" if self.works else f"push {self.state}"


class PushRepository(Protocol):
    async def add(self, push: Push) -> Push:
        """Store a new push; its id is set."""
        ...

    async def all(self) -> Sequence[Push]: ...

    async def get(self, push_id: int) -> Push | None: ...

    async def of_source(self, source_id: int) -> Push | None: ...

    async def by_token(self, kind: PushKind, token: str) -> Push | None: ...

    async def due(self, now: datetime, limit: int) -> Sequence[tuple[Push, bool]]:
        """Pushes for which something is to be done, and whether their sources are read at present."""
        ...

    async def save(self, push: Push) -> None: ...

    async def remove(self, push_id: int) -> None: ...


def new_hook(source_id: int) -> Push:
    """A hook with an address that nobody can guess, and with a secret."""
    return Push(0, source_id, PushKind.HOOK, _token(), new_secret(), state=PushState.ACTIVE)


def new_subscription(source_id: int, hub: str, topic: str, now: datetime) -> Push:
    """A subscription that the hub is to be asked for."""
    return Push(0, source_id, PushKind.WEBSUB, _token(), new_secret(), hub, topic, next_at=now)


def new_secret() -> str:
    return secrets.token_hex(32)


def _token() -> str:
    """A segment of a path, so long that `content.secrets` hides it in every URL."""
    return secrets.token_hex(16)


def form(push: Push, mode: str, callback: str) -> bytes:
    """The body of a request to a hub (WebSub, section 5.1)."""
    fields = {"hub.mode": mode, "hub.topic": push.topic, "hub.callback": callback}
    if mode == "subscribe":
        fields |= {"hub.secret": push.secret, "hub.lease_seconds": str(int(LEASE.total_seconds()))}
    return urlencode(fields).encode()


def lease_of(asked: Mapping[str, str]) -> timedelta:
    """The lease that a hub grants, within the bounds; the shortest if it is not a number."""
    seconds = asked.get("hub.lease_seconds", "")
    if not _SECONDS.fullmatch(seconds):
        return LEAST
    return min(max(timedelta(seconds=int(seconds)), LEAST), MOST)


def wait(failures: int) -> timedelta:
    """The wait after the n-th request that the hub did not verify."""
    return min(WAIT * (1 << min(failures, 10)), LONGEST_WAIT)


def is_topic(found: str, *topics: str) -> bool:
    """Whether posts of the topic `found` are those of one of `topics`; a feed need not name its topic."""
    return not found or _address(found) in map(_address, topics)


def _address(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    return parts.netloc.lower(), parts.path.rstrip("/"), parts.query


def is_signed(push: Push, body: bytes, signature: str) -> bool:
    """Whether `signature`, like sha256=…, is the HMAC of a body (WebSub, section 7.1); in constant time."""
    found = _SIGNATURE.fullmatch(signature.strip())
    if found is None:
        return False
    expected = hmac.new(push.secret.encode(), body, getattr(hashlib, found[1].lower())).hexdigest()
    return hmac.compare_digest(expected, found[2].lower())


def knows(push: Push, secret: str) -> bool:
    """Whether `secret` is that of a push; in constant time."""
    return hmac.compare_digest(push.secret.encode(), secret.encode("utf-8", "replace"))


def digest(body: bytes) -> str:
    """The hash by which a body is recognised when it comes again."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()
