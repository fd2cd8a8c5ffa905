"""/language: the language of a chat. That of a private chat is also the person's, as `chats.change` says."""

from bot.commands.types import Button, Reply, Request, Rows, Services
from content import present
from content.i18n import LANGUAGES, Translator, native_name
from scheduler.actions import chats
from scheduler.types import Chat, ChatKind

PREFIX = "g"
IN_A_ROW = 3


async def language(request: Request, services: Services) -> Reply:
    """Set the language that is named; without a name, show it with buttons for all. Raises UsageError."""
    name = request.arguments.strip()
    return await _set(name, request, services) if name else _shown(request.chat, request.translator)


async def choose(data: str, request: Request, services: Services) -> Reply | None:
    """Set the language of the button that was pressed. None if it is not one of ours."""
    code = data.partition(":")[2]
    return await _set(code, request, services) if code in LANGUAGES else None


async def _set(name: str, request: Request, services: Services) -> Reply:
    wanted = chats.Settings(language=name)
    async with services.store.write() as work:
        chat = (
            await chats.change(work, request.by, request.chat, wanted, services.clock.now()) or request.chat
        )
        await work.commit()
    return _shown(chat, Translator(chat.language))


def _shown(chat: Chat, tr: Translator) -> Reply:
    said = tr.t("The language of this chat is {language}.", language=native_name(tr.language))
    if chat.kind is ChatKind.PRIVATE:
        said = tr.sentences(said, tr.t("Answers that only you see in other chats are in this language too."))
    return Reply(present.notice(said), _rows(tr.language))


def _rows(chosen: str) -> Rows:
    buttons = [
        Button(("✓ " if one == chosen else "") + native_name(one), f"{PREFIX}:{one}") for one in LANGUAGES
    ]
    return tuple(tuple(buttons[start : start + IN_A_ROW]) for start in range(0, len(buttons), IN_A_ROW))
