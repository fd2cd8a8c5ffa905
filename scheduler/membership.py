"""Changes of a chat's state: it disappears, returns, is paused or loses a topic. Each in one unit of work."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from content.i18n import Msgid
from scheduler.ports import UnitOfWork
from scheduler.types import Broadcast, BroadcastKind, Chat, ChatAccess, ChatKind, ChatState, Place

# Why a post that waited for a digest, or for the end of quiet hours, is not sent.
AWAY = "the chat was away"
# Why a delivery is cancelled.
BANNED = Msgid("the chat was banned")
# The notice to the group of a topic that cannot be written to, and the reasons.
TOPIC_PAUSED = Msgid("“{topic}”: {reason}. Posts are queued until it can be written to again.")
TOPIC_CLOSED, TOPIC_GONE = Msgid("the topic was closed"), Msgid("the topic is gone")

NO_VALUES: Mapping[str, str | int] = {}


async def deactivate(work: UnitOfWork, chat: Chat, reason: str, now: datetime) -> None:
    """Mark a chat as gone and cancel its deliveries; its settings stay."""
    await work.chats.set_state(chat.id, ChatState.GONE, reason)
    await work.outbox.cancel(reason, now, chat_id=chat.id)


async def deactivate_address(
    work: UnitOfWork, platform: str, address: str, reason: str, now: datetime
) -> None:
    """Deactivate the chat of an address that is gone, and all its topics."""
    for chat in await work.chats.at(platform, address):
        await deactivate(work, chat, reason, now)


async def reactivate_address(work: UnitOfWork, platform: str, address: str, now: datetime) -> None:
    """Reactivate the chat of an address and all its topics.

    Subscriptions of a chat that was gone continue with the next post; deliveries of a paused one are retried.
    """
    for chat in await work.chats.at(platform, address):
        await reactivate(work, chat, now)


async def reactivate(work: UnitOfWork, chat: Chat, now: datetime) -> None:
    if chat.state is ChatState.GONE:
        await _forget_missed(work, chat)
    if chat.state is not ChatState.ACTIVE:
        await work.chats.set_state(chat.id, ChatState.ACTIVE, "")
        await work.outbox.postpone_chat(chat.id, now, "")


async def _forget_missed(work: UnitOfWork, chat: Chat) -> None:
    """Skip the posts that appeared while a chat was gone or banned."""
    await work.outbox.skip(chat.id, await work.digests.unsent(chat.id), AWAY)
    await work.subscriptions.restart([one.id for one in await work.subscriptions.of(chat.id)])


async def named(work: UnitOfWork, place: Place) -> Sequence[Chat]:
    """The stored chat of a place; for a place without a topic, also all topics of the chat."""
    at_address = await work.chats.at(place.platform, place.address)
    return [chat for chat in at_address if not place.topic or chat.place == place]


async def grant(work: UnitOfWork, place: Place, access: ChatAccess, now: datetime) -> Sequence[Chat]:
    """Set the access of a stored chat, and without a topic also of all its topics; returns these chats."""
    changed = await named(work, place)
    for chat in changed:
        await work.chats.set_access(chat.id, access)
        if access is ChatAccess.BANNED:
            await work.outbox.cancel(BANNED, now, chat_id=chat.id)
        elif chat.access is ChatAccess.BANNED:
            await _forget_missed(work, chat)
    return changed


async def pause(work: UnitOfWork, chat: Chat, reason: str) -> bool:
    """Pause a chat that cannot be written to for now; its deliveries stay queued.

    False if it is no longer active. Then nothing changes: it is gone, or paused with a more precise reason.
    """
    now = await work.chats.get(chat.id)
    if now is None or now.state is not ChatState.ACTIVE:
        return False
    await work.chats.set_state(chat.id, ChatState.PAUSED, reason)
    return True


async def pause_topic(work: UnitOfWork, chat: Chat, reason: str, now: datetime) -> None:
    """Pause a topic that cannot be written to for now, and send one notice to its group."""
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
    """Send a notice of Skywave's own to a chat, through the outbox like any other delivery.

    `text` is a msgid, which is translated to the chat's language; `values` fill its fields. In quiet hours it
    waits for their end.
    """
    chat = await work.chats.ensure(place, kind=kind)
    notice = await work.outbox.broadcast(Broadcast(BroadcastKind.NOTICE, body=text, values=values), now)
    if notice is not None:
        await work.outbox.deliver(notice, chat.id, chat.after_quiet(now))
