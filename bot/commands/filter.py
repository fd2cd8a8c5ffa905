"""/filter: which posts of a subscription a chat gets; tried on the newest posts before it is saved."""

import re
from collections.abc import Iterable, Sequence

from bot.commands.named import find_source
from bot.commands.types import Button, Reply, Request, Services
from bot.numbers import number
from content import present
from content.document import Document
from content.errors import UsageError
from content.i18n import Msgid, Translator
from content.matching import NAMES, Doubt
from content.text import excerpt
from content.types import Source
from scheduler.actions import filtering, following
from scheduler.actions.filtering import OFF, Trial, Tried
from scheduler.ports import UnitOfWork
from scheduler.types import Subscription

PREFIX = "f"  # of the buttons; then what to do, the subscription and the filter
SAVE, CANCEL = "s", "n"
TITLE = 60  # characters of a title in a trial
_COLONS = (":", "：")
# The source before the words, as in "Field notes: python". A full-width colon needs no space after it.
_NAMED = re.compile(r'(?P<name>[^"/:：-][^":：]*)(?::\s+|：\s*)(?P<words>.*)', re.DOTALL)
HOW = Msgid(
    "To try one, send for example {example}. For one source: {one}. To let all posts pass again: {off}."
)


async def filter_(request: Request, services: Services) -> Reply:
    """Try a filter and offer to save it, or take it back; without words, show the filters of the chat."""
    if not request.arguments.strip():
        return await _show(request, services)
    source, words = await _parts(request, services)
    if words.casefold() in (OFF, request.translator.t(OFF).casefold()):
        return await _off(source, request, services)
    return await offer(words, source, request, services)


async def offer(words: str, source: Source | None, request: Request, services: Services) -> Reply:
    """What a filter would do with the newest posts of a source (None: of all), with a button to save it."""
    t = request.translator.t
    async with services.store.write() as work:
        trial = await filtering.tried(work, request.chat, source, words, services.clock.now())
        await work.commit()
    save = Button(t("Save"), f"{PREFIX}:{SAVE}:{trial.subscription_id}:{trial.filter_id}")
    cancel = Button(t("Cancel"), f"{PREFIX}:{CANCEL}")
    return Reply(_tried(trial, source, request.translator), ((save, cancel),))


async def confirm(data: str, request: Request, services: Services) -> Reply | None:
    """Save the filter that was tried, or leave all as it is. None if the data is not known."""
    choice, *names = data.split(":")[1:] or [""]
    tr, numbers = request.translator, [number(name) for name in names]
    if choice == CANCEL:
        return Reply(present.notice(tr.t("Nothing was changed.")))
    if choice != SAVE or len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
        return None
    async with services.store.write() as work:
        subscription = await _of_chat(work, request, numbers[0])
        text = await work.filters.text(numbers[1])
        if subscription is None or text is None:
            raise UsageError(tr.t("That filter can no longer be saved. To try it again, send /filter."))
        source = await work.sources.get(subscription.source_id) if subscription.source_id else None
        now = services.clock.now()
        doubts = await filtering.set_filter(work, request.by, request.chat, source, text, now)
        await work.commit()
    saved = tr.t(
        "Saved. Only posts of {source} that pass “{filter}” are sent here now.",
        source=_name(source, tr),
        filter=text,
    )
    return Reply(present.notice("\n".join([saved, *_warnings(doubts, tr)])))


async def _off(source: Source | None, request: Request, services: Services) -> Reply:
    tr = request.translator
    async with services.store.write() as work:
        done = await filtering.remove(work, request.by, request.chat, source, services.clock.now())
        await work.commit()
    told = Msgid("All posts of {source} pass again.") if done else Msgid("{source} has no filter here.")
    return Reply(present.notice(tr.t(told, source=_name(source, tr))))


