"""/start and /help: the first things a person sees."""

from bot.access import Act
from bot.commands import welcome
from bot.commands.types import Reply, Request, Services, may
from content import present
from scheduler.actions import chats
from scheduler.types import ChatKind


async def start(request: Request, services: Services) -> Reply:
    """Greet a chat. A private chat is set to the person's language."""
    if request.chat.kind is ChatKind.PRIVATE and not request.chat.language:
        async with services.store.write() as work:
            language = chats.Settings(language=request.translator.language)
            await chats.change(work, request.by, request.chat, language, services.clock.now())
            await work.commit()
    return await welcome.greet(request, services)


async def help_(request: Request, services: Services) -> Reply:
    """List the commands with their summaries; those of operators are listed for operators alone."""
    t, operates = request.translator.t, may(Act.OPERATE, request, services)
    listed = [command for command in services.commands if operates or not command.for_operators]
    rows = [(t(command.usage), t(command.summary)) for command in listed]
    return Reply(present.help(rows, request.look))
