"""Why a chat got a post, or did not get it: one pure decision over what is stored."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from content.changes import key_of_url
from content.errors import NotFound
from content.types import Visibility
from content.urls import is_web_url
from scheduler import membership
from scheduler.actions import searching
from scheduler.history import History, Item, LedgerEntry, MessagePlace
from scheduler.ports import UnitOfWork
from scheduler.stories import STORY
from scheduler.timetable import digests as timetable
from scheduler.timetable import quiet
from scheduler.types import Chat, ChatAccess, ChatState, Delivery, DeliveryState, LedgerState


class Because(StrEnum):
    """What became of a post in a chat. Exactly one of them is true at a time."""

    # In the chat.
    SENT = "sent"
    # On its way.
    SENDING = "being sent"
    NEXT = "sent next"
    BEHIND_OTHERS = "behind other deliveries"
    LATER = "due later"  # after a failed attempt, or because a limit was reached
    CHAT_PAUSED = "the chat cannot be written to"
    DIGEST = "waits for the digest"
    DIGEST_PAUSED = "waits for a paused digest"
    QUIET = "waits for the end of quiet hours"
    # Not in the chat, and it will not come.
    FAILED = "failed"
    HELD = "held"  # it may have arrived, and the chat does not want anything twice
    BEYOND_MAXIMUM = "beyond the digest's maximum"
    BEYOND_QUIET = "beyond the maximum after quiet hours"
    PAUSED = "the subscription was paused"
    AWAY = "the chat was away"
    SAME_STORY = "the same story came from another source"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    BANNED = "the chat is banned"
    GONE = "the chat is gone"
    EXAMPLE = "example posts are not sent"
    NOT_FOLLOWED = "not followed"
    PRIVATE = "the source is private"
    OLD_NEWS = "old news when its source was added"
    FILTERED = "the filter leaves it out"
    BEFORE_SUBSCRIPTION = "before the subscription"
    TOO_MANY = "beyond the maximum of an edition"
    MISSED = "not followed when it came"


# Why the ledger says that a post was skipped.
SKIPPED_FOR = {
    timetable.SKIPPED: Because.BEYOND_MAXIMUM,
    quiet.BEYOND: Because.BEYOND_QUIET,
    quiet.PAUSED: Because.PAUSED,
    membership.AWAY: Because.AWAY,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """Why a chat got a post or not. `reason` is what the platform or Skywave said, in English.

    `post` is what was asked for. `by_twin`: it is about the same post of another source, `twin`, unless that
    was deleted since.
    `until`: when it is tried or looked at next. `ahead`: deliveries that go before it. `delivery` is what it
    came with, comes with, or was cancelled with. `instead` is the post by which the same story came, unless
    that was deleted since.
    """

    because: Because
    post: Item
    reason: str = ""
    until: datetime | None = None
    ahead: int = 0
    delivery: Delivery | None = None
    by_twin: bool = False
    twin: Item | None = None
    instead: Item | None = None


@dataclass(frozen=True, slots=True)
class MessageAnswer:
    """A message that the bot sent: its delivery, and the answer for each post in it."""

    delivery: Delivery
    answers: Sequence[Answer]


def decide(history: History, now: datetime) -> Answer:
    """The one answer for a post and a chat."""
    if history.entry is not None:
        return _in_ledger(history, history.entry, now)
    chat, post = history.chat, history.post
    if not chat.gets_nothing and (waiting := _waiting(history)):
        answer = _until(history, waiting)
        return answer if waiting is post else replace(answer, by_twin=True, twin=waiting)
    own = history.cancelled.get(post.id)
    if own and not post.rejected:  # it may have been an edition without this post
        return Answer(Because.CANCELLED, post, own.reason, delivery=own)
    because = _unpromised(history)
    if because is Because.CANCELLED:
        # It had no delivery of its own, because one of a twin was on its way.
        twin = next(item for item in history.twins if item.id in history.cancelled)
        theirs = history.cancelled[twin.id]
        return Answer(Because.CANCELLED, post, theirs.reason, delivery=theirs, by_twin=True, twin=twin)
    reasons = {Because.GONE: chat.reason, Because.FILTERED: post.rejected}
    return Answer(because, post, reasons.get(because, ""))


def _waiting(history: History) -> Item | None:
    """The post that the next digest would take of those with the same key: the first."""
    waiting = [item for item in (history.post, *history.twins) if item.waits(history.chat)]
    return min(waiting, key=lambda item: item.id, default=None)


def _until(history: History, waiting: Item) -> Answer:
    """What a post waits for, and until when."""
    digest = history.digests.get(waiting.subscription.digest_id or 0) if waiting.subscription else None
    if digest is None:
        return Answer(Because.QUIET, history.post, until=history.chat.quiet_until)
    if digest.paused:
        return Answer(Because.DIGEST_PAUSED, history.post)
    return Answer(Because.DIGEST, history.post, until=digest.next_run_at)


def _in_ledger(history: History, entry: LedgerEntry, now: datetime) -> Answer:
    delivery, reason = history.delivery, entry.reason or (history.delivery.reason if history.delivery else "")
    answer = Answer(
        Because.SENT,
        history.post,
        reason,
        delivery=delivery,
        by_twin=entry.post_id != history.post.id,
        twin=next((item for item in history.twins if item.id == entry.post_id), None),
    )
    match entry.state:
        case LedgerState.SENT:
            return answer
        case LedgerState.SKIPPED if entry.reason == STORY:
            return replace(
                answer, because=Because.SAME_STORY, by_twin=False, twin=None, instead=history.instead
            )
        case LedgerState.SKIPPED:
            return replace(answer, because=SKIPPED_FOR.get(entry.reason, Because.SKIPPED))
        case LedgerState.FAILED:
            held = delivery is not None and delivery.state is DeliveryState.HELD
            return replace(answer, because=Because.HELD if held else Because.FAILED)
        case LedgerState.RESERVED:
            because, until = _open(history, now)
            reason = history.chat.reason if because is Because.CHAT_PAUSED else reason
            return replace(answer, because=because, reason=reason, until=until, ahead=history.ahead)


def _open(history: History, now: datetime) -> tuple[Because, datetime | None]:
    """What an open delivery waits for, and until when."""
    delivery = history.delivery
    if delivery is None:
        return Because.NEXT, None
    if delivery.state is DeliveryState.CLAIMED:
        return Because.SENDING, None
    if history.chat.state is ChatState.PAUSED:
        return Because.CHAT_PAUSED, delivery.due_at
    if delivery.due_at > now:
        return Because.LATER, delivery.due_at
    return (Because.BEHIND_OTHERS if history.ahead else Because.NEXT), None


def _unpromised(history: History) -> Because:
    """Why the chat's ledger knows nothing of a post, the strongest reason first."""
    chat, post = history.chat, history.post
    if chat.access is ChatAccess.BANNED:
        return Because.BANNED
    if chat.state is ChatState.GONE:
        return Because.GONE
    if post.source.visibility is Visibility.EXAMPLE:
        return Because.EXAMPLE
    if post.subscription is None:
        private = post.source.visibility is Visibility.PRIVATE
        return Because.PRIVATE if private else Because.NOT_FOLLOWED
    if post.is_old_news:
        return Because.OLD_NEWS
    if post.rejected:
        return Because.FILTERED
    if post.followed and any(item.id in history.cancelled for item in history.twins):
        return Because.CANCELLED
    if post.id <= post.subscription.starts_after:
        return Because.AWAY if post.followed and post.away else Because.BEFORE_SUBSCRIPTION
    if post.is_paused:
        return Because.PAUSED
    return Because.MISSED if post.broadcast else Because.TOO_MANY


