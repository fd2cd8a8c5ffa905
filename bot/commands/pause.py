"""/pause and /resume: for some time no posts of a source, or none at all."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.commands.named import find_source
from bot.commands.types import Reply, Request, Services
from content import present
from content.errors import UsageError
from content.types import Source
from scheduler.actions import chats, following
from scheduler.timetable.recurrences import NotUnderstood, parse_until

UNTIL = re.compile(r"(?:^|\s+)(?:(?:until|till|до|hasta)\s+|(?:直到|至)\s*)(?=\S)", re.IGNORECASE)


async def pause(request: Request, services: Services) -> Reply:
    """Pause a subscription, or all of them, until a moment or until /resume."""
    tr, now = request.translator, services.clock.now()
    zone = chats.zone_of(request.chat, services.settings.timezone)
    name, until = _split(request.arguments, zone, now)
    source = await _source(name, request, services)
    async with services.store.write() as work:
        paused = await following.pause(work, request.by, request.chat, source, until, now)
        await work.commit()
    if not paused:
        raise UsageError(_not_followed(source, request))
    shown = _shown(source, request)
    told = (
        tr.t(
            "Paused until {when} ({zone}): {name}.",
            when=tr.long_date(until, ZoneInfo(zone)),
            zone=zone,
            name=shown,
        )
        if until
        else tr.t("Paused: {name}. To go on, send /resume.", name=shown)
    )
    return Reply(
        present.notice(tr.sentences(told, tr.t("Posts that appear during the pause are not sent later.")))
    )


async def resume(request: Request, services: Services) -> Reply:
    """Go on with a subscription, or with all."""
    t = request.translator.t
    source = await _source(request.arguments.strip(), request, services)
    async with services.store.write() as work:
        done = await following.resume(work, request.by, request.chat, source, services.clock.now())
        await work.commit()
    name = _shown(source, request)
    if not done:
        return Reply(present.notice(t("Nothing is paused: {name}.", name=name)))
    return Reply(present.notice(t("New posts are sent again: {name}.", name=name)))


def _split(text: str, zone: str, now: datetime) -> tuple[str, datetime | None]:
    """The name of a source, and the moment after it. Raises UsageError."""
    match = UNTIL.search(text)
    if match is None:
        return text.strip(), None
    name = text[: match.start()].strip()
    try:
        return name, parse_until(text[match.end() :], zone, now)
    except NotUnderstood as exc:
        line = " ".join(filter(None, ("/pause", name, "until", exc.nearest)))
        raise UsageError(exc.message, word=exc.word, nearest=line) from exc


async def _source(name: str, request: Request, services: Services) -> Source | None:
    if name.casefold() in ("", following.ALL, request.translator.t("all sources").casefold()):
        return None
    return await find_source(request, services, name)


def _shown(source: Source | None, request: Request) -> str:
    t = request.translator.t
    return present.source_name(source.name, request.translator) if source else t("all sources")


def _not_followed(source: Source | None, request: Request) -> str:
    t = request.translator.t
    if source is None:
        return t("No subscriptions yet. Add one with /subscribe.")
    return t(
        "There is no subscription to “{name}” here: subscribe to it first.", name=_shown(source, request)
    )
