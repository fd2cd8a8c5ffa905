"""/digest: a chat gets new posts at scheduled local times instead of one by one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.commands.types import Reply, Request, Services
from content import present
from content.errors import UsageError
from content.i18n import Msgid
from scheduler.actions import digests
from scheduler.ports import UnitOfWork
from scheduler.timetable.recurrences import NotUnderstood, translated
from scheduler.types import Digest

EXAMPLES = Msgid("/digest daily 09:00 Asia/Shanghai, /digest weekdays 18:30, /digest mon,thu 08:00")


async def digest(request: Request, services: Services) -> Reply:
    """Schedule the chat's digest, or show it, send it now, or end it."""
    action = ACTIONS.get(request.arguments.strip().lower())
    return await (action or _schedule)(request, services)


async def _schedule(request: Request, services: Services) -> Reply:
    t, now = request.translator.t, services.clock.now()
    async with services.store.write() as work:
        try:
            done = await digests.set_digest(
                work, request.by, request.chat, request.arguments, services.settings.timezone, now
            )
        except NotUnderstood as exc:
            nearest = translated(exc.nearest, request.translator)
            values = {**exc.values, "nearest": f"/digest {nearest}"}
            raise UsageError(exc.message, **values) from exc
        await work.commit()
    when, zone = translated(done.digest.recurrence, request.translator), done.digest.timezone
    summary = t("New posts for this chat now come as a digest: {when} ({zone}).", when=when, zone=zone)
    if done.followed_nothing:
        first = t("This chat had no subscriptions, so it now follows all public sources.")
        summary = request.translator.sentences(summary, first)
    return _shown(done.digest, summary, request, digests.next_runs(done.digest, now))


def _shown(digest: Digest, summary: str, request: Request, runs: Sequence[datetime]) -> Reply:
    look = replace(request.look, timezone=ZoneInfo(digest.timezone))
    return Reply(present.schedule(summary, runs, look))


async def _existing(work: UnitOfWork, request: Request) -> Digest:
    """The chat's digest. Raises UsageError with examples if it has none."""
    found = await work.digests.of(request.chat.id)
    if found is None:
        t = request.translator.t
        raise UsageError(t("This chat has no digest. For example: {examples}", examples=EXAMPLES))
    return found


async def _list(request: Request, services: Services) -> Reply:
    t = request.translator.t
    async with services.store.read() as work:
        found = await _existing(work, request)
    when = translated(found.recurrence, request.translator)
    summary = t("The digest of this chat: {when} ({zone}).", when=when, zone=found.timezone)
    return _shown(found, summary, request, digests.next_runs(found, services.clock.now()))


async def _now(request: Request, services: Services) -> Reply:
    t = request.translator.t
    async with services.store.write() as work:
        found = await _existing(work, request)
        sent = await digests.send(work, request.by, request.chat, found, services.clock.now())
        await work.commit()
    services.wake()
    return Reply(present.notice(t("Sending the digest now.") if sent else t("Nothing new for the digest.")))


async def _off(request: Request, services: Services) -> Reply:
    t = request.translator.t
    async with services.store.write() as work:
        found = await _existing(work, request)
        sent = await digests.end(work, request.by, request.chat, found, services.clock.now())
        await work.commit()
    services.wake()
    ended = t("The digest has ended. From now on, new posts arrive right away.")
    return Reply(present.notice(ended + ("\n" + t("Sending the queued posts now.") if sent else "")))


ACTIONS = {"": _list, "list": _list, "now": _now, "off": _off}
