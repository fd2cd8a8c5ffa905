"""/format: how posts look in a chat, or those of one of its sources."""

from collections.abc import Iterable

from bot.commands.named import find_source
from bot.commands.types import Reply, Request, Services
from content import formats, present
from content.document import Document
from content.errors import UsageError
from content.formats import CHOICES, RESET, Format
from content.i18n import Msgid, Translator
from content.types import Source
from scheduler.actions import following
from scheduler.actions import formats as actions

HOW = Msgid("To change it, send for example {examples}. For one source: {one}. To reset everything: {reset}.")


async def format_(request: Request, services: Services) -> Reply:
    """Change the choices of the chat or of one of its subscriptions; without arguments, show them."""
    if not request.arguments.strip():
        return await _show(request, services)
    t, now = request.translator.t, services.clock.now()
    try:
        name, changes = formats.parse_named(request.arguments, request.translator)
    except formats.NotUnderstood as exc:
        raise UsageError(exc.message, word=exc.word, nearest=f"/format {exc.nearest}") from exc
    source = await _source(name, request, services)
    async with services.store.write() as work:
        if name:
            after = await actions.choose_for(work, request.by, request.chat, source, changes, now)
        else:
            after = await actions.choose(work, request.by, request.chat, changes, now)
        await work.commit()
    shown = t("all sources") if source is None else present.source_name(source.name, request.translator)
    return Reply(present.notice(_set(after, shown if name else "", request.translator)))


async def _source(name: str, request: Request, services: Services) -> Source | None:
    """The source that was named; None for all, or if none was named. Raises NotFound."""
    if name.casefold() in ("", following.ALL):
        return None
    return await find_source(request, services, name)


def _set(after: Format, name: str, tr: Translator) -> str:
    """What is said of choices that were just made."""
    t, choices = tr.t, _phrases(after.phrases, tr)
    if not choices:
        return (
            t("New posts of {name} look like all others here.", name=name)
            if name
            else t("New posts look as they do by default.")
        )
    if name:
        return t("New posts of {name}: {choices}.", name=name, choices=choices)
    return t("New posts in this chat: {choices}.", choices=choices)


async def _show(request: Request, services: Services) -> Reply:
    t = request.translator.t
    async with services.store.read() as work:
        others = await actions.of_subscriptions(work, request.chat)
    rows = [_choice(name, request.chat.format, request.translator) for name in CHOICES]
    for name, choices in others:
        shown = t("all sources") if name == following.ALL else present.source_name(name, request.translator)
        rows.append(
            t("• {about}: {chosen}", about=shown, chosen=_phrases(choices.phrases, request.translator))
        )
    return Reply(Document((*present.lines(t("How posts look here"), rows).blocks, *_how(request).blocks)))


def _choice(name: str, chosen: Format, tr: Translator) -> str:
    """One choice: what it is about, what counts, and what else can be chosen."""
    choice, value = CHOICES[name], chosen.chosen[name]
    others = [phrase for other, phrase in choice.phrases.items() if other != value]
    return tr.t(
        "• {about}: {chosen} (or {others})",
        about=tr.t(choice.about),
        chosen=tr.t(choice.phrases[value]),
        others=_phrases(others, tr),
    )


def _how(request: Request) -> Document:
    t = request.translator.t
    examples = t(", ").join(f"/format {words}" for words in (t("full"), f"{t('no pictures')} {t('author')}"))
    one = f"/format {t('source')} Field notes {t('title')}"
    return present.notice(t(HOW, examples=examples, one=one, reset=f"/format {t(RESET)}"))


def _phrases(phrases: Iterable[str], tr: Translator) -> str:
    return tr.t(", ").join(map(tr.t, phrases))
