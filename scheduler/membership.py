"""What happens to chats: they vanish, return, move, lose a topic. All of it in one unit of work each."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from content.i18n import Msgid
from scheduler.ports import UnitOfWork
from scheduler.types import Broadcast, BroadcastKind, Chat, ChatAccess, ChatKind, ChatState, Place

# Why a post was left out that had waited for a digest.
AWAY = "the chat was away"
# Why what waited for a chat is not sent.
BANNED = "the chat was banned"
# What the chat around a topic is told, and why.
TOPIC_PAUSED = Msgid("{topic}: {reason}. What was to be sent there waits.")
TOPIC_CLOSED, TOPIC_GONE = Msgid("the topic was closed"), Msgid("the topic is gone")

NO_VALUES: Mapping[str, str | int] = {}


async def deactivate(work: UnitOfWork, chat: Chat, reason: str, now: datetime) -> None:
    """A chat is gone: nothing more is sent there, its settings stay."""
    await work.chats.set_state(chat.id, ChatState.GONE, reason)
    await work.outbox.cancel(reason, now, chat_id=chat.id)


async def deactivate_address(
    work: UnitOfWork, platform: str, address: str, reason: str, now: datetime
) -> None:
    """An address is gone, with all its topics."""
    for chat in await work.chats.at(platform, address):
        await deactivate(work, chat, reason, now)


async def reactivate_address(work: UnitOfWork, platform: str, address: str, now: datetime) -> None:
    """An address is back: its subscriptions go on with the next post; what was paused is tried again."""
    for chat in await work.chats.at(platform, address):
        await reactivate(work, chat, now)


async def reactivate(work: UnitOfWork, chat: Chat, now: datetime) -> None:
    if chat.state is ChatState.GONE:
        await _forget_missed(work, chat)
    if chat.state is not ChatState.ACTIVE:
        await work.chats.set_state(chat.id, ChatState.ACTIVE, "")
        await work.outbox.postpone_chat(chat.id, now, "")


async def _forget_missed(work: UnitOfWork, chat: Chat) -> None:
    """What appeared while a chat got nothing is old news to it."""
    _, missed = await work.digests.waiting(chat.id, 0)
    await work.outbox.skip(chat.id, missed, AWAY)
    await work.subscriptions.restart(chat.id)


async def named(work: UnitOfWork, place: Place) -> Sequence[Chat]:
    """The known chat of a place, and all topics of one that is named without a topic."""
    at_address = await work.chats.at(place.platform, place.address)
    return [chat for chat in at_address if not place.topic or chat.place == place]


async def grant(work: UnitOfWork, place: Place, access: ChatAccess, now: datetime) -> Sequence[Chat]:
    """Set what a known chat may do, and all topics of one that is named without a topic; returns them."""
    changed = await named(work, place)
    for chat in changed:
        await work.chats.set_access(chat.id, access)
        if access is ChatAccess.BANNED:
            await work.outbox.cancel(BANNED, now, chat_id=chat.id)
        elif chat.access is ChatAccess.BANNED:
            await _forget_missed(work, chat)
    return changed


async def pause(work: UnitOfWork, chat: Chat, reason: str) -> bool:
    """A chat cannot be written to for now: what waits is kept. False if it could not be before.

    What failed may have been on its way while the chat was found to be gone, or paused with a reason that
    says more.
    """
    now = await work.chats.get(chat.id)
    if now is None or now.state is not ChatState.ACTIVE:
        return False
    await work.chats.set_state(chat.id, ChatState.PAUSED, reason)
    return True


async def pause_topic(work: UnitOfWork, chat: Chat, reason: str, now: datetime) -> None:
    """One topic cannot be written to for now: the chat around it is told, once."""
    if await pause(work, chat, reason):
        around = Place(chat.place.platform, chat.place.address)
        values = {"topic": chat.name, "reason": reason}
        await notify(work, around, TOPIC_PAUSED, now, chat.kind, values)


async def notify(
    work: UnitOfWork,
    place: Place,
    text: str,
    now: datetime,
    kind: ChatKind | None = None,
    values: Mapping[str, str | int] = NO_VALUES,
) -> None:
    """Send a text of Skywave's own to a chat, through the outbox like everything else.

    The text is a msgid, and the chat reads it in its language; `values` fill its fields.
    """
    chat = await work.chats.ensure(place, kind=kind)
    notice = await work.outbox.broadcast(Broadcast(BroadcastKind.NOTICE, body=text, values=values), now)
    if notice is not None:
        await work.outbox.deliver(notice, chat.id, now)
