"""Messages follow their posts: those that show an older version are edited, behind all that is new."""

import asyncio
import hashlib
import json
import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from content.document import Document, Paragraph, text
from content.errors import StoreError
from content.types import Post
from scheduler.delivery.limits import Lane
from scheduler.delivery.pacer import Pacer
from scheduler.delivery.renderings import Composer
from scheduler.errors import Ambiguous, PlatformStopped, RateLimited, Refused, SendError
from scheduler.log import Logger
from scheduler.ports import Clock, Edit, EditLimits, Edits, Sender, Stale, Store
from scheduler.retry import MAX_ATTEMPTS, send_backoff
from scheduler.types import Chat, Delivery, Form, Message, Part, PartState

log = Logger(__name__)

# Deliveries that one look finds, and chats whose messages are edited at the same time.
FOUND, AT_ONCE = 500, 20
# The store is asked this often for messages to edit, seconds.
IDLE = 5.0
# After the platform has refused the token, nothing is edited for this long.
STOPPED = timedelta(minutes=10)
# What a message shows when nothing is left for it.
NOTHING_LEFT = Document((Paragraph(text("…")),))


class EditingSender(Sender, Edits, Protocol):
    """A platform whose messages can be edited."""


@dataclass(frozen=True, slots=True)
class _Rest:
    """A delivery that is not edited until a moment, after so many failed tries."""

    tries: int
    until: datetime


class Editor:
    """Edits the messages of one platform. An edit never adds or removes a message."""

    def __init__(
        self,
        store: Store,
        platform: EditingSender,
        compose: Composer,
        pacer: Pacer,
        clock: Clock,
        rng: random.Random,
        limits: EditLimits | None = None,
    ) -> None:
        self._store, self._platform, self._compose = store, platform, compose
        self._pacer, self._clock, self._rng = pacer, clock, rng
        self._limits = limits or EditLimits()
        self._resting: dict[int, _Rest] = {}
        self._places = asyncio.Semaphore(AT_ONCE)
        self._wakeup = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Look at once for messages to edit."""
        self._wakeup.set()

    def stop(self) -> None:
        """Begin no further edit; `run` returns when those in flight have been recorded."""
        self._stopping = True
        self._wakeup.set()

    async def run(self) -> None:
        """Edit until told to stop."""
        while not self._stopping:
            self._wakeup.clear()
            if not await self.edit_due():
                await self._idle()

    async def edit_due(self) -> int:
        """Edit what is due now, each chat's in order; returns how many deliveries are settled by that."""
        try:
            return await self._edit_due()
        except StoreError as exc:
            log.error("store.unavailable", reason=str(exc), next_step="editing waits until it answers")
            return 0

    async def _edit_due(self) -> int:
        now = self._clock.now()
        resting = [delivery_id for delivery_id, rest in self._resting.items() if rest.until > now]
        async with self._store.read() as work:
            found = await work.edits.stale(self._platform.name, now, self._limits, FOUND, resting)
        of_chat: dict[int, list[Stale]] = {}
        for stale in found:
            of_chat.setdefault(stale.delivery.chat.id, []).append(stale)
        ended = await asyncio.gather(*map(self._edit_chat, of_chat.values()), return_exceptions=True)
        for error in ended:
            if isinstance(error, BaseException):
                raise error
        return sum(count for count in ended if isinstance(count, int))

    async def _edit_chat(self, found: Sequence[Stale]) -> int:
        """Edit the deliveries of one chat until it gets no more for now; returns how many are settled.

        Raises StoreError.
        """
        async with self._places:
            for count, stale in enumerate(found):
                if self._stopping or not await self._settle(stale):
                    return count
            return len(found)

    async def _settle(self, stale: Stale) -> bool:
        """Edit a delivery, or record why not; False if its chat gets no more now. Raises StoreError."""
        try:
            return await self._edit(stale)
        except SendError as exc:
            return await self._react(stale, exc)
        except StoreError:
            raise
        except Exception as exc:
            # The edge of the task: a post that cannot be rendered must not keep others from being edited.
            log.exception("edit.broken", delivery=stale.delivery.id)
            await self._give_up(stale, f"internal error: {type(exc).__name__}")
            return True

    async def _edit(self, stale: Stale) -> bool:
        """Edit the messages of a delivery, and record each; False if its chat gets no more now.

        Raises SendError.
        """
        delivery = stale.delivery
        parts = sorted((p for p in delivery.parts if p.state is PartState.SENT), key=lambda part: part.n)
        async with self._store.read() as work:
            posts = await work.posts.by_ids(delivery.posts)
            sent_first = await work.outbox.rendering(parts[0].rendering_key) if parts else None
        if reason := _obstacle(delivery, parts, posts):
            await self._give_up(stale, reason)
            return True
        # In a thread, because a long post can take a second.
        messages = await asyncio.to_thread(self._render, delivery, posts, parts)
        before = _shown_before(stale, sent_first or ())
        edit = _begun(stale)
        for n in range(len(edit.shown), len(parts)):
            shown = _hash(messages[n])
            if shown != before(n):
                if not await self._permitted(delivery.chat):
                    return False
                sent = parts[n].sent
                assert sent is not None
                await self._platform.rewrite(sent, messages[n])
                log.info("message.edited", chat=str(delivery.chat.place), delivery=delivery.id, part=n)
            edit = replace(edit, shown=(*edit.shown, shown), done=n + 1 == len(parts))
            await self._record(stale, edit)
        return True

    def _render(self, delivery: Delivery, posts: Sequence[Post], parts: Sequence[Part]) -> Sequence[Message]:
        """The messages that take the place of `parts`, in the same form."""
        document = self._compose(delivery, posts)
        return exactly(self._platform, document, parts[0].form, len(parts))

    async def _permitted(self, chat: Chat) -> bool:
        """Wait for the chat's limit and a permit. False if that takes long, or if a new post goes first."""
        address = chat.place.address
        if not await self._pacer.wait_for_chat(address, chat.kind):
            return False
        if not await self._pacer.permit(address, chat.kind, Lane.EDIT):
            return False
        async with self._store.read() as work:
            return await work.edits.may_edit(chat.id, self._clock.now(), self._limits)

    async def _react(self, stale: Stale, error: SendError) -> bool:
        """Record what follows from an error; False if the chat gets no more edits now."""
        chat, delivery = stale.delivery.chat, stale.delivery.id
        log.warning("edit.failed", chat=str(chat.place), delivery=delivery, reason=str(error))
        tries = self._resting[delivery].tries if delivery in self._resting else 0
        match error:
            case RateLimited():
                self._pacer.limited(chat.place.address, error.retry_after, error.scope)
                self._rest(delivery, tries, error.retry_after)
                return False
            case PlatformStopped():
                self._rest(delivery, tries, STOPPED)
                return False
            case Refused() | Ambiguous() if tries + 1 < MAX_ATTEMPTS:
                self._rest(delivery, tries + 1, send_backoff(tries, self._rng))
                return False
            case _:
                await self._give_up(stale, str(error))
                return True

    def _rest(self, delivery: int, tries: int, wait: timedelta) -> None:
        self._resting[delivery] = _Rest(tries, self._clock.now() + wait)

    async def _give_up(self, stale: Stale, reason: str) -> None:
        await self._record(stale, replace(_begun(stale), done=True, reason=reason))

    async def _record(self, stale: Stale, edit: Edit) -> None:
        async with self._store.write() as work:
            await work.edits.record(stale.delivery.chat.id, edit, self._clock.now())
            await work.commit()
        if edit.done:
            self._resting.pop(edit.delivery_id, None)

    async def _idle(self) -> None:
        try:
            async with asyncio.timeout(IDLE):
                await self._wakeup.wait()
        except TimeoutError:
            return


