"""render → limit → write ahead → send → record: the way of one delivery, and what can go wrong on it."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from content.errors import SkywaveError, StoreError
from content.i18n import Msgid
from scheduler import membership
from scheduler.delivery.attempts import Attempt
from scheduler.delivery.journal import STORE_RETRY, Change, Journal
from scheduler.delivery.limits import Lane
from scheduler.delivery.pacer import Pacer
from scheduler.delivery.reactions import Effect, Gone, Moved, Paused, Reaction, Reactions, Slower, Stop
from scheduler.delivery.renderings import Composer, Renderings
from scheduler.errors import Ambiguous, ChatPaused, ContentRejected, Refused, SendError
from scheduler.log import Logger
from scheduler.ports import (
    Clock,
    Closed,
    Outcome,
    PartEnded,
    Postponed,
    Publishes,
    Recalls,
    Sender,
    Store,
    UnitOfWork,
)
from scheduler.types import Chat, ChatState, Delivery, DeliveryState, Form, OnUnknown, Part, PartState, Sent

log = Logger(__name__)

# Why the outcome of a part is unknown: it was `sending` when a process started, or when it was claimed.
PROCESS_ENDED = "the process ended while it was being sent"
INTERNAL_ERROR = "an internal error while it was being sent"
# Why a delivery waits.
CHAT_LIMIT, PLATFORM_LIMIT = Msgid("the chat's rate limit"), Msgid("the platform's rate limit")


class HeldBack(SkywaveError):
    """A part that may have arrived must not be sent again."""


class Sending:
    """Sends deliveries of one platform to their chats. `stopped`: why nothing more can be sent there.

    `in_flight` limits the parts that are written ahead and whose outcome is not recorded yet. A delivery
    that waits for its own chat's limit is not one of them.
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
        self._clock, self._journal, self._in_flight = clock, journal, in_flight
        self._renderings = Renderings(store, platform, compose)
        self._reactions = Reactions(platform.deduplicates, rng)
        self.stopped: SendError | None = None

    async def send(self, delivery: Delivery) -> None:
        """Send what is left of a delivery, and record what becomes of it. Raises nothing."""
        try:
            interrupted = [part for part in delivery.parts if part.state is PartState.SENDING]
            if interrupted:
                await self._journal.record(*self.after_unknown(delivery, interrupted[-1], INTERNAL_ERROR))
                return
            attempt = await self._prepare(delivery, delivery.form)
            while attempt is not None:
                attempt = await self._try(attempt)
        except HeldBack as exc:
            await self._journal.record(Closed(delivery.id, DeliveryState.HELD, str(exc)))
        except StoreError as exc:
            # Not the delivery's fault: it costs no attempt.
            log.error("store.unavailable", reason=str(exc), next_step="sending waits until it answers")
            await self._journal.record(self._later(delivery, delivery.form, STORE_RETRY, delivery.reason))
        except Exception as exc:
            # The edge of the task: the delivery is tried again, and fails with this reason if it never works.
            log.exception("delivery.broken", delivery=delivery.id, chat=str(delivery.chat.place))
            reason = f"internal error: {type(exc).__name__}"
            await self._journal.record(self._reactions.to_bug(delivery, reason, self._clock.now()))

    def after_unknown(self, delivery: Delivery, part: Part, reason: str) -> Sequence[Outcome]:
        """What to record of a part that was interrupted, so that nobody knows whether it arrived."""
        log.warning("delivery.unknown", chat=str(delivery.chat.place), delivery=delivery.id, reason=reason)
        return self._reactions.to_unknown(delivery, part, reason, self._clock.now())

    async def _prepare(self, delivery: Delivery, form: Form) -> Attempt | None:
        """The next part to send in a form. If there is none, the delivery is closed and None returned."""
        rendering = await self._renderings.get(delivery, form)
        if not rendering.messages:
            # The rest of a digest may be a line without posts; if only that failed, all posts have arrived.
            arrived = delivery.posts and not delivery.remaining(rendering.form)
            gone = Closed(delivery.id, DeliveryState.CANCELLED, "its posts are gone")
            await self._journal.record(Closed(delivery.id, DeliveryState.SENT) if arrived else gone)
            return None
        attempt = Attempt.next(delivery, rendering, self._clock.now())
        if attempt is None:
            # All has arrived. It was open only to be published, which may have been switched off since.
            await self._finish(delivery)
        return attempt

    async def _try(self, attempt: Attempt) -> Attempt | None:
        """Send one part; returns the attempt that follows, None if the delivery goes no further now."""
        if not await self._wait_for_chat(attempt):
            return None
        plainer: Form | None = None
        async with self._in_flight:
            try:
                arrived = await self._request(attempt)
            except SendError as error:
                arrived, plainer = None, await self._react(attempt, error)
        if plainer is not None:
            return await self._prepare(attempt.rejected(), plainer)
        if arrived is None:
            return None
        if not arrived.is_last:
            return Attempt.next(arrived.delivery, arrived.rendering, self._clock.now())
        if arrived.delivery.chat.crosspost:
            await self._finish(arrived.delivery)
        return None

    async def _request(self, attempt: Attempt) -> Attempt | None:
        """Write ahead, send, record. None if it was not sent now; raises SendError if the send failed."""
        started = self._clock.monotonic()
        sent = await self._recall(attempt)
        if sent is None:
            if not await self._write_ahead(attempt):
                return None
            started = self._clock.monotonic()
            silent = bool(attempt.delivery.format.silent)
            sent = await self._platform.send(attempt.target, attempt.message, key=attempt.key, silent=silent)
        arrived = attempt.arrived(sent)
        await self._record_arrival(arrived, self._clock.monotonic() - started)
        return arrived

    async def _recall(self, attempt: Attempt) -> Sent | None:
        """The message of an earlier attempt whose outcome was unknown, if the platform finds it.

        Once unknown, a part is looked up before every attempt, however later ones were refused. Raises
        HeldBack if the bot may not look and the chat's policy is to hold; SendError if the look failed.
        """
        part, delivery = attempt.part, attempt.delivery
        if not part.unknowns or part.begun_at is None:
            return None
        if not isinstance(self._platform, Recalls):
            return None
        try:
            return await self._platform.recall(attempt.target, attempt.message, part.begun_at)
        except ChatPaused as exc:
            if delivery.chat.on_unknown is OnUnknown.HOLD:
                raise HeldBack(f"it may have arrived, and cannot be looked up: {exc}") from exc
            return None
        except (Ambiguous, ContentRejected) as exc:
            raise Refused(str(exc)) from exc  # looking changes nothing, so its failure is no unknown outcome

    async def _wait_for_chat(self, attempt: Attempt) -> bool:
        """Wait for the chat's own limit. False if that takes long: the delivery goes back to the outbox."""
        chat, delivery = attempt.delivery.chat, attempt.delivery
        if await self._pacer.wait_for_chat(chat.place.address, chat.kind):
            return True
        wait = self._pacer.chat_wait(chat.place.address, chat.kind)
        reason = CHAT_LIMIT if wait else delivery.reason
        await self._journal.record(self._later(delivery, attempt.part.form, wait, reason))
        return False

    async def _write_ahead(self, attempt: Attempt) -> bool:
        """Write the part ahead and wait for a permit to send it; False if it must not be sent now."""
        chat, delivery, part = attempt.delivery.chat, attempt.delivery, attempt.part
        async with self._pacer.ahead:
            if not await self._journal.begin(part):
                return False
            if await self._pacer.permit(chat.place.address, chat.kind, Lane.BROADCAST):
                return True
        wait = self._pacer.hold_wait()
        reason = PLATFORM_LIMIT if wait else delivery.reason
        back = PartEnded(replace(part, state=PartState.PENDING), reason=reason)
        await self._journal.record(back, self._later(delivery, part.form, wait, reason))
        return False

    def _later(self, delivery: Delivery, form: Form, seconds: float, reason: str) -> Postponed:
        due = self._clock.now() + timedelta(seconds=seconds)
        return Postponed(delivery.id, due, delivery.attempts, form, reason)

    async def _record_arrival(self, arrived: Attempt, seconds: float) -> None:
        delivery, chat = arrived.delivery, arrived.delivery.chat
        # A delivery that is to be published stays open until it is.
        ends = arrived.is_last and not chat.crosspost
        end = (Closed(delivery.id, DeliveryState.SENT),) if ends else ()
        await self._journal.record(PartEnded(arrived.part, arrived.completed_posts), *end)
        log.info(
            "part.sent",
            chat=str(chat.place),
            delivery=delivery.id,
            part=arrived.part.n,
            seconds=round(seconds, 4),
        )
        if arrived.is_last and chat.state is ChatState.PAUSED:
            async with self._store.write() as work:
                await membership.reactivate(work, chat, self._clock.now())
                await work.commit()

    async def _finish(self, delivery: Delivery) -> None:
        """Crosspost what has arrived, and close the delivery. Publishing a message twice does no harm."""
        reaction = Reaction((Closed(delivery.id, DeliveryState.SENT),))
        arrived = [part.sent for part in sorted(delivery.parts, key=lambda part: part.n) if part.sent]
        try:
            if delivery.chat.crosspost and isinstance(self._platform, Publishes):
                for sent in arrived:
                    await self._platform.publish(sent)
        except SendError as error:
            reaction = self._reactions.to_publishing_error(error, delivery, self._clock.now())
            log.warning(
                "delivery.not_published",
                chat=str(delivery.chat.place),
                delivery=delivery.id,
                error=type(error).__name__,
                reason=str(error),
            )
            self._apply(reaction.effect, delivery.chat, error)
        await self._journal.record(*reaction.outcomes)

    async def _react(self, attempt: Attempt, error: SendError) -> Form | None:
        """Record what follows from an error of sending; returns the plainer form to try at once, if any."""
        error = attempt.explain(error)
        reaction = self._reactions.to_error(error, attempt, self._clock.now())
        log.warning(
            "part.not_sent",
            chat=str(attempt.delivery.chat.place),
            delivery=attempt.delivery.id,
            part=attempt.part.n,
            error=type(error).__name__,
            reason=str(error),
        )
        change = self._apply(reaction.effect, attempt.delivery.chat, error)
        await self._journal.record(*reaction.outcomes, change=change)
        return reaction.next_form

    def _apply(self, effect: Effect | None, chat: Chat, error: SendError) -> Change | None:
        """Apply an effect on pace or platform at once; returns what is to be changed in the store, if any."""
        match effect:
            case None:
                return None
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
