"""Updates stored chats when Discord's channels appear, disappear, are renamed or change permissions."""

from collections.abc import Callable, Iterable, Sequence

from bot.platforms.discord.events import title_of
from bot.platforms.discord.limits import NAME
from bot.platforms.discord.rights import Channel, hindrance
from bot.platforms.types import Wiring
from scheduler import membership
from scheduler.ports import UnitOfWork
from scheduler.types import Chat, ChatKind, ChatState

Known = Sequence[tuple[Chat, Channel]]


async def gone(addresses: Iterable[int], reason: str, wiring: Wiring) -> None:
    """Deactivate the chats of channels that were deleted, or whose server the bot has left."""
    async with wiring.store.read() as work:
        known = [number for number in addresses if await work.chats.at(NAME, str(number))]
    if known:
        async with wiring.store.write() as work:
            for number in known:
                await membership.deactivate_address(work, NAME, str(number), reason, wiring.clock.now())
            await work.commit()


async def seen(channels: Iterable[Channel], wiring: Wiring) -> None:
    """Update the chats of channels: titles, channels that are back, and whether the bot may write."""
    async with wiring.store.read() as work:
        known = [(chat, c) for c in channels for chat in await work.chats.at(NAME, str(c.id))]
    await _take_over(known, wiring)


async def seen_all(find: Callable[[int], object], wiring: Wiring) -> None:
    """Update all stored chats of Discord whose channel `find` knows."""
    async with wiring.store.read() as work:
        chats = [chat for chat in await work.chats.all() if chat.place.platform == NAME]
    found = [(chat, find(int(chat.place.address))) for chat in chats]
    await _take_over([(chat, c) for chat, c in found if isinstance(c, Channel)], wiring)


async def _take_over(known: Known, wiring: Wiring) -> None:
    changed = [(chat, channel) for chat, channel in known if _differs(chat, channel)]
    if not changed:
        return
    async with wiring.store.write() as work:
        for chat, channel in changed:
            await _update(work, chat.id, channel, wiring)
        await work.commit()
    wiring.wake()


def _differs(chat: Chat, channel: Channel) -> bool:
    wanted = ChatState.PAUSED if hindrance(channel) else ChatState.ACTIVE
    title = title_of(channel) or chat.title
    return (chat.title, chat.kind, chat.state) != (title, ChatKind.CHANNEL, wanted)


async def _update(work: UnitOfWork, chat_id: int, channel: Channel, wiring: Wiring) -> None:
    chat, reason = await work.chats.get(chat_id), hindrance(channel)
    if chat is None:  # it was merged into another chat since the read
        return
    await work.chats.ensure(chat.place, title=title_of(channel), kind=ChatKind.CHANNEL)
    if chat.state is ChatState.GONE or not reason:
        await membership.reactivate(work, chat, wiring.clock.now())
    if reason:
        await membership.pause(work, chat, str(reason))