async def about(work: UnitOfWork, chat: Chat, posts: Collection[int], now: datetime) -> Sequence[Answer]:
    """The answers for posts and a chat, whatever the chat may see."""
    return [decide(history, now) for history in await work.history.of(chat.id, posts)]


async def about_visible(work: UnitOfWork, chat: Chat, posts: Collection[int], now: datetime) -> Answer:
    """The answer for the first of these posts that a chat may see or was sent. Raises NotFound.

    One that the chat follows goes before others: several sources may have a post with the same link.
    """
    answers = await about(work, chat, posts, now)
    known = [one for one in answers if one.post.visible or one.because is Because.SENT]
    if not known:
        raise NotFound("No such post is known here.")
    return next((one for one in known if one.post.subscription), known[0])


async def about_message(work: UnitOfWork, message: MessagePlace, now: datetime) -> MessageAnswer | None:
    """Why a message was sent; None if it carried no post, or is too old."""
    delivery = await work.history.message(message)
    if delivery is None:
        return None
    sent = [part for part in delivery.parts if part.sent and message.message_id in part.sent.message_ids]
    posts = dict.fromkeys(post for part in sent for post in part.posts)
    return MessageAnswer(delivery, await about(work, delivery.chat, posts, now))


async def meant(work: UnitOfWork, wanted: str, chat: Chat | None = None) -> Sequence[int]:
    """The posts at a link, however it is spelt, newest first, or the best hit for words of a title.

    Some of those at a link may be hidden from the chat. Raises NoWords, UsageError.
    """
    if is_web_url(wanted):
        return await work.history.with_key(key_of_url(wanted))
    return (await searching.find(work, wanted, 1, chat)).ids
