"""Updates stored chats when Telegram's chats appear, disappear, move or are renamed, or topics close."""

from dataclasses import replace

from bot.platforms.telegram.events import MembershipEvent, TopicEvent, Where
from bot.platforms.telegram.limits import NAME
from bot.platforms.types import Wiring
from content.i18n import supported
from scheduler import membership
from scheduler.log import Logger
from scheduler.types import ChatState, Place

log = Logger(__name__)


async def membership_changed(event: MembershipEvent, wiring: Wiring) -> bool:
    """The bot was added, removed, blocked or unblocked; returns whether the chat is new or is back."""
    place, now = event.where.place, wiring.clock.now()
    async with wiring.store.write() as work:
        known = await work.chats.find(place)
        if event.present:
            chat = await work.chats.ensure(place, title=event.where.title, kind=event.where.kind)
            if known is None and (language := supported(event.who.locale)):
                # That of the person who added the bot.
                await work.chats.save(replace(chat, language=language))
            await membership.reactivate_address(work, NAME, place.address, now)
            if event.hindrance and (hindered := await work.chats.find(place)):
                await membership.pause(work, hindered, str(event.hindrance))
        else:
            await membership.deactivate_address(work, NAME, place.address, event.reason, now)
        await work.commit()
    log.info("chat.membership", chat=str(place), present=event.present)
    wiring.wake()
    return event.arrived and (known is None or known.state is ChatState.GONE)


async def gone(place: Place, reason: str, wiring: Wiring) -> None:
    """A send failed because the chat is gone: deactivate it."""
    async with wiring.store.write() as work:
        await membership.deactivate_address(work, NAME, place.address, reason, wiring.clock.now())
        await work.commit()


async def moved(old: str, new: str, wiring: Wiring) -> None:
    """A group became a supergroup, which has a new id."""
    async with wiring.store.write() as work:
        await work.chats.move(NAME, old, new)
        await work.commit()
    log.info("chat.moved", chat=f"{NAME}:{old}", to=f"{NAME}:{new}")
    wiring.wake()


async def topic_changed(event: TopicEvent, wiring: Wiring) -> None:
    """A topic was closed or reopened. A closed one is paused only if it has subscriptions."""
    async with wiring.store.write() as work:
        chat = await work.chats.find(event.where.place)
        if chat is None:
            return
        if not event.closed:
            await membership.reactivate(work, chat, wiring.clock.now())
        elif await work.subscriptions.of(chat.id):
            await membership.pause_topic(work, chat, membership.TOPIC_CLOSED, wiring.clock.now())
        await work.commit()
    wiring.wake()


async def renamed(where: Where, wiring: Wiring) -> None:
    """A chat or a topic has a new title. Chats that are not stored are ignored."""
    async with wiring.store.write() as work:
        if await work.chats.find(where.place) is not None:
            await work.chats.ensure(where.place, title=where.title)
            await work.commit()
