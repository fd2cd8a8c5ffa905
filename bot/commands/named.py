"""Finds the source that a person names."""

from bot.commands.types import Request, Services
from content import present
from content.errors import NotFound
from content.types import Source
from scheduler.actions import sources

SHOWN = 5


async def find_source(request: Request, services: Services, name: str = "") -> Source:
    """The visible source with the given name, part of a name, or URL; by default, with that of the arguments.

    Raises NotFound, which suggests sources.
    """
    tr = request.translator
    t, typed = tr.t, name or request.arguments.strip()
    wanted = next((own for own in present.OWN_SOURCES if t(own) == typed), typed)
    try:
        async with services.store.read() as work:
            return await sources.visible_named(work, request.chat, wanted)
    except sources.UnknownSource as exc:
        names = t(", ").join(present.source_name(name, tr) for name in exc.names[:SHOWN])
        hint = t("Available: {names}. /sources lists them all.", names=names)
        hint = hint if names else t("There are no sources yet.")
        if "." in typed and " " not in typed:
            hint = tr.sentences(t("To give the address of a feed, begin it with https://."), hint)
        raise NotFound(tr.sentences(tr.error(exc), hint)) from exc