async def _show(request: Request, services: Services) -> Reply:
    tr = request.translator
    async with services.store.read() as work:
        filters = await filtering.of_chat(work, request.chat)
    rows = [tr.t("• {about}: {chosen}", about=_shown(name, tr), chosen=text) for name, text in filters]
    rows = rows or [tr.t("No filters: this chat gets all posts of its subscriptions.")]
    example, one = tr.t("/filter python -job"), tr.t("/filter Field notes: python")
    how = tr.t(HOW, example=example, one=one, off=f"/filter {tr.t(OFF)}")
    return Reply(Document((*present.lines(tr.t("Filters here"), rows).blocks, *present.notice(how).blocks)))


async def _parts(request: Request, services: Services) -> tuple[Source | None, str]:
    """The source that is meant (None: all), and the words of the filter. Raises NotFound, UsageError."""
    typed, tr = request.arguments.strip(), request.translator
    async with services.store.read() as work:
        seen = await work.sources.visible_to(request.chat.id)
    # A name may have a colon itself, so the longest one that fits is taken.
    for source in sorted(seen, key=lambda one: len(one.name), reverse=True):
        head, rest = typed[: len(source.name)], typed[len(source.name) :].lstrip()
        if head.casefold() == source.name.casefold() and rest[:1] in _COLONS and head.casefold() not in NAMES:
            return source, rest[1:].strip()
    found = _NAMED.fullmatch(typed)
    name = found["name"].strip() if found else ""
    if found is None or name.casefold() in NAMES:
        return await _only(seen, request, services), typed
    is_all = name.casefold() in (following.ALL, tr.t("all sources").casefold())
    return None if is_all else await find_source(request, services, name), found["words"]


async def _only(seen: Sequence[Source], request: Request, services: Services) -> Source | None:
    """The only source that the chat follows; None if it follows all. Raises UsageError for several."""
    async with services.store.read() as work:
        followed = [one.source_id for one in await work.subscriptions.of(request.chat.id)]
    sources = [source for source in seen if source.id in followed]
    if None in followed or not sources:
        return None
    if len(sources) == 1:
        return sources[0]
    tr, words = request.translator, request.arguments.strip()[:40]
    examples = tr.t(", ").join(f"/filter {_name(one, tr)}: {words}" for one in sources[:3])
    raise UsageError(tr.t("This chat follows several sources. Name one: {examples}", examples=examples))


async def _of_chat(work: UnitOfWork, request: Request, subscription_id: int) -> Subscription | None:
    subscriptions = await work.subscriptions.of(request.chat.id)
    return next((one for one in subscriptions if one.id == subscription_id), None)


def _tried(trial: Trial, source: Source | None, tr: Translator) -> Document:
    title = tr.t("Filter for {source}: {filter}", source=_name(source, tr), filter=trial.text)
    passing = tr.n(
        "{passing} of the newest {count} post passes.",
        "{passing} of the newest {count} posts pass.",
        len(trial.posts),
        passing=trial.passing,
    )
    summary = passing if trial.posts else tr.t("There are no posts to try it on yet.")
    rows = [summary, *_warnings(trial.doubts, tr), *(_row(tried, tr) for tried in trial.posts)]
    return present.lines(title, rows)


def _row(tried: Tried, tr: Translator) -> str:
    title = excerpt(" ".join((tried.post.title or tried.post.text).split()), TITLE)
    if not tried.why:
        return tr.t("✓ {title}", title=title)
    if tried.excluded:
        return tr.t("✗ {title} (left out by {filter})", title=title, filter=tried.why)
    return tr.t("✗ {title} (does not match {filter})", title=title, filter=tried.why)


def _warnings(doubts: Iterable[Doubt], tr: Translator) -> Sequence[str]:
    return [f"⚠ {tr.t(doubt.message, **doubt.values)}" for doubt in doubts]


def _name(source: Source | None, tr: Translator) -> str:
    return _shown(source.name if source else following.ALL, tr)


def _shown(name: str, tr: Translator) -> str:
    return tr.t("all sources") if name == following.ALL else present.source_name(name, tr)
