"""Answers to "why" as sentences in the reader's language."""

from collections.abc import Iterator, Mapping

from content import present
from content.document import Document, Heading, Paragraph, Strong, Text, link, text
from content.i18n import Msgid, Translator
from content.present import Look
from content.secrets import without_secrets
from content.text import excerpt
from scheduler.actions.why import Answer, Because, MessageAnswer
from scheduler.history import Item
from scheduler.types import BroadcastKind, Delivery, PartState

# Posts of a message that are named; pages of Telegram hold as many.
NAMED = 11

SENTENCES: Mapping[Because, Msgid] = {
    Because.SENT: Msgid("Sent here: {how}."),
    Because.SENDING: Msgid("It is being sent right now."),
    Because.NEXT: Msgid("It is sent next."),
    Because.BEHIND_OTHERS: Msgid("It waits behind earlier deliveries to this chat: {ahead}."),
    Because.LATER: Msgid("It is queued until {until}: {reason}"),
    Because.CHAT_PAUSED: Msgid("This chat cannot be written to: {reason}. The next attempt is on {until}."),
    Because.DIGEST: Msgid("It comes with the next digest, on {until}."),
    Because.DIGEST_PAUSED: Msgid("It comes with a digest that is paused."),
    Because.QUIET: Msgid("It waits for the end of the quiet hours, on {until}."),
    Because.FAILED: Msgid("It could not be sent: {reason}"),
    Because.HELD: Msgid(
        "It may have arrived. It is not sent again, because this chat wants nothing twice: {reason}"
    ),
    Because.BEYOND_MAXIMUM: Msgid("A digest had more posts than its maximum, so the oldest were left out."),
    Because.BEYOND_QUIET: Msgid("In the quiet hours more posts came than are sent after them."),
    Because.PAUSED: Msgid("It came while the subscription to {source} was paused."),
    Because.AWAY: Msgid("It appeared while this chat could not be sent anything."),
    Because.SAME_STORY: Msgid(
        "The same story came from another source, and this chat wants each story once."
    ),
    Because.SKIPPED: Msgid("It was skipped: {reason}"),
    Because.CANCELLED: Msgid("It was queued, then cancelled: {reason}."),
    Because.BANNED: Msgid("This chat is banned."),
    Because.GONE: Msgid("This chat can no longer be reached: {reason}."),
    Because.EXAMPLE: Msgid("It is an example, and examples are not sent."),
    Because.NOT_FOLLOWED: Msgid("This chat does not follow {source}."),
    Because.PRIVATE: Msgid("{source} is private, and this chat does not follow it."),
    Because.OLD_NEWS: Msgid(
        "It is old news: {source} had it before it was added here, or brought it from its archive."
    ),
    Because.FILTERED: Msgid("A filter of this chat left it out: {reason}"),
    Because.BEFORE_SUBSCRIPTION: Msgid(
        "It is older than the subscription to {source}, which starts with the next post."
    ),
    Because.TOO_MANY: Msgid("{source} had many new posts at once, and only the newest of them were sent."),
    Because.MISSED: Msgid("This chat did not follow {source} when it appeared, or cancelled it long ago."),
}


def said(answer: Answer, look: Look) -> Document:
    """The post, and why the chat got it or not."""
    post, tr = answer.post, look.translator
    title = excerpt(post.title, present.TITLE_LENGTH) or tr.t("Untitled post")
    heading = Paragraph(link(post.url, Strong((Text(title),))), tight=True)
    lines = [Paragraph(text(line), tight=True) for line in sentences(answer, look)]
    if other := answer.instead:
        lines.append(Paragraph(link(other.url, Text(_named(other, tr))), tight=True))
    return Document((heading, *lines), single=True)


def said_of_message(found: MessageAnswer, look: Look) -> Document:
    """When and with what a message was sent, and for each of its posts why."""
    if len(found.answers) == 1:
        return said(found.answers[0], look)
    tr = look.translator
    lines = [tr.t("Sent here: {how}.", how=_how(found.delivery, look))]
    lines += [f"• {_named(answer.post, tr)}: {_follows(answer, tr)}" for answer in found.answers[:NAMED]]
    left = len(found.answers) - NAMED
    if left > 0:
        lines.append(tr.n("and {count} more post", "and {count} more posts", left))
    heading = Heading(text(tr.t("Posts of this message")), level=2)
    return Document((heading, *(Paragraph(text(line), tight=True) for line in lines)), single=True)


def sentences(answer: Answer, look: Look) -> Iterator[str]:
    """The answer: what became of the post, and what else explains it."""
    tr, source = look.translator, present.source_name(answer.post.source.name, look.translator)
    yield tr.t(
        SENTENCES[answer.because],
        how=_how(answer.delivery, look),
        ahead=answer.ahead,
        reason=tr.t(without_secrets(answer.reason)) or tr.t("for an unknown reason"),
        until=tr.date(answer.until, look.timezone) if answer.until else tr.t("an unknown date"),
        source=source,
    )
    if answer.because is Because.SENT:
        yield _follows(answer, tr)
        unknowns = sum(part.unknowns for part in answer.delivery.parts) if answer.delivery else 0
        if unknowns:
            yield tr.t("It is not certain how often it arrived: a message was sent again without an answer.")
    if answer.instead:
        yield tr.t("It came from {source}:", source=present.source_name(answer.instead.source.name, tr))
    if answer.by_twin:
        yield _through(answer.twin, tr)
    if answer.post.withdrawn:
        yield tr.t("The source has withdrawn this post.")


def _through(twin: Item | None, tr: Translator) -> str:
    if twin is None:
        return tr.t("That was the same post of another source, which was deleted since.")
    return tr.t("That is about the same post of {source}.", source=present.source_name(twin.source.name, tr))


def _how(delivery: Delivery | None, look: Look) -> str:
    """When a delivery was sent, and what it was."""
    tr = look.translator
    if delivery is None:
        return tr.t("too long ago for details")
    began = [part.begun_at for part in delivery.parts if part.begun_at and part.state is PartState.SENT]
    when = tr.date(max(began), look.timezone) if began else tr.t("an unknown date")
    broadcast = delivery.broadcast
    if broadcast.digest_id is not None and broadcast.slot:
        slot = tr.date(broadcast.slot, look.timezone)
        return tr.t("{when}, with the digest of {slot}", when=when, slot=slot)
    if broadcast.kind is BroadcastKind.EDITION:
        return tr.n("{when}, with {count} post", "{when}, with {count} posts", len(delivery.posts), when=when)
    return when


def _follows(answer: Answer, tr: Translator) -> str:
    """By which subscription the chat gets the posts of this source now."""
    post = answer.post if answer.twin is None else answer.twin
    source, follows = present.source_name(post.source.name, tr), post.subscription
    if follows is None:
        return tr.t("This chat no longer follows {source}.", source=source)
    if follows.source_id is None:
        return tr.t("This chat follows all public sources, so also {source}.", source=source)
    return tr.t("This chat follows {source}.", source=source)


def _named(post: Item, tr: Translator) -> str:
    return excerpt(post.title, present.TITLE_LENGTH) or tr.t("Untitled post")
