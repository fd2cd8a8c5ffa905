"""/status: what this chat follows, what comes next, and what failed; for operators also the deployment."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.access import Act
from bot.commands.types import Reply, Request, Services, may
from content import present
from content.secrets import without_secrets
from content.types import Source
from scheduler.actions import status
from scheduler.timetable.schedules import translated
from scheduler.types import Chat, ChatAccess, ChatState, DeliveryState

# Sources that are named.
NAMED = 10


async def status_(request: Request, services: Services) -> Reply:
    """Show how it stands here."""
    t, now = request.translator.t, services.clock.now()
    everything = may(Act.OPERATE, request, services)
    async with services.store.read() as work:
        here = await status.of_chat(work, request.chat, now)
        deployment = await status.of_deployment(work, now) if everything else None
    lines = list(_here(request.chat, here, request, now))
    if deployment:
        lines += ["", t("The whole bot:"), *of_deployment(deployment, request)]
    return Reply(present.lines(t("Status"), lines), private=True)


def _here(chat: Chat, here: status.ChatStatus, request: Request, now: datetime) -> Iterator[str]:
    tr, look, outlook = request.translator, request.look, here.outlook
    yield tr.t("Follows: {sources}", sources=_named(here.sources, request))
    for digest in here.digests:
        when, zone = translated(digest.recurrence, tr), digest.timezone
        yield (
            tr.t("Digest: {when} ({zone})", when=when, zone=zone)
            if len(here.digests) == 1
            else tr.t("The digest “{name}”: {when} ({zone}).", name=digest.name, when=when, zone=zone)
        )
        if digest.paused:
            yield tr.t("It is paused; its posts wait.")
        else:
            yield tr.t("Next digest: {when}", when=tr.long_date(digest.next_run_at, look.timezone))
    if chat.is_quiet(now) and chat.quiet_until:
        until = tr.date(chat.quiet_until, look.timezone)
        yield tr.t("Quiet until {when}; new posts wait until then.", when=until)
    if chat.state is ChatState.PAUSED:
        yield tr.t("This chat cannot be written to: {reason}", reason=tr.t(without_secrets(chat.reason)))
    if outlook.first:
        yield tr.n("{count} delivery is queued.", "{count} deliveries are queued.", outlook.waiting)
        if reason := outlook.first.reason:
            yield tr.t(
                "The next attempt is on {when}: {reason}",
                when=tr.date(outlook.first.due_at, look.timezone),
                reason=tr.t(without_secrets(reason)),
            )
    if outlook.last:
        failed = tr.n(
            "{count} delivery failed within a week.",
            "{count} deliveries failed within a week.",
            outlook.failed,
        )
        why = tr.t("The last time: {reason}", reason=tr.t(without_secrets(outlook.last.reason)))
        yield tr.sentences(failed, why)
    if not (outlook.first or outlook.last or chat.is_quiet(now)):
        yield tr.t("Nothing is queued, and nothing failed within a week.")


def of_deployment(found: status.Deployment, request: Request) -> Iterator[str]:
    """The state of the deployment, a line for each thing."""
    tr, failed = request.translator, found.queue.get(DeliveryState.FAILED, 0)
    chats = sum(found.chats.values())
    yield tr.n("{count} chat", "{count} chats", chats) + tr.t(
        " ({allowed} allowed, {banned} banned)",
        allowed=found.chats.get(ChatAccess.ALLOWED, 0),
        banned=found.chats.get(ChatAccess.BANNED, 0),
    )
    waiting = found.queue.get(DeliveryState.PENDING, 0) + found.queue.get(DeliveryState.CLAIMED, 0)
    yield tr.t(
        "Deliveries: {waiting} queued, {failed} failed, {held} held",
        waiting=waiting,
        failed=failed,
        held=found.queue.get(DeliveryState.HELD, 0),
    )
    yield tr.n("{count} source", "{count} sources", found.sources)
    if found.pushed:
        yield tr.n(
            "{count} source tells of its posts by itself",
            "{count} sources tell of their posts by themselves",
            found.pushed,
        )
    if found.failing:
        names = _named(found.failing, request)
        yield tr.t("Sources that cannot be read: {sources}", sources=names)


def _named(sources: Sequence[Source | None], request: Request) -> str:
    tr = request.translator
    names = [present.source_name(one.name, tr) if one else tr.t("all public sources") for one in sources]
    shown, left = names[:NAMED], len(names) - NAMED
    if left > 0:
        shown.append(tr.n("and {count} more source", "and {count} more sources", left))
    return tr.t(", ").join(shown) or tr.t("nothing")
