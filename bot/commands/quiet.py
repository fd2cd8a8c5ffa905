"""/quiet: hours in which a chat is sent nothing by itself."""

from bot.commands.types import Button, Question, Reply, Request, Rows, Services
from content import present
from content.errors import UsageError
from content.i18n import Msgid, Translator
from scheduler.actions import digests, quiet
from scheduler.ports import UnitOfWork
from scheduler.timetable import hours
from scheduler.timetable.hours import QuietHours
from scheduler.timetable.recurrences import NotUnderstood

PREFIX = "q"
# What its buttons offer.
OFFERED = (hours.NIGHT, "23:00-07:00")
QUESTION = Msgid("From when until when should it be quiet?")


async def quiet_(request: Request, services: Services) -> Reply:
    """Set the quiet hours of the chat, or show them."""
    if request.arguments.strip():
        return await _set(request.arguments, request, services)
    async with services.store.read() as work:
        chat = await work.chats.get(request.chat.id) or request.chat
        return await _shown(work, hours.stored(chat.quiet), request, services, asked=True)


async def press_quiet(data: str, request: Request, services: Services) -> Reply:
    """A button that offers hours, or asks for them."""
    return await _set(data.partition(":")[2] or request.arguments, request, services)


async def _set(text: str, request: Request, services: Services) -> Reply:
    now, zone = services.clock.now(), services.settings.timezone
    async with services.store.write() as work:
        try:
            done = await quiet.set_quiet_hours(work, request.by, request.chat, text, zone, now)
        except NotUnderstood as exc:
            raise UsageError(exc.message, word=exc.word, nearest=f"/quiet {exc.nearest}") from exc
        shown = await _shown(work, done.hours, request, services, sent=done.sent)
        await work.commit()
    services.wake()
    return shown


async def _shown(
    work: UnitOfWork,
    quiet: QuietHours | None,
    request: Request,
    services: Services,
    *,
    asked: bool = False,
    sent: bool = False,
) -> Reply:
    """The hours as they are now, with buttons that change them. Who only `asked` is told what they are."""
    tr = request.translator
    told = [_hours(quiet, tr)]
    if asked and not quiet:
        told.append(tr.t("In quiet hours, posts wait and come together at the end."))
    if quiet:
        told.append(tr.t("Posts that come then are sent together at the end."))
        moved = await _moved(work, request, services)
        if moved and len(await work.digests.of(request.chat.id)) == 1:
            told.append(tr.t("The digest of this chat waits for their end when it falls into them."))
        elif moved:
            names = tr.t(", ").join(moved)
            told.append(tr.t("Digests due in that time wait for the end too: {names}.", names=names))
    if sent:
        told.append(tr.t("Sending the queued posts now."))
    return Reply(present.notice(tr.sentences(*told)), _buttons(quiet, tr))


def _hours(quiet: QuietHours | None, tr: Translator) -> str:
    if quiet is None:
        return tr.t("There are no quiet hours here.")
    return tr.t("Quiet hours: {hours} ({zone}).", hours=quiet.times, zone=quiet.zone)


async def _moved(work: UnitOfWork, request: Request, services: Services) -> list[str]:
    """The names of the digests that fall into the quiet hours at times."""
    chat, now = await work.chats.get(request.chat.id) or request.chat, services.clock.now()
    found = await work.digests.of(chat.id)
    return [digest.name for digest in found if digests.meets_quiet_hours(digest, chat, now)]


def _buttons(quiet: QuietHours | None, tr: Translator) -> Rows:
    row = [Button(offered, f"{PREFIX}:{offered}") for offered in OFFERED]
    row.append(Button(tr.t("Other hours"), f"{PREFIX}:", Question(tr.t(QUESTION), hours.NIGHT)))
    if quiet:
        row.append(Button(tr.t("Off"), f"{PREFIX}:off"))
    return (tuple(row),)