def _begun(stale: Stale) -> Edit:
    """The edit to this version as far as it got before, or a new one."""
    begun = (edit for edit in stale.edits if edit.version == stale.version)
    return next(begun, Edit(stale.delivery.id, stale.version))


def _obstacle(delivery: Delivery, parts: Sequence[Part], posts: Sequence[Post]) -> str:
    """Why the messages of a delivery cannot be edited; empty if they can."""
    if len({part.form for part in parts}) > 1:
        return "it was sent in several forms"
    if not parts or any(part.sent is None or not part.sent.message_ids for part in parts):
        return "its messages are not known"
    return "" if len(posts) == len(delivery.posts) else "some of its posts were deleted"


def _shown_before(stale: Stale, sent_first: Sequence[Message]) -> Callable[[int], str]:
    """Finds the hash of what a message shows; empty if that is not known any more."""
    versions = [*(edit.shown for edit in reversed(stale.edits)), tuple(map(_hash, sent_first))]
    return lambda n: next((shown[n] for shown in versions if n < len(shown)), "")


def exactly(platform: Sender, document: Document, form: Form, count: int) -> Sequence[Message]:
    """A document as `count` messages: cut after a block if it needs more, filled up if it needs fewer."""
    messages = platform.render(document, form)
    if len(messages) > count:
        heads = range(1, len(document.blocks))
        too_long = bisect_left(
            heads, True, key=lambda blocks: len(platform.render(_head(document, blocks), form)) > count
        )
        messages = platform.render(_head(document, too_long), form) if too_long else messages
    filling = [*platform.render(NOTHING_LEFT, form)] * (count - len(messages))
    return [*messages[:count], *filling]


def _head(document: Document, blocks: int) -> Document:
    """The first blocks of a document, and a sign that there were more."""
    carried = (*document.carried[:blocks], ()) if document.carried else ()
    return replace(document, blocks=(*document.blocks[:blocks], *NOTHING_LEFT.blocks), carried=carried)


def _hash(message: Message) -> str:
    content = json.dumps(message.payload, sort_keys=True)
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
