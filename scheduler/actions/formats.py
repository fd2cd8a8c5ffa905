"""How posts look in a chat: its choices, and those of its subscriptions."""

from collections.abc import Sequence
from datetime import datetime

from content.errors import UsageError
from content.formats import CHOICES, RESET, Changes, Format
from content.i18n import Msgid
from content.types import Source
from scheduler.actions.audit import Actor, Change, record
from scheduler.actions.following import ALL
from scheduler.ports import UnitOfWork
from scheduler.types import Chat, Subscription


async def choose(work: UnitOfWork, by: Actor, chat: Chat, changes: Changes, now: datetime) -> Format:
    """Change the choices of a chat; returns them as they are now."""
    before = (await work.chats.get(chat.id) or chat).choices
    after = changes.applied(before)
    if after != before:
        await work.chats.set_choices(chat.id, after)
        await record(work, by, Change.FORMAT, now, _told(after), chat=chat)
    return after


async def choose_for(
    work: UnitOfWork, by: Actor, chat: Chat, source: Source | None, changes: Changes, now: datetime
) -> Format:
    """The same for a chat's subscription to a source (None: to all public ones). Raises UsageError."""
    subscription = await subscription_to(work, chat, source)
    name = source.name if source else ALL
    wrong = next((name for name in changes.chosen.chosen if CHOICES[name].of_chat), None)
    if wrong:
        phrase = CHOICES[wrong].phrases[changes.chosen.chosen[wrong]]
        raise UsageError("“{phrase}” can only be chosen for a whole chat, not for one source", phrase=phrase)
    after = changes.applied(subscription.choices)
    if after != subscription.choices:
        await work.subscriptions.set_choices(chat.id, subscription.source_id, after)
        await record(work, by, Change.FORMAT, now, f"{name}: {_told(after)}", chat=chat)
    return after


async def subscription_to(work: UnitOfWork, chat: Chat, source: Source | None) -> Subscription:
    """A chat's subscription to a source (None: to all public ones). Raises UsageError."""
    wanted = source.id if source else None
    for subscription in await work.subscriptions.of(chat.id):
        if subscription.source_id == wanted:
            return subscription
    name = source.name if source else Msgid("all sources")
    raise UsageError("There is no subscription to “{name}” here: subscribe to it first.", name=name)


async def of_subscriptions(work: UnitOfWork, chat: Chat) -> Sequence[tuple[str, Format]]:
    """The subscriptions of a chat that have choices of their own, by the names of their sources."""
    names = {source.id: source.name for source in await work.sources.visible_to(chat.id)}
    return [
        (names.get(one.source_id or 0, ALL), one.choices)
        for one in await work.subscriptions.of(chat.id)
        if one.choices.chosen
    ]


def _told(choices: Format) -> str:
    return ", ".join(choices.phrases) or RESET
