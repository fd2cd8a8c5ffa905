"""What a chat is shown of its digests: a card for each, with buttons, and their list."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.commands import digest_words
from bot.commands.types import Button, Question, Reply, Request, Rows
from content import present
from content.i18n import Msgid, Translator
from scheduler.actions import digests
from scheduler.actions.following import ALL
from scheduler.ports import UnitOfWork
from scheduler.timetable.schedules import translated
from scheduler.types import Chat, Digest, Rest, WhenEmpty

PREFIX = "t"
IN_A_ROW = 5
# A placeholder that every platform takes.
LONGEST_PLACEHOLDER = 100

OPEN, PREVIEW, SEND, PAUSE, RESUME, EDIT, DELETE, DELETED, LIST = "opsPReDxl"
BEYOND = {
    Rest.NEXT: Msgid("Further ones come next time."),
    Rest.NEVER: Msgid("Further ones are only counted."),
}
QUESTION = Msgid("When should the digest “{name}” come, and with which sources?")


def data_of(action: str, digest: Digest | None = None) -> str:
    return f"{PREFIX}:{action}:{digest.id if digest else 0}"


def names(names: Sequence[str], tr: Translator) -> Sequence[str]:
    """Names of sources as people see and type them."""
    return [tr.t("all sources") if name == ALL else present.source_name(name, tr) for name in names]


async def card(
    work: UnitOfWork,
    digest: Digest,
    request: Request,
    now: datetime,
    told: Sequence[str] = (),
    *,
    before: str = "",
) -> Reply:
    """A digest as it is stored now, with its buttons. `told` replaces its title, `before` precedes it."""
    tr = request.translator
    chat = await work.chats.get(digest.chat_id) or request.chat
    alone, complete = len(await work.digests.of(chat.id)) == 1, await is_the_only(work, digest)
    shown = names(await digests.sources_of(work, digest), tr)
    summary = tr.sentences(
        before,
        *(told or [_title(digest, complete, tr)]),
        *_about(digest, chat, complete, shown, now, tr),
    )
    look = replace(request.look, timezone=ZoneInfo(digest.timezone))
    runs = digests.next_runs(digest, chat, now)
    document = present.notice(summary) if digest.paused else present.schedule(summary, runs, look)
    return Reply(document, _buttons(digest, alone, shown, tr))


async def is_the_only(work: UnitOfWork, digest: Digest) -> bool:
    """Whether all that the chat follows comes with this digest, its only one, so that it needs no name."""
    followed = await work.subscriptions.of(digest.chat_id)
    all_come = all(one.digest_id == digest.id for one in followed)
    return all_come and len(await work.digests.of(digest.chat_id)) == 1


def when(digest: Digest, tr: Translator) -> dict[str, str]:
    return {"when": translated(digest.recurrence, tr), "zone": digest.timezone}


def _title(digest: Digest, complete: bool, tr: Translator) -> str:
    if complete:
        return tr.t("The digest of this chat: {when} ({zone}).", **when(digest, tr))
    return tr.t("The digest “{name}”: {when} ({zone}).", name=digest.name, **when(digest, tr))


def _about(
    digest: Digest, chat: Chat, complete: bool, sources: Sequence[str], now: datetime, tr: Translator
) -> list[str]:
    """What else there is to know about it."""
    told = []
    if not sources:
        told.append(tr.t("It has no sources."))
    elif not complete:
        told.append(tr.t("Sources: {sources}.", sources=tr.t(", ").join(sources)))
    told += _rules(digest, tr)
    if digests.meets_quiet_hours(digest, chat, now):
        told.append(tr.t("During the quiet hours it waits until they end."))
    if digest.paused:
        told.append(tr.t("It is paused; its posts wait."))
    return told


def _rules(digest: Digest, tr: Translator) -> list[str]:
    """What differs from the defaults: how many posts it has, and what it does without any."""
    default = Digest(0, 0, "", "", digest.next_run_at)
    told = []
    if (digest.max_posts, digest.rest) != (default.max_posts, default.rest):
        told.append(tr.n("It has at most {count} post.", "It has at most {count} posts.", digest.max_posts))
        told.append(tr.t(BEYOND[digest.rest]))
    if digest.when_empty is WhenEmpty.SAY:
        told.append(tr.t("It also comes when nothing is new."))
    return told


def _buttons(digest: Digest, alone: bool, sources: Sequence[str], tr: Translator) -> Rows:
    t = tr.t
    as_it_is = digest_words.described(digest, sources, tr)[:LONGEST_PLACEHOLDER]
    pause = Button(t("Resume"), data_of(RESUME, digest)) if digest.paused else None
    row = (
        Button(t("Preview"), data_of(PREVIEW, digest)),
        Button(t("Send now"), data_of(SEND, digest)),
        pause or Button(t("Pause"), data_of(PAUSE, digest)),
        Button(t("Edit"), data_of(EDIT, digest), Question(t(QUESTION, name=digest.name), as_it_is)),
        Button(t("Delete"), data_of(DELETE, digest)),
    )
    return (row,) if alone else (row, (Button(t("All digests"), data_of(LIST)),))


async def listing(work: UnitOfWork, request: Request, now: datetime) -> Reply:
    """The digests of a chat: the only one as a card, else a button for each. Raises NotFound."""
    tr, found = request.translator, await work.digests.of(request.chat.id)
    if len(found) < 2:
        return await card(work, await digests.named(work, request.chat, ""), request, now)
    rows = []
    for digest in found:
        sources = tr.t(", ").join(names(await digests.sources_of(work, digest), tr)) or "–"
        row = tr.t(
            "• {name}: {when} ({zone}), {sources}", name=digest.name, sources=sources, **when(digest, tr)
        )
        rows.append(tr.sentences(row, tr.t("(paused)")) if digest.paused else row)
    buttons = [Button(digest.name, data_of(OPEN, digest)) for digest in found]
    grid = (tuple(buttons[at : at + IN_A_ROW]) for at in range(0, len(buttons), IN_A_ROW))
    return Reply(present.lines(tr.t("The digests of this chat"), rows), tuple(grid))


async def previewed(work: UnitOfWork, digest: Digest, request: Request) -> Reply:
    """What a digest would send now, as one message."""
    found = await digests.preview(work, digest)
    posts = found.posts[: present.SHORT_EDITION]
    more = found.more + len(found.posts) - len(posts)
    look = replace(request.look, timezone=ZoneInfo(digest.timezone))
    back = Button(request.translator.t("Back"), data_of(OPEN, digest))
    return Reply(present.edition(posts, look, title=digest.title, more=more), ((back,),))


def sure(digest: Digest, request: Request) -> Reply:
    """Ask whether a digest is to be removed."""
    t = request.translator.t
    question = t("Remove the digest “{name}”? What waits for it is sent at once.", name=digest.name)
    remove, keep = Button(t("Remove"), data_of(DELETED, digest)), Button(t("Keep"), data_of(OPEN, digest))
    return Reply(present.notice(question), ((remove, keep),))
