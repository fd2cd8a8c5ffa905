"""/post: admins write an update of their own, and see a preview before it is sent."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.access import Act
from bot.commands.types import Button, Reply, Request, Services, may
from bot.numbers import number
from content import present
from content.errors import UsageError
from content.i18n import Msgid
from scheduler.actions import chats, updates
from scheduler.timetable import recurrences
from scheduler.types import Draft

PREFIX = "d"
HERE, ALL, NO = "here", "all", "no"
DISCARDED, SENDING = Msgid("The update was discarded."), Msgid("Sending the update now.")
HANDLED = Msgid("Already handled.")


async def post(request: Request, services: Services) -> Reply:
    """Store a draft and show its preview; buttons send it now or at its time, or discard it."""
    now = services.clock.now()
    due_at, text, wrong = _read(request, services, now)
    async with services.store.write() as work:
        try:
            draft = await updates.write(
                work, request.by, request.chat, text, due_at, now, services.settings.quotas
            )
        except updates.NoText as exc:
            raise UsageError(wrong or _no_text(request)) from exc
        await work.commit()
    document = present.post(await services.drafts.preview(draft, now), request.look)
    if wrong:
        document = replace(document, blocks=(*present.error(wrong).blocks, *document.blocks), carried=())
    return Reply(document, (_buttons(draft, request, services),), private=True)


def _no_text(request: Request) -> str:
    t = request.translator.t
    example = "/post at 18:30 " + t("Title, and on the next lines the text in Markdown")
    return t("There is no text. For example: {example}", example=example)


def _read(request: Request, services: Services, now: datetime) -> tuple[datetime | None, str, str]:
    """Parse the arguments of /post.

    Returns the time to send it (None: now), its text, and what is wrong with the time ("" if nothing is).
    """
    t, text = request.translator.t, request.arguments.replace("\\n", "\n").strip()
    if not text.lower().startswith("at "):
        return None, text, ""
    zone = chats.zone_of(request.chat, services.settings.timezone)
    try:
        return *recurrences.parse_moment(text[3:].lstrip(), zone, now), ""
    except recurrences.NotUnderstood as exc:
        wrong = t("I don't understand “{word}”.", word=exc.word[:60])
        nearest, rest = exc.nearest, text if exc.rest is None else exc.rest
    except recurrences.InThePast as exc:
        wrong = t("{moment} ({zone}) has passed.", moment=exc.word, zone=zone)
        nearest, rest = exc.nearest, exc.rest
    wrong = request.translator.sentences(wrong, t("Did you mean: {nearest}", nearest=f"/post {nearest}"))
    if rest.strip():
        wrong += t(". ") + t("Your text is kept: to schedule it, send just that line.")
    return None, rest, wrong


def _buttons(draft: Draft, request: Request, services: Services) -> tuple[Button, ...]:
    t = request.translator.t
    to_all = Button(t("Send to all"), f"{PREFIX}:{draft.id}:{ALL}")
    everywhere = (to_all,) if may(Act.SEND_TO_ALL, request, services) else ()
    here = Button(t("Send here"), f"{PREFIX}:{draft.id}:{HERE}")
    return *everywhere, here, Button(t("Discard"), f"{PREFIX}:{draft.id}:{NO}")


async def confirm(data: str, request: Request, services: Services) -> Reply | None:
    """Run the button that was pressed below a preview. None if the data or the draft is not known."""
    _, name, choice = data.split(":") if data.count(":") == 2 else ("", "", "")
    draft_id = number(name)
    if draft_id is None or choice not in (HERE, ALL, NO):
        return None
    async with services.store.read() as work:
        draft = await updates.of_chat(work, request.chat, draft_id)
    if draft is None:
        return None
    if choice == NO:
        return await _discard(draft, request, services)
    if choice == ALL and not may(Act.SEND_TO_ALL, request, services):
        raise UsageError(request.translator.t("Only operators of this bot can send to all chats."))
    return await _send(replace(draft, everywhere=choice == ALL), request, services)


async def _discard(draft: Draft, request: Request, services: Services) -> Reply:
    async with services.store.write() as work:
        done = await updates.discard(work, request.by, draft.id, services.clock.now())
        await work.commit()
    return _said(DISCARDED if done else HANDLED, request)


async def _send(draft: Draft, request: Request, services: Services) -> Reply:
    """Send an update now, or schedule it if its time has not come."""
    now = services.clock.now()
    if draft.due_at is None or draft.due_at <= now:
        done = await services.drafts.publish(draft, request.by)
        return _said(SENDING if done else HANDLED, request)
    async with services.store.write() as work:
        done = await updates.schedule(work, request.by, request.chat, draft, now, everywhere=draft.everywhere)
        await work.commit()
    if not done:
        return _said(HANDLED, request)
    t, zone = request.translator.t, chats.zone_of(request.chat, services.settings.timezone)
    when = request.translator.long_date(draft.due_at, ZoneInfo(zone))
    discard = Button(t("Discard"), f"{PREFIX}:{draft.id}:{NO}")
    return Reply(
        present.notice(t("The update goes out on {when} ({zone}).", when=when, zone=zone)), ((discard,),)
    )


def _said(msgid: str, request: Request) -> Reply:
    return Reply(present.notice(request.translator.t(msgid)))
