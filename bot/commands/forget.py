"""/forget: erases a chat with all that is stored about it, after a question."""

import json

from bot.access import Act
from bot.commands.types import Button, File, Reply, Request, Services, may
from bot.numbers import number
from content import present
from content.errors import NotFound, UsageError
from content.i18n import Msgid
from scheduler.actions import chats, forgetting
from scheduler.types import Chat, Place

FORGET = "wf"  # prefix of its buttons; a chat and ASK, ERASE or KEEP follow
ASK, ERASE, KEEP = "ask", "erase", "keep"
EXPORT, FILE = "export", "skywave-chat.json"
EXAMPLE = Msgid("Name a chat, for example: {example}")


async def forget(request: Request, services: Services) -> Reply:
    """Ask whether this chat is to be erased, or export its data; operators may name any other.

    Raises UsageError, NotFound.
    """
    first, _, rest = request.arguments.strip().partition(" ")
    if first.casefold() == EXPORT:
        return await _export(await named_chat(rest, request, services), request, services)
    return await _question(await named_chat(request.arguments, request, services), request, services)


async def _export(chat: Chat, request: Request, services: Services) -> Reply:
    async with services.store.read() as work:
        found = await forgetting.exported(work, chat.place)
    content = json.dumps(found, default=str, ensure_ascii=False, indent=1).encode()
    said = request.translator.t("All that is stored about {chat}.", chat=chat.name)
    return Reply(present.notice(said), private=True, file=File(FILE, content))


async def named_chat(word: str, request: Request, services: Services) -> Chat:
    """The chat that an operator names, else this one. Raises UsageError, NotFound."""
    t, word = request.translator.t, word.strip()
    if not word:
        return request.chat
    if not may(Act.OPERATE, request, services):
        raise UsageError(t("Only operators of this bot can name another chat."))
    platform, _, rest = word.partition(":")
    address, _, topic = rest.partition("/")
    if not address:
        raise UsageError(t(EXAMPLE, example=f"/{request.call.name} telegram:-100123"))
    async with services.store.read() as work:
        chat = await work.chats.find(Place(platform, address, topic))
    if chat is None:
        raise NotFound(t("No chat {chat} is known.", chat=word[:60]))
    return chat


async def confirm_forget(data: str, request: Request, services: Services) -> Reply | None:
    """Run a button of the question. Raises UsageError if the chat is none of the person's."""
    _, chat_id, choice = data.split(":") if data.count(":") == 2 else ("", "", "")
    tr, wanted = request.translator, number(chat_id)
    t = tr.t
    if wanted is None or choice not in (ASK, ERASE, KEEP):
        return None
    async with services.store.read() as work:
        chat = await work.chats.get(wanted)
    if chat is None:
        return Reply(present.notice(t("Already handled.")))
    _check(chat, request, services)
    if choice == ASK:
        return await _question(chat, request, services)
    if choice == KEEP:
        return Reply(present.notice(t("Nothing was erased.")))
    cancelled = await chats.remove(services.store, request.by, chat.place, services.clock.now())
    said = [t("Everything about {chat} was erased.", chat=chat.name)]
    if cancelled:
        said.append(tr.n("{count} delivery was cancelled.", "{count} deliveries were cancelled.", cancelled))
    return Reply(present.notice(tr.sentences(*said)))


def _check(chat: Chat, request: Request, services: Services) -> None:
    """Raises UsageError unless it is this chat, one of its topics, or the person is an operator."""
    here = request.chat.place
    mine = chat.place in (here, Place(here.platform, here.address, chat.place.topic)) and (
        not here.topic or chat.place == here
    )
    if not (mine or may(Act.OPERATE, request, services)):
        raise UsageError(request.translator.t("Only operators of this bot can do that."))


async def _question(chat: Chat, request: Request, services: Services) -> Reply:
    tr = request.translator
    chats.check_removable([chat])
    async with services.store.read() as work:
        subscriptions = len(await work.subscriptions.of(chat.id))
        topics = await chats.topics_of(work, chat)
    named = "" if chat.id == request.chat.id else f" {chat.place}"
    what = [
        tr.t("Erase everything that is stored about {chat}?", chat=chat.name),
        tr.n("It has {count} subscription.", "It has {count} subscriptions.", subscriptions),
        tr.n("{count} topic goes with it.", "{count} topics go with it.", topics) if topics else "",
        tr.t("Messages that were sent stay. This cannot be undone."),
        tr.t("To get a copy first, send {command}.", command=f"/forget {EXPORT}{named}"),
    ]
    row = (
        Button(tr.t("Erase everything"), f"{FORGET}:{chat.id}:{ERASE}"),
        Button(tr.t("Keep it"), f"{FORGET}:{chat.id}:{KEEP}"),
    )
    return Reply(present.notice(tr.sentences(*what)), (row,))
