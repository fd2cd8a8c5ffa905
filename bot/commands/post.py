"""/post: what admins write themselves, with a preview before anything is sent."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.access import Act
from bot.commands.types import Button, Reply, Request, Services, may
from bot.numbers import number
from content import present
from content.errors import UsageError
from scheduler.timetable import recurrences
from scheduler.types import Draft, DraftState

PREFIX = "d"
HERE, ALL, NO = "here", "all", "no"


async def post(request: Request, services: Services) -> Reply:
    """Show what a text would look like; buttons send it, now or at its time."""
    t, now = request.translator.t, services.clock.now()
    due_at, text, wrong = _read(request, services, now)
    kept: Draft | None = None
    if due_at and not text.strip():  # the time of a text whose first time was wrong
        async with services.store.read() as work:
            kept = await work.drafts.last_preview(request.chat.id, request.call.actor)
        text = kept.text if kept else ""
    if not text.strip():
        if wrong:
            raise UsageError(wrong)
        example = "/post at 18:30 " + t("Title, and on the next lines the text in Markdown")
        raise UsageError(t("There is no text. For example: {example}", example=example))
    draft = Draft(0, request.chat.id, request.call.actor, text, False, DraftState.PREVIEW, due_at, now)
    async with services.store.write() as work:
        if request.person:
            await services.quotas.may_write(work, request.person, text, now)
        if kept:
            await work.drafts.set_state(kept.id, DraftState.DISCARDED)
        draft = await work.drafts.add(draft)
        await work.commit()
    document = present.post(await services.drafts.preview(draft, now), request.look)
    if wrong:
        document = replace(document, blocks=(*present.error(wrong).blocks, *document.blocks), carried=())
    return Reply(document, _buttons(draft, request, services), private=True)


def _read(request: Request, services: Services, now: datetime) -> tuple[datetime | None, str, str]:
    """When a post goes out, None for at once; its text; what is wrong with its time, and the next step."""
    t, text = request.translator.t, request.arguments.replace("\\n", "\n").strip()
    if not text.lower().startswith("at "):
        return None, text, ""
    zone = request.chat.timezone or services.timezone
    try:
        return *recurrences.parse_moment(text[3:].lstrip(), zone, now), ""
    except recurrences.NotUnderstood as exc:
        wrong = t("“{word}” is not understood.", word=exc.word[:60])
        nearest, rest = exc.nearest, text if exc.rest is None else exc.rest
    except recurrences.InThePast as exc:
        wrong = t("{moment} ({zone}) has passed.", moment=exc.word, zone=zone)
        nearest, rest = exc.nearest, exc.rest
    wrong += " " + t("Did you mean: {nearest}", nearest=f"/post {nearest}")
    if rest.strip():
        wrong += ". " + t("Your text is kept: send that line alone to schedule it.")
    return None, rest, wrong


def _buttons(draft: Draft, request: Request, services: Services) -> tuple[Button, ...]:
    t = request.translator.t
    to_all = Button(t("Send to all"), f"{PREFIX}:{draft.id}:{ALL}")
    everywhere = (to_all,) if may(Act.SEND_TO_ALL, request, services) else ()
    here = Button(t("Send here"), f"{PREFIX}:{draft.id}:{HERE}")
    return *everywhere, here, Button(t("Discard"), f"{PREFIX}:{draft.id}:{NO}")


async def confirm(data: str, request: Request, services: Services) -> Reply | None:
    """What a press below a preview does."""
    _, name, choice = data.split(":") if data.count(":") == 2 else ("", "", "")
    t, draft_id = request.translator.t, number(name)
    async with services.store.read() as work:
        draft = None if draft_id is None else await work.drafts.get(draft_id)
    if draft is None or draft.chat_id != request.chat.id or choice not in (HERE, ALL, NO):
        return None
    everywhere = choice == ALL
    if everywhere and not may(Act.SEND_TO_ALL, request, services):
        raise UsageError(t("Only operators send to all chats."))
    if choice == NO:
        done = await _set(draft, DraftState.DISCARDED, False, services)
        return Reply(present.notice(t("The post was discarded.") if done else _too_late(request)))
    if draft.due_at and draft.due_at > services.clock.now():
        return await _scheduled(draft, everywhere, request, services)
    if not await services.drafts.publish(replace(draft, everywhere=everywhere)):
        return Reply(present.notice(_too_late(request)))
    return Reply(present.notice(t("The post is on its way.")))


async def _scheduled(draft: Draft, everywhere: bool, request: Request, services: Services) -> Reply:
    t, zone = request.translator.t, request.chat.timezone or services.timezone
    if not await _set(draft, DraftState.SCHEDULED, everywhere, services):
        return Reply(present.notice(_too_late(request)))
    assert draft.due_at is not None
    when = request.translator.long_date(draft.due_at, ZoneInfo(zone))
    cancel = Button(t("Discard"), f"{PREFIX}:{draft.id}:{NO}")
    return Reply(present.notice(t("The post goes out on {when} ({zone}).", when=when, zone=zone)), (cancel,))


async def _set(draft: Draft, state: DraftState, everywhere: bool, services: Services) -> bool:
    async with services.store.write() as work:
        changed = await work.drafts.set_state(draft.id, state, everywhere=everywhere)
        await work.commit()
    return changed


def _too_late(request: Request) -> str:
    return request.translator.t("That was settled already.")
