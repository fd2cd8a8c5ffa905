"""render → limit → write ahead → send → record: the way of one delivery, and what goes wrong on it."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog

from content.errors import SkywaveError, StoreError
from scheduler import membership
from scheduler.delivery.journal import STORE_RETRY, Change, Journal
from scheduler.delivery.limits import Lane
from scheduler.delivery.pacer import Pacer
from scheduler.delivery.reactions import (
    Effect,
    Gone,
    Moved,
    Paused,
    Reaction,
    Slower,
    Stop,
    after_publishing,
    after_unknown,
    react,
    tried,
)
from scheduler.delivery.renderings import Composer, Renderings
from scheduler.errors import Ambiguous, ChatGone, ChatPaused, ContentRejected, Refused, SendError
from scheduler.ports import (
    Clock,
    Closed,
    Mark,
    PartEnded,
    Postponed,
    Publishes,
    Recalls,
    Sender,
    Store,
    UnitOfWork,
)
from scheduler.retry import send_backoff
from scheduler.types import (
    Chat,
    ChatState,
    Delivery,
    DeliveryState,
    Form,
    Message,
    OnUnknown,
    Part,
    PartState,
    Sent,
    part_key,
)

log = structlog.get_logger(__name__)

# Why nobody knows what became of a part: it was `sending` at the start of a process, or at a claim.
ENDED = "the process ended while it was being sent"
BROKEN = "an internal error while it was being sent"


class Held(SkywaveError):
    """A part that may have arrived is not to be sent again."""


class Sending:
    """Takes deliveries of one platform to their chats. `stopped`: why nothing more can be sent there.

    `in_flight` are the places of parts that are written ahead and whose outcome is not recorded yet: what
    waits for its own chat needs none.
    """

    def __init__(
        self,
        store: Store,
        platform: Sender,
        compose: Composer,
        pacer: Pacer,
        clock: Clock,
        rng: random.Random,
        journal: Journal,
        in_flight: asyncio.Semaphore,
    ) -> None:
        self._store, self._platform, self._pacer = store, platform, pacer
        self._clock, self._rng, self._journal, self._in_flight = clock, rng, journal, in_flight
        self._renderings = Renderings(store, platform, compose)
        self.stopped: SendError | None = None

    async def deliver(self, delivery: Delivery) -> None:
        """Send what is left of a delivery, and record what becomes of it. Raises nothing."""
        try:
            if left := [part for part in delivery.parts if part.state is PartState.SENDING]:
                await self._journal.mark(*self.after_unknown(delivery, left[-1], BROKEN))
                return
            form: Form | None = delivery.form
            while form is not None:
                delivery, form = await self._send_form(delivery, form)
        except Held as exc:
            await self._journal.mark(Closed(delivery.id, DeliveryState.HELD, str(exc)))
        except StoreError as exc:
            # No fault of the delivery: it costs no attempt.
            log.error("store.unavailable", reason=str(exc), next_step="sending waits until it answers")
            due = self._clock.now() + timedelta(seconds=STORE_RETRY)
            await self._journal.mark(
                Postponed(delivery.id, due, delivery.attempts, delivery.form, delivery.reason)
            )
        except Exception as exc:
            # The edge of the task: whatever broke, the delivery is tried again, and listed if it never works.
            log.exception("delivery.broken", delivery=delivery.id, chat=str(delivery.chat.place))
            wait = send_backoff(delivery.attempts, self._rng)
            reason = f"internal error: {type(exc).__name__}"
            await self._journal.mark(tried(delivery, delivery.form, reason, wait, self._clock.now()))

    def after_unknown(self, delivery: Delivery, part: Part, reason: str) -> Sequence[Mark]:
        """What is to be recorded of a part that was left behind, so that nobody knows whether it arrived."""
        log.warning("delivery.unknown", chat=str(delivery.chat.place), delivery=delivery.id, reason=reason)
        return after_unknown(
            delivery,
            part,
            reason,
            deduplicates=self._platform.deduplicates,
            now=self._clock.now(),
            rng=self._rng,
        )

    async def _send_form(self, delivery: Delivery, form: Form) -> tuple[Delivery, Form | None]:
        """Send what is left of a delivery in one form; returns the plainer form to go on with, if any."""
        fingerprint, messages = await self._renderings.of(delivery, form)
        if not messages:
            arrived = delivery.posts and not delivery.remaining(form)  # only a line without posts did not
            gone = Closed(delivery.id, DeliveryState.CANCELLED, "its posts are gone")
            await self._journal.mark(Closed(delivery.id, DeliveryState.SENT) if arrived else gone)
            return delivery, None
        begun = {part.n: part for part in delivery.parts if part.form is form}
        first = sum(part.state is PartState.SENT for part in begun.values())
        for n in range(first, len(messages)):
            if not await self._turn(delivery, form):
                return delivery, None
            part = self._part(delivery, n, form, messages[n], fingerprint, begun.get(n))
            async with self._in_flight:
                started = self._clock.monotonic()
                try:
                    found = await self._recall(delivery, messages[n], begun.get(n))
                    if found is None:
                        if not await self._leaves(delivery, part):
                            return delivery, None
                        started = self._clock.monotonic()
                        key = part_key(delivery, n, form)
                        found = await self._platform.send(_target(delivery), messages[n], key=key)
                except SendError as error:
                    unsent = delivery.with_part(replace(part, state=PartState.FAILED))
                    return unsent, await self._react(_meant(error, delivery), delivery, part)
                part = replace(part, state=PartState.SENT, sent=found)
                delivery = delivery.with_part(part)
                await self._sent(delivery, part, messages, self._clock.monotonic() - started)
        if delivery.chat.crosspost:
            await self._publish(delivery)
        return delivery, None

    def _part(
        self, delivery: Delivery, n: int, form: Form, message: Message, fingerprint: str, before: Part | None
    ) -> Part:
        """A part that is about to be sent, again if there was one before."""
        return Part(
            delivery_id=delivery.id,
            n=n,
            form=form,
            state=PartState.SENDING,
            posts=message.posts,
            fingerprint=fingerprint,
            unknowns=before.unknowns if before else 0,
            begun_at=before.begun_at if before and before.begun_at else self._clock.now(),
        )

    async def _recall(self, delivery: Delivery, message: Message, before: Part | None) -> Sent | None:
        """Where a part of unknown outcome has arrived after all.

        What was unknown once stays so, however later attempts were refused. Raises Held if the bot may not
        look and the part is not to be sent; SendError, after which it is looked up again, if it could not.
        """
        if before is None or not before.unknowns or before.begun_at is None:
            return None
        if not isinstance(self._platform, Recalls):
            return None
        try:
            return await self._platform.recall(_target(delivery), message, before.begun_at)
        except ChatPaused as exc:
            if delivery.chat.on_unknown is OnUnknown.HOLD:
                raise Held(f"it may have arrived, and cannot be looked up: {exc}") from exc
            return None
        except (Ambiguous, ContentRejected) as exc:
            raise Refused(str(exc)) from exc  # a look that fails changes nothing

    async def _turn(self, delivery: Delivery, form: Form) -> bool:
        """Wait for the chat's own limit; False if that is so long that others should go first."""
        address, kind = delivery.chat.place.address, delivery.chat.kind
        if await self._pacer.turn(address, kind):
            return True
        wait = self._pacer.chat_wait(address, kind)
        reason = "the chat's rate limit" if wait else delivery.reason
        await self._journal.mark(self._later(delivery, form, wait, reason))
        return False

    async def _leaves(self, delivery: Delivery, part: Part) -> bool:
        """Write a part ahead and wait for its slot; False if it does not leave now."""
        address, kind = delivery.chat.place.address, delivery.chat.kind
        async with self._pacer.ahead:
            if not await self._journal.begin(part):
                return False
            if await self._pacer.slot(address, kind, Lane.BROADCAST):
                return True
        wait = self._pacer.hold_wait()
        reason = "the platform's rate limit" if wait else delivery.reason
        back = PartEnded(replace(part, state=PartState.PENDING), reason=reason)
        await self._journal.mark(back, self._later(delivery, part.form, wait, reason))
        return False

    def _later(self, delivery: Delivery, form: Form, seconds: float, reason: str) -> Postponed:
        due = self._clock.now() + timedelta(seconds=seconds)
        return Postponed(delivery.id, due, delivery.attempts, form, reason)

    async def _sent(
        self, delivery: Delivery, part: Part, messages: tuple[Message, ...], seconds: float
    ) -> None:
        later = {post for message in messages[part.n + 1 :] for post in message.posts}
        delivered = tuple(post for post in part.posts if post not in later)
        last = part.n + 1 == len(messages)
        ends = last and not delivery.chat.crosspost  # else it is open until it is published
        end = (Closed(delivery.id, DeliveryState.SENT),) if ends else ()
        await self._journal.mark(PartEnded(part, delivered), *end)
        log.info(
            "part.sent",
            chat=str(delivery.chat.place),
            delivery=delivery.id,
            part=part.n,
            seconds=round(seconds, 4),
        )
        if last and delivery.chat.state is ChatState.PAUSED:
            async with self._store.write() as work:
                await membership.reactivate(work, delivery.chat, self._clock.now())
                await work.commit()

    async def _publish(self, delivery: Delivery) -> None:
        """Pass on what has arrived. After a crash it is done again from the start, which does no harm."""
        reaction = Reaction((Closed(delivery.id, DeliveryState.SENT),))
        arrived = [part.sent for part in sorted(delivery.parts, key=lambda part: part.n) if part.sent]
        try:
            if isinstance(self._platform, Publishes):
                for sent in arrived:
                    await self._platform.publish(sent)
        except SendError as error:
            reaction = after_publishing(error, delivery, self._clock.now(), self._rng)
            log.warning(
                "delivery.not_published",
                chat=str(delivery.chat.place),
                delivery=delivery.id,
                error=type(error).__name__,
                reason=str(error),
            )
            if reaction.effect:
                self._effect(reaction.effect, delivery.chat, error)
        await self._journal.mark(*reaction.marks)

    async def _react(self, error: SendError, delivery: Delivery, part: Part) -> Form | None:
        reaction = react(
            error,
            delivery,
            part,
            deduplicates=self._platform.deduplicates,
            now=self._clock.now(),
            rng=self._rng,
        )
        log.warning(
            "part.not_sent",
            chat=str(delivery.chat.place),
            delivery=delivery.id,
            part=part.n,
            error=type(error).__name__,
            reason=str(error),
        )
        change = self._effect(reaction.effect, delivery.chat, error) if reaction.effect else None
        await self._journal.mark(*reaction.marks, change=change)
        return reaction.next_form

    def _effect(self, effect: Effect, chat: Chat, error: SendError) -> Change | None:
        """Do at once what concerns the pace; what is left is for the store."""
        match effect:
            case Slower(wait, scope):
                self._pacer.limited(chat.place.address, wait, scope)
                return None
            case Stop():
                self.stopped = error
                return None
            case _:
                return partial(self._change, effect, chat, error)

    async def _change(self, effect: Effect, chat: Chat, error: SendError, work: UnitOfWork) -> None:
        platform, address, now = chat.place.platform, chat.place.address, self._clock.now()
        match effect:
            case Gone():
                await membership.deactivate_address(work, platform, address, str(error), now)
            case Moved(new):
                await work.chats.move(platform, address, new)
            case Paused(topic_only=True):
                await membership.pause_topic(work, chat, error.message, now)
            case Paused():
                await membership.pause(work, chat, str(error))


def _meant(error: SendError, delivery: Delivery) -> SendError:
    """A thread that an earlier part opened and that is gone ends this edition, not the chat."""
    if isinstance(error, ChatGone) and _target(delivery) is not delivery.chat:
        return ContentRejected(f"the thread that was opened for it: {error}", final=True)
    return error


def _target(delivery: Delivery) -> Chat:
    """Where the next part goes: into the thread that an earlier one has opened, if any."""
    opened = [part.sent.address for part in delivery.parts if part.sent and part.sent.opened]
    if not opened:
        return delivery.chat
    return replace(delivery.chat, place=replace(delivery.chat.place, address=opened[-1]))
