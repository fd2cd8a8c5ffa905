"""Chats: added, served in another way, allowed, banned, removed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from content.errors import UsageError
from content.i18n import LANGUAGES, Msgid, named, native_name
from content.types import updates_of
from scheduler import membership
from scheduler.actions import sources
from scheduler.actions.audit import UPKEEP, Actor, Change, record
from scheduler.ports import Store, UnitOfWork
from scheduler.timetable.quiet import rezone
from scheduler.timetable.recurrences import find_zone
from scheduler.types import Chat, ChatAccess, ChatKind, OnUnknown, Place

# Why a delivery is cancelled.
REMOVED = Msgid("the chat was removed")
LANGUAGE_NAME = 40  # characters of an unknown language that an error repeats
DECIDED = {
    ChatAccess.DEFAULT: Change.CHAT_DEFAULT,
    ChatAccess.ALLOWED: Change.CHAT_ALLOWED,
    ChatAccess.BANNED: Change.CHAT_BANNED,
}


@dataclass(frozen=True, slots=True)
class Added:
    """A chat that was named to be added; `new`: it was not known before."""

    chat: Chat
    new: bool


@dataclass(frozen=True, slots=True)
class Settings:
    """How a chat is to be served; None leaves a setting as it is, an empty text means the deployment's.

    The language is one that `i18n.named` knows. That of a private chat is also the person's: in it are all
    answers that only they see.
    """

    language: str | None = None
    timezone: str | None = None
    on_unknown: OnUnknown | None = None
    crosspost: bool | None = None


def zone_of(chat: Chat | None, default: str) -> str:
    """The time zone that people mean in a chat, or where no chat is named: the deployment's."""
    return (chat.timezone if chat else "") or default


async def add(
    work: UnitOfWork, by: Actor, place: Place, kind: ChatKind, now: datetime, title: str = ""
) -> Added:
    """The chat at a place, made if it is new. It may use the bot from now on, unless it is banned."""
    known = await work.chats.find(place)
    chat = await work.chats.ensure(place, title=title, kind=None if known else kind)
    if chat.access is ChatAccess.DEFAULT:
        await work.chats.set_access(chat.id, ChatAccess.ALLOWED)
        chat = replace(chat, access=ChatAccess.ALLOWED)
        await record(work, by, Change.CHAT_ALLOWED if known else Change.CHAT_ADDED, now, chat=chat)
    return Added(chat, known is None)


async def arrived(work: UnitOfWork, place: Place, title: str, kind: ChatKind, now: datetime) -> Chat:
    """The chat that writes to us, with the title that it has there. One that was gone is back."""
    chat = await work.chats.ensure(place, title=title, kind=kind)
    await membership.reactivate(work, chat, now)
    return chat


async def change(
    work: UnitOfWork, by: Actor, chat: Chat, settings: Settings, now: datetime, *, can_publish: bool = False
) -> Chat | None:
    """Serve a chat as `settings` say; None if nothing changes by that.

    `can_publish`: its platform has channels that are published. Raises UsageError and NotUnderstood.
    """
    language = settings.language and _language(settings.language)
    if settings.crosspost and not can_publish:
        raise UsageError(
            "{chat} is not an announcement channel of Discord: only those can publish", chat=str(chat.place)
        )
    zone = find_zone(settings.timezone) if settings.timezone else settings.timezone
    before = await _again(work, chat)
    if language and before.kind is ChatKind.PRIVATE and by.place == before.place:
        await work.people.writes_in(by.name, before.id)
    changed = replace(
        before,
        language=before.language if language is None else language,
        timezone=before.timezone if zone is None else zone,
        on_unknown=settings.on_unknown or before.on_unknown,
        crosspost=before.crosspost if settings.crosspost is None else settings.crosspost,
    )
    if changed == before:
        return None
    await work.chats.save(changed)
    if changed.timezone != before.timezone and changed.timezone:
        await rezone(work, before, changed, now)
    await record(work, by, Change.CHAT_SET, now, _differences(before, changed), chat=changed)
    return changed


async def decide(
    work: UnitOfWork, by: Actor, place: Place, kind: ChatKind, access: ChatAccess, now: datetime
) -> Sequence[Chat]:
    """Allow or ban a chat, added if it is new, with its topics; returns them. Raises UsageError."""
    if access is ChatAccess.BANNED and kind is ChatKind.TERMINAL:
        raise UsageError("the terminal cannot be banned: the person at it runs Skywave")
    if await work.chats.find(place) is None:
        await work.chats.ensure(place, kind=kind)
    changed = await membership.grant(work, place, access, now)
    for chat in changed:
        await record(work, by, DECIDED[access], now, chat=chat)
    return changed


def check_removable(chats: Sequence[Chat]) -> None:
    """Raises UsageError if the terminal is among them."""
    if any(chat.kind is ChatKind.TERMINAL for chat in chats):
        raise UsageError("The terminal cannot be removed: the updates that operators write belong to it.")


async def remove(store: Store, by: Actor, place: Place, now: datetime) -> int:
    """Forget a chat, or a place with all its topics, and cancel their deliveries; returns how many.

    Nothing is left that names it, not in the audit either. Private sources that it followed alone are
    removed by upkeep. Raises UsageError.
    """
    async with store.read() as work:
        chats = await membership.named(work, place)
        check_removable(chats)
        own = [await work.sources.by_url(updates_of(str(chat.place))) for chat in chats]
    cancelled = 0
    for source in filter(None, own):
        cancelled += await sources.remove(store, by, source.id, now) or 0
    async with store.write() as work:
        chats = await membership.named(work, place)
        for chat in chats:
            cancelled += await work.outbox.cancel(REMOVED, now, chat_id=chat.id)
        await work.chats.remove([chat.id for chat in chats])
        for chat in chats:
            await work.audit.forget(str(chat.place))
            await work.audit.forget(repr(chat.place))  # as `chats set` named it once
        await record(work, _unnamed(by, chats), Change.CHAT_REMOVED, now)
        await work.commit()
    return cancelled


def _unnamed(by: Actor, chats: Sequence[Chat]) -> Actor:
    """Who removes a chat, without its name: a person's private chat is called like the person."""
    return UPKEEP if by.name in [str(chat.place) for chat in chats] else Actor(by.name)


async def topics_of(work: UnitOfWork, chat: Chat) -> int:
    """How many topics are removed with a chat."""
    return len(await membership.named(work, chat.place)) - 1


async def _again(work: UnitOfWork, chat: Chat) -> Chat:
    """The chat as it is stored now: it may have been read in an earlier transaction."""
    return await work.chats.get(chat.id) or chat


def _language(name: str) -> str:
    """The code of the language that a person names. Raises UsageError."""
    if language := named(name):
        return language
    raise UsageError(
        "“{language}” is not a language of Skywave: use {languages}",
        language=name[:LANGUAGE_NAME],
        languages=", ".join(map(native_name, LANGUAGES)),
    )


def _differences(before: Chat, after: Chat) -> str:
    names = ("language", "timezone", "on_unknown", "crosspost")
    changed = [name for name in names if getattr(before, name) != getattr(after, name)]
    return ", ".join(f"{name} {getattr(after, name) or 'default'}" for name in changed)
