"""/manage: a chat is managed from another one, by somebody who administers it.

The chosen chat is stored for the person and the place where they speak. A button of an answer names the chat
that the answer is about, so an old button never means another one. The platform is asked at each command and
press.
"""

import re
from dataclasses import replace

from bot.commands.types import Button, Call, Reply, Request, Services
from bot.numbers import number
from content import present
from content.document import Paragraph, Strong, text
from content.errors import NotFound, UsageError
from content.i18n import LANGUAGES, Msgid, Translator
from scheduler.ports import UnitOfWork
from scheduler.types import Chat, Place

PREFIX = "x"  # of a button that chooses a chat; its number follows
DONE = Msgid("done")
# The data of a button in an answer about another chat: its number, then what the button does there.
ABOUT = re.compile(r"@([0-9]{1,15}):(.+)", re.DOTALL)
DATA_LENGTH = 64  # bytes
# How many of a person's last changes are looked at for chats, and how many chats are offered.
LOOKED_AT, OFFERED = 200, 8

NO_ADMIN = Msgid("You are not an admin of that chat any more. To go on here, send /manage done.")


async def manage(request: Request, services: Services) -> Reply:
    """Choose the chat that the person's next commands here are about, or end that. Raises NotFound."""
    t, name = request.translator.t, request.arguments.strip()
    if not name:
        return await _offer(request, services)
    if name.lower() in {Translator(language).t(DONE).lower() for language in LANGUAGES}:
        await _store(request, services, None)
        return Reply(present.notice(t("Your commands are about this chat again.")))
    if request.call.reach is None:
        raise UsageError(t("Please send this from your own account."))
    place = await request.call.reach.find(name)
    async with services.store.read() as work:
        chat = await work.chats.find(place) if place else None
    # The answer is the same whether a chat is unknown or not the person's.
    if chat is None or not await administers(request.call, chat):
        raise NotFound(t("There is no chat of that name that you administer and the bot is in."))
    return await _chosen(chat, request, services)


async def choose(data: str, request: Request, services: Services) -> Reply | None:
    """Choose the chat that a button names. Raises NotFound."""
    target_id = number(data.partition(":")[2])
    if target_id is None:
        return None
    async with services.store.read() as work:
        chat = await work.chats.get(target_id)
    if chat is None or not await administers(request.call, chat):
        raise NotFound(request.translator.t(NO_ADMIN))
    return await _chosen(chat, request, services)


async def administers(call: Call, chat: Chat) -> bool:
    """Whether the platform says that the person administers a chat."""
    same = chat.place.platform == call.place.platform
    return same and call.reach is not None and await call.reach.administers(chat.place)


async def _offer(request: Request, services: Services) -> Reply:
    t = request.translator.t
    async with services.store.read() as work:
        chats = await _changed_by(request.call, work)
    found = [chat for chat in chats if await administers(request.call, chat)][:OFFERED]
    rows = tuple((Button(chat.name, f"{PREFIX}:{chat.id}"),) for chat in found)
    how = t("Name a channel or group that you administer: {example}", example="/manage @channel")
    ask = t("Which chat do you want to manage from here?")
    return Reply(present.notice(f"{ask}\n{how}" if rows else how), rows)


async def _changed_by(call: Call, work: UnitOfWork) -> list[Chat]:
    """The other chats that a person changed something in, the last one first."""
    entries = await work.audit.newest(LOOKED_AT, actor=call.actor)
    platform = call.place.platform
    names = dict.fromkeys(entry.target.partition(" ")[0] for entry in entries)
    chats = []
    for name in names:
        address, _, topic = name.removeprefix(f"{platform}:").partition("/")
        chat = await work.chats.find(Place(platform, address, topic))
        if chat is not None and chat.place != call.place:
            chats.append(chat)
    return chats


async def _chosen(chat: Chat, request: Request, services: Services) -> Reply:
    await _store(request, services, chat)
    t = request.translator.t
    done = t("Your next commands here are about {chat}, until you send /manage done.", chat=chat.name)
    return Reply(present.notice(done))


async def _store(request: Request, services: Services, target: Chat | None) -> None:
    async with services.store.write() as work:
        target_id = target.id if target else None
        await work.people.manage(request.call.actor, request.chat.id, target_id)
        await work.commit()


# For the router


def about(data: str) -> tuple[int | None, str]:
    """The chat that a button's data names, and the data without it."""
    found = ABOUT.fullmatch(data)
    return (int(found[1]), found[2]) if found else (None, data)


def there(call: Call, chat: Chat) -> Call:
    """The call as if it were given in another chat."""

    async def is_chat_admin() -> bool:
        return True

    return replace(
        call, place=chat.place, kind=chat.kind, title=chat.title, is_chat_admin=is_chat_admin, hindrance=None
    )


def dressed(reply: Reply, chat: Chat) -> Reply:
    """An answer about another chat: it names the chat, and its buttons do so too."""
    head = Paragraph((Strong(text(f"▸ {chat.name}")),))
    document = replace(reply.document, blocks=(head, *reply.document.blocks))
    return replace(reply, document=document, rows=tuple(_about(row, chat) for row in reply.rows))


def _about(row: tuple[Button, ...], chat: Chat) -> tuple[Button, ...]:
    """The buttons of a row with the chat in their data. One whose data would be too long is left out."""
    named = [one if one.url else replace(one, data=f"@{chat.id}:{one.data}") for one in row]
    return tuple(one for one in named if len(one.sent.encode()) <= DATA_LENGTH)
