"""/digest: what a chat follows comes at times it chooses, in local time."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from bot.commands.types import Reply, Request, Services
from content import present
from content.errors import UsageError
from scheduler.timetable import digests, recurrences
from scheduler.types import Digest

SHOWN_RUNS = 3
EXAMPLES = "/digest daily 09:00 Asia/Shanghai, /digest weekdays 18:30, /digest mon,thu 08:00"


async def digest(request: Request, services: Services) -> Reply:
    """Schedule the chat's digest, or show it, send it now, end it."""
    action = ACTIONS.get(request.arguments.strip().lower())
    return await (action or _schedule)(request, services)


async def _schedule(request: Request, services: Services) -> Reply:
    t, chat, now = request.translator.t, request.chat, services.clock.now()
    try:
        recurrence, zone = recurrences.parse(request.arguments)
    except recurrences.NotUnderstood as exc:
        nearest = f"/digest {exc.nearest}"
        raise UsageError(
            t("“{word}” is not understood. Did you mean: {nearest}", word=exc.word[:60], nearest=nearest)
        ) from exc
    timezone = zone or chat.timezone or services.timezone
    wanted = Digest(0, chat.id, str(recurrence), timezone, recurrences.next_run(recurrence, timezone, now))
    async with services.store.write() as work:
        if zone:
            await work.chats.save(replace(chat, timezone=zone))
        if before := await work.digests.of(chat.id):
            wanted = replace(
                before, recurrence=wanted.recurrence, timezone=timezone, next_run_at=wanted.next_run_at
            )
        saved, followed_nothing = await digests.set_up(work, wanted)
        await work.audit.add(request.call.actor, "digest", f"{chat.place} {recurrence} {timezone}", now)
        await work.commit()
    summary = t(
        "All that this chat follows now comes as a digest: {when} ({zone}).", when=recurrence, zone=timezone
    )
    if followed_nothing:
        summary += " " + t("This chat followed nothing, so it now follows all public sources.")
    return _shown(saved, summary, request, now)


def _shown(digest: Digest, summary: str, request: Request, now: datetime) -> Reply:
    recurrence, _ = recurrences.parse(digest.recurrence)
    after = min(now, digest.next_run_at - timedelta(microseconds=1))
    runs = list(islice(recurrences.occurrences(recurrence, digest.timezone, after), SHOWN_RUNS))
    look = replace(request.look, timezone=ZoneInfo(digest.timezone))
    return Reply(present.schedule(summary, runs, look))


async def _existing(request: Request, services: Services) -> Digest:
    """Raises UsageError with examples if the chat has no digest."""
    async with services.store.read() as work:
        found = await work.digests.of(request.chat.id)
    if found is None:
        t = request.translator.t
        raise UsageError(t("This chat has no digest. For example: {examples}", examples=EXAMPLES))
    return found


async def _list(request: Request, services: Services) -> Reply:
    t, found = request.translator.t, await _existing(request, services)
    summary = t("The digest of this chat: {when} ({zone}).", when=found.recurrence, zone=found.timezone)
    return _shown(found, summary, request, services.clock.now())


async def _now(request: Request, services: Services) -> Reply:
    t, found = request.translator.t, await _existing(request, services)
    async with services.store.write() as work:
        sent = await digests.edition(work, found, services.clock.now(), slot=None)
        await work.commit()
    services.wake()
    return Reply(
        present.notice(t("The digest is on its way.") if sent else t("Nothing waits for the digest."))
    )


async def _off(request: Request, services: Services) -> Reply:
    t, found, now = request.translator.t, await _existing(request, services), services.clock.now()
    async with services.store.write() as work:
        sent = await digests.end(work, found, now)
        await work.audit.add(request.call.actor, "digest off", str(request.chat.place), now)
        await work.commit()
    services.wake()
    ended = t("The digest has ended: posts arrive as they appear again.")
    return Reply(present.notice(ended + ("\n" + t("What waited is on its way.") if sent else "")))


ACTIONS = {"": _list, "list": _list, "now": _now, "off": _off}
