"""How much one person may ask: so many commands and presses a minute, over all chats; completions softly.

Each person has a leaky bucket (the GCRA of `scheduler/limits.py`). Who overfills it is told so once, and then
gets no answer until it is half empty: a stream of refusals would cost as much as a stream of answers.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

import structlog

from bot.commands.types import Reply, Request
from content import present
from scheduler.ports import Clock

log = structlog.get_logger(__name__)

# Discord asks for completions at each keystroke: so many of them count as one command.
COMPLETIONS = 10
# People whose buckets are remembered; beyond that, who has been quiet longest is forgotten.
REMEMBERED = 10_000
MINUTE = 60.0
ROUNDING = 1e-6


class Pace(Enum):
    """What a person gets: an answer, the one refusal, or nothing."""

    ANSWERED = auto()
    REFUSED = auto()
    IGNORED = auto()


@dataclass(slots=True)
class _Bucket:
    """`empty_at`: when all that was asked has leaked out. `quiet_until`: nothing is answered till then."""

    empty_at: float = 0.0
    quiet_until: float = 0.0


@dataclass(slots=True)
class Flood:
    """The buckets of all people; a bucket holds a minute's commands."""

    per_minute: int
    clock: Clock
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many people are remembered."""
        return len(self._buckets)

    def asked(self, actor: str) -> Pace:
        """Count a command or a press of a person."""
        now, bucket = self.clock.monotonic(), self._bucket(actor)
        if now < bucket.quiet_until:
            return Pace.IGNORED
        if self._fill(bucket, now, 1.0):
            return Pace.ANSWERED
        bucket.quiet_until = now + MINUTE / 2
        log.warning("person.flooding", actor=actor, per_minute=self.per_minute)
        return Pace.REFUSED

    def typed(self, actor: str) -> bool:
        """Count a completion; False if there should be none. They fill half a bucket: commands are left."""
        now, bucket = self.clock.monotonic(), self._bucket(actor)
        return now >= bucket.quiet_until and self._fill(bucket, now, 1 / COMPLETIONS, MINUTE / 2)

    def _bucket(self, actor: str) -> _Bucket:
        bucket = self._buckets.pop(actor, None) or _Bucket()
        self._buckets[actor] = bucket  # the dictionary's order is that of the last use
        if len(self._buckets) > REMEMBERED:
            del self._buckets[next(iter(self._buckets))]
        return bucket

    def _fill(self, bucket: _Bucket, now: float, amount: float, size: float = MINUTE) -> bool:
        full = max(bucket.empty_at, now) + amount * MINUTE / self.per_minute
        if full > now + size + ROUNDING:
            return False
        bucket.empty_at = full
        return True


def refusal(request: Request) -> Reply:
    """What a person is told once."""
    t = request.translator.t
    text = t("That was too much at once. Please wait {seconds} seconds.", seconds=int(MINUTE / 2))
    return Reply(present.error(text), private=True)
