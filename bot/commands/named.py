"""Finding the source that a person means."""

from bot.commands.types import Request, Services
from content.errors import NotFound
from content.types import Source
from scheduler.actions import sources

SHOWN = 5


async def find_source(request: Request, services: Services) -> Source:
    """The visible source of which the name, a part of the name or the URL is given.

    Raises NotFound, naming sources that may be meant.
    """
    t = request.translator.t
    try:
        async with services.store.read() as work:
            return await sources.visible_named(work, request.chat, request.arguments)
    except sources.UnknownSource as exc:
        names = ", ".join(exc.names[:SHOWN])
        hint = t("Available: {names}. /sources lists them all.", names=names)
        hint = hint if names else t("There are none yet.")
        if "." in request.arguments and " " not in request.arguments.strip():
            hint = t("If it is the address of a feed, begin it with https://.") + " " + hint
        raise NotFound(request.translator.error(exc) + " " + hint) from exc
