"""/operator, /allow, /ban, /unban: operators decide about chats, in a private chat with the bot."""

from collections.abc import Sequence

from bot.commands.forget import ASK, FORGET, named_chat
from bot.commands.status import of_deployment
from bot.commands.types import Button, Reply, Request, Services
from bot.numbers import number
from content import present
from content.errors import NotFound, UsageError
from content.i18n import Msgid
from scheduler.actions import chats, status
from scheduler.types import Chat, ChatAccess, ChatKind

OPERATOR = "o"  # prefix of the panel's buttons
ON_A_PAGE = 8
NAME = 40  # characters of a chat's name on a button
ACCESSES = {
    ChatAccess.ALLOWED: Msgid("allowed"),
    ChatAccess.DEFAULT: Msgid("default"),
    ChatAccess.BANNED: Msgid("banned"),
}
BUTTONS = {
    ChatAccess.ALLOWED: Msgid("Allow"),
    ChatAccess.DEFAULT: Msgid("Default"),
    ChatAccess.BANNED: Msgid("Ban"),
}


async def operator(request: Request, services: Services) -> Reply:
    """Show access, quotas and how the deployment is. Raises UsageError outside private chats."""
    _in_private(request)
    return await _overview(request, services)


async def allow(request: Request, services: Services) -> Reply:
    return await _decide_named(ChatAccess.ALLOWED, request, services)


async def ban(request: Request, services: Services) -> Reply:
    return await _decide_named(ChatAccess.BANNED, request, services)


async def unban(request: Request, services: Services) -> Reply:
    return await _decide_named(ChatAccess.DEFAULT, request, services)


async def operate(data: str, request: Request, services: Services) -> Reply | None:
    """Run a button of the panel: `o`, `o:l:PAGE`, `o:c:CHAT:PAGE` or `o:s:CHAT:PAGE:ACCESS`."""
    _in_private(request)
    match data.split(":")[1:]:
        case []:
            return await _overview(request, services)
        case ["l", page]:
            return await _list(number(page) or 1, request, services)
        case ["c", chat_id, page]:
            return await _chat(number(chat_id), number(page) or 1, request, services)
        case ["s", chat_id, page, access] if access in list(ChatAccess):
            chat = await _known(number(chat_id), request, services)
            await _decide(chat, ChatAccess(access), request, services)
            return await _chat(chat.id, number(page) or 1, request, services)
    return None


def _in_private(request: Request) -> None:
    if request.chat.kind not in (ChatKind.PRIVATE, ChatKind.TERMINAL):
        raise UsageError(request.translator.t("Send /operator in a private chat with this bot."))


async def _overview(request: Request, services: Services) -> Reply:
    tr, settings = request.translator, services.settings
    async with services.store.read() as work:
        found = await status.of_deployment(work, services.clock.now())
    person, added = found.fullest
    lines = [
        tr.t("Access: {mode}", mode=settings.access),
        *of_deployment(found, request),
        tr.t("Private sources: {used} of {limit}", used=found.private, limit=settings.private_sources),
        tr.t("At most per chat: {limit}", limit=settings.chat_sources),
        tr.t("At most per person: {limit}", limit=settings.person_sources)
        + (f" ({person}: {added})" if added else ""),
        tr.t("Updates per person and day: {limit}", limit=settings.posts_per_day),
    ]
    look = request.look
    if found.refused:
        lines += ["", tr.t("Refused within a week:")]
        lines += [f"{tr.date(one.at, look.timezone)} · {one.actor}: {one.target}" for one in found.refused]
    return Reply(present.lines(tr.t("Operator"), lines), ((Button(tr.t("Chats"), f"{OPERATOR}:l:1"),),))


async def _list(page: int, request: Request, services: Services) -> Reply:
    """A page of the chats, a button for each."""
    t = request.translator.t
    async with services.store.read() as work:
        found, total = await work.chats.page((page - 1) * ON_A_PAGE, ON_A_PAGE)
    pages = max(1, -(-total // ON_A_PAGE))
    rows = [
        (Button(f"{chat.name[:NAME]} · {t(ACCESSES[chat.access])}", f"{OPERATOR}:c:{chat.id}:{page}"),)
        for chat in found
    ]
    turns = [Button("«", f"{OPERATOR}:l:{page - 1}")] if page > 1 else []
    turns += [Button("»", f"{OPERATOR}:l:{page + 1}")] if page < pages else []
    last = (*turns, Button(t("Back"), OPERATOR))
    said = t("Chats, the newest first: page {page} of {pages}", page=page, pages=pages)
    return Reply(present.notice(said), (*rows, last))


async def _chat(chat_id: int | None, page: int, request: Request, services: Services) -> Reply:
    """A chat as it is stored now, with the accesses that it may get."""
    chat, t = await _known(chat_id, request, services), request.translator.t
    lines = [
        str(chat.place),
        t("Access: {mode}", mode=t(ACCESSES[chat.access])),
        t("State: {state}", state=" ".join(filter(None, (chat.state, chat.reason)))),
    ]
    others = [access for access in BUTTONS if access is not chat.access and _may_get(access, chat, request)]
    accesses = tuple(Button(t(BUTTONS[one]), f"{OPERATOR}:s:{chat.id}:{page}:{one}") for one in others)
    last = (Button(t("Erase…"), f"{FORGET}:{chat.id}:{ASK}"), Button(t("Back"), f"{OPERATOR}:l:{page}"))
    return Reply(present.lines(chat.name, lines), (accesses, last))


async def _known(chat_id: int | None, request: Request, services: Services) -> Chat:
    async with services.store.read() as work:
        chat = await work.chats.get(chat_id) if chat_id else None
    if chat is None:
        raise NotFound(request.translator.t("This chat is no longer known."))
    return chat


def _may_get(access: ChatAccess, chat: Chat, request: Request) -> bool:
    """Operators cannot ban the terminal, nor the private chat that they speak in."""
    here = chat.place == request.chat.place and chat.kind is ChatKind.PRIVATE
    return access is not ChatAccess.BANNED or not (here or chat.kind is ChatKind.TERMINAL)


async def _decide(chat: Chat, access: ChatAccess, request: Request, services: Services) -> Sequence[Chat]:
    if not _may_get(access, chat, request):
        raise UsageError(request.translator.t("You cannot ban the chat that you are in."))
    async with services.store.write() as work:
        changed = await chats.decide(work, request.by, chat.place, chat.kind, access, services.clock.now())
        await work.commit()
    return changed


async def _decide_named(access: ChatAccess, request: Request, services: Services) -> Reply:
    """Decide about the chat of the arguments, or about this group. Raises UsageError, NotFound."""
    t = request.translator.t
    chat = await named_chat(request.arguments, request, services)
    await _decide(chat, access, request, services)
    return Reply(
        present.notice(t("{chat} is now: {access}", chat=chat.name, access=t(ACCESSES[access]))), private=True
    )
