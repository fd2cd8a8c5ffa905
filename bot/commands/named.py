"""Finding the source that a person means."""

from bot.commands.types import Request, Services
from content.errors import NotFound
from content.types import Source

SHOWN = 5


async def find_source(request: Request, services: Services) -> Source:
    """The visible source whose name or URL is given, or whose name alone begins with it.

    Raises NotFound, naming the sources that there are.
    """
    wanted = request.arguments.strip().casefold()
    async with services.store.read() as work:
        visible = await work.sources.visible_to(request.chat.id)
    exact = [s for s in visible if wanted in (s.name.casefold(), s.url.casefold())]
    similar = [s for s in visible if wanted in s.name.casefold()]
    if exact or len(similar) == 1:
        return (exact or similar)[0]
    t = request.translator.t
    names = ", ".join(s.name for s in (similar or visible)[:SHOWN])
    hint = (
        t("There is: {names}. /sources lists them all.", names=names) if names else t("There are none yet.")
    )
    if "." in wanted and " " not in wanted:
        hint = t("If it is the address of a feed, begin it with https://.") + " " + hint
    raise NotFound(t("No source is called “{name}”.", name=request.arguments.strip()[:60]) + " " + hint)
