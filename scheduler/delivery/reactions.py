"""What the dispatcher does about a send that ended badly. Pure: time and chance are arguments."""

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

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
from scheduler.ports import Closed, Mark, PartEnded, Postponed
from scheduler.retry import MAX_ATTEMPTS, MAX_REFUSED, pause_backoff, send_backoff
from scheduler.types import Delivery, DeliveryState, Form, OnUnknown, Part, PartState


@dataclass(frozen=True, slots=True)
class Gone:
    """Deactivate the chat and cancel what waits for it."""


@dataclass(frozen=True, slots=True)
class Moved:
    address: str


@dataclass(frozen=True, slots=True)
class Paused:
    """Keep what waits; `topic_only`: tell the chat around the topic."""

    topic_only: bool


@dataclass(frozen=True, slots=True)
class Slower:
    """Let the chat, or the whole platform, rest."""

    wait: timedelta
    scope: RateScope


@dataclass(frozen=True, slots=True)
class Stop:
    """Send nothing more on this platform."""


Effect = Gone | Moved | Paused | Slower | Stop


@dataclass(frozen=True, slots=True)
class Reaction:
    """What to record, what else changes, and the form to try at once, if any."""

    marks: tuple[Mark, ...]
    effect: Effect | None = None
    next_form: Form | None = None


def react(
    error: SendError, delivery: Delivery, part: Part, *, deduplicates: bool, now: datetime, rng: random.Random
) -> Reaction:
    """The reaction to an error of sending `part`, which is `sending` at that moment."""
    reason = str(error)
    back = PartEnded(replace(part, state=PartState.PENDING), reason=reason)
    failed = PartEnded(replace(part, state=PartState.FAILED), reason=reason)

    def again(wait: timedelta, attempts: int = delivery.attempts) -> Postponed:
        return Postponed(delivery.id, now + wait, attempts, part.form, reason)

    match error:
        case RateLimited():
            return Reaction((back, again(error.retry_after)), Slower(error.retry_after, error.scope))
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
            return Reaction(
                after_unknown(delivery, part, reason, deduplicates=deduplicates, now=now, rng=rng)
            )
        case ChatMoved():
            attempt = tried(delivery, part.form, reason, timedelta(), now, most=MAX_REFUSED)
            return Reaction((back, attempt), Moved(error.address))
        case _:
            wait = send_backoff(delivery.attempts, rng)
            return Reaction((back, tried(delivery, part.form, reason, wait, now, most=MAX_REFUSED)))


def after_publishing(error: SendError, delivery: Delivery, now: datetime, rng: random.Random) -> Reaction:
    """The reaction to an error of publishing what has arrived: no more than this can be lost by it."""
    reason = f"arrived, but not published: {error}"
    given_up = Reaction((Closed(delivery.id, DeliveryState.SENT, reason),))

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
            return again(send_backoff(delivery.attempts, rng), delivery.attempts + 1)
        case _:
            return given_up


def tried(
    delivery: Delivery,
    form: Form,
    reason: str,
    wait: timedelta,
    now: datetime,
    *,
    tries: int | None = None,
    most: int = MAX_ATTEMPTS,
) -> Mark:
    """Count an attempt: wait, or give up after the last one. `tries`: of this kind, if not all count."""
    attempts = delivery.attempts + 1
    if (attempts if tries is None else tries) >= most:
        return Closed(delivery.id, DeliveryState.FAILED, f"given up after {most} attempts: {reason}")
    return Postponed(delivery.id, now + wait, attempts, form, reason)


def after_unknown(
    delivery: Delivery, part: Part, reason: str, *, deduplicates: bool, now: datetime, rng: random.Random
) -> tuple[Mark, ...]:
    """What follows when nobody knows whether a part arrived: the chat's policy, or the platform's memory."""
    unknown = part
    if part.state is not PartState.UNKNOWN:
        unknown = replace(part, state=PartState.UNKNOWN, unknowns=part.unknowns + 1)
    ended = PartEnded(unknown, reason=reason)
    if delivery.chat.on_unknown is OnUnknown.HOLD and not deduplicates:
        return ended, Closed(delivery.id, DeliveryState.HELD, f"it may have arrived: {reason}")
    wait = send_backoff(delivery.attempts, rng)
    return ended, tried(delivery, part.form, reason, wait, now, tries=unknown.unknowns)
