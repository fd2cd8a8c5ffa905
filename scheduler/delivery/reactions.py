"""What the dispatcher does about a send that failed. Pure: time and chance are arguments."""

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from scheduler.delivery.attempts import Attempt
from scheduler.errors import (
    Ambiguous,
    ChatGone,
    ChatMoved,
    ChatPaused,
    ContentRejected,
    PlatformStopped,
    RateLimited,
    RateScope,
    Refused,
    SendError,
)
from scheduler.ports import Closed, Outcome, PartEnded, Postponed
from scheduler.retry import MAX_ATTEMPTS, MAX_REFUSED, pause_backoff, send_backoff
from scheduler.types import Delivery, DeliveryState, Form, OnUnknown, Part, PartState


@dataclass(frozen=True, slots=True)
class Gone:
    """Deactivate the chat and cancel what waits for it."""


@dataclass(frozen=True, slots=True)
class Moved:
    """Take the chat's rows to its new address."""

    address: str


@dataclass(frozen=True, slots=True)
class Paused:
    """Pause the chat and keep what waits; `topic_only`: tell the chat around the topic."""

    topic_only: bool


@dataclass(frozen=True, slots=True)
class Slower:
    """Send nothing to the chat, or to the whole platform, for a while."""

    wait: timedelta
    scope: RateScope


@dataclass(frozen=True, slots=True)
class Stop:
    """Send nothing more on this platform."""


Effect = Gone | Moved | Paused | Slower | Stop


@dataclass(frozen=True, slots=True)
class Reaction:
    """What to record, what else changes, and the plainer form to try at once, if any."""

    outcomes: tuple[Outcome, ...]
    effect: Effect | None = None
    next_form: Form | None = None


@dataclass(frozen=True, slots=True)
class Reactions:
    """Reactions to one platform's errors. `deduplicates`: a repeated key makes no second message there."""

    deduplicates: bool
    rng: random.Random

    def to_error(self, error: SendError, attempt: Attempt, now: datetime) -> Reaction:
        """The reaction to an error of sending, while the attempt's part is `sending`."""
        delivery, part, reason = attempt.delivery, attempt.part, str(error)
        back = PartEnded(replace(part, state=PartState.PENDING), reason=reason)
        failed = PartEnded(replace(part, state=PartState.FAILED), reason=reason)

        def again(wait: timedelta, attempts: int = delivery.attempts) -> Postponed:
            # A backlog must not arrive at night because the platform has recovered then.
            due = delivery.chat.after_quiet(now + wait)
            return Postponed(delivery.id, due, attempts, part.form, reason)

        match error:
            case RateLimited():  # for moments, and also what a person asked for just now
                waits = replace(again(timedelta()), due_at=now + error.retry_after)
                return Reaction((back, waits), Slower(error.retry_after, error.scope))
            case ChatGone():
                return Reaction((failed, Closed(delivery.id, DeliveryState.CANCELLED, reason)), Gone())
            case ChatPaused():
                wait = pause_backoff(delivery.attempts)
                return Reaction((back, again(wait, delivery.attempts + 1)), Paused(error.topic_only))
            case PlatformStopped():
                return Reaction((back, again(timedelta())), Stop())
            case ContentRejected():
                plainer = error.plainer(part.form)
                end = () if plainer else (Closed(delivery.id, DeliveryState.FAILED, reason),)
                return Reaction((failed, *end), next_form=plainer)
            case Ambiguous():
                return Reaction(self.to_unknown(delivery, part, reason, now))
            case ChatMoved():
                counted = _counted(again(timedelta(), delivery.attempts + 1), most=MAX_REFUSED)
                return Reaction((back, counted), Moved(error.address))
            case _:
                wait = send_backoff(delivery.attempts, self.rng)
                return Reaction((back, _counted(again(wait, delivery.attempts + 1), most=MAX_REFUSED)))

    def to_unknown(
        self, delivery: Delivery, part: Part, reason: str, now: datetime
    ) -> tuple[PartEnded, Closed | Postponed]:
        """What to record when nobody knows whether a part arrived.

        It is sent again, unless the chat's policy holds it back and the platform would show it twice.
        """
        if part.state is not PartState.UNKNOWN:
            part = replace(part, state=PartState.UNKNOWN, unknowns=part.unknowns + 1)
        ended = PartEnded(part, reason=reason)
        if delivery.chat.on_unknown is OnUnknown.HOLD and not self.deduplicates:
            return ended, Closed(delivery.id, DeliveryState.HELD, f"it may have arrived: {reason}")
        return ended, _counted(self._later(delivery, part.form, reason, now), tries=part.unknowns)

    def to_bug(self, delivery: Delivery, reason: str, now: datetime) -> Outcome:
        """What to record when sending failed by a fault of Skywave's own."""
        return _counted(self._later(delivery, delivery.form, reason, now))

    def to_publishing_error(self, error: SendError, delivery: Delivery, now: datetime) -> Reaction:
        """The reaction to an error of publishing what has arrived: only the publication can be lost."""
        reason = f"arrived, but not published: {error}"

        def again(wait: timedelta, attempts: int, effect: Effect | None = None) -> Reaction:
            return Reaction((Postponed(delivery.id, now + wait, attempts, delivery.form, reason),), effect)

        match error:
            case RateLimited(scope=RateScope.PLATFORM):
                return again(error.retry_after, delivery.attempts, Slower(error.retry_after, error.scope))
            case RateLimited():  # a limit of publishing alone: messages go on
                return again(error.retry_after, delivery.attempts)
            case PlatformStopped():
                return again(timedelta(), delivery.attempts, Stop())
            case Ambiguous() | Refused() if delivery.attempts + 1 < MAX_ATTEMPTS:
                return again(send_backoff(delivery.attempts, self.rng), delivery.attempts + 1)
            case _:
                return Reaction((Closed(delivery.id, DeliveryState.SENT, reason),))

    def _later(self, delivery: Delivery, form: Form, reason: str, now: datetime) -> Postponed:
        due = delivery.chat.after_quiet(now + send_backoff(delivery.attempts, self.rng))
        return Postponed(delivery.id, due, delivery.attempts + 1, form, reason)


def _counted(again: Postponed, *, most: int = MAX_ATTEMPTS, tries: int | None = None) -> Closed | Postponed:
    """`again`, or the end of the delivery after `most` attempts. `tries`: if only those of a kind count."""
    if (again.attempts if tries is None else tries) < most:
        return again
    reason = f"given up after {most} attempts: {again.reason}"
    return Closed(again.delivery_id, DeliveryState.FAILED, reason)
