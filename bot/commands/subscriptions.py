"""/subscribe and /unsubscribe: change what a chat follows. Only its admins may."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.access import Act
from bot.commands import choices
from bot.commands.named import find_source
from bot.commands.panels.show import undo_button
from bot.commands.types import Reply, Request, Services, may
from content import present
from content.errors import NotFound, UsageError
from content.secrets import printable
from content.sources import NO_CHOICE, Choice, choice_of
from content.sources.discovery import Found, NoFeed, SeveralFeeds
from content.sources.sites import is_address, may_be_address
from content.types import Source, Visibility
from scheduler.actions import following, sources
from scheduler.timetable.schedules import translated


@dataclass(frozen=True, slots=True)
class Wanted:
    """A source to follow, None for all public ones.

    `page`: the address that led to it, if it has another. `kept`: it was known, and has other options.
    """

    source: Source | None
    page: str = ""
    kept: bool = False


async def subscribe(request: Request, services: Services) -> Reply:
    """Follow a source, a new one by an address, or all public sources. A page may offer several to choose."""
    try:
        return await follow(await wanted(request, services), request, services)
    except SeveralFeeds as several:
        return choices.offered(several, request)
    except NoFeed as exc:
        return choices.no_feed(exc, request)


async def follow(wanted: Wanted, request: Request, services: Services) -> Reply:
    """Let the chat follow a source, and say what comes of it."""
    t, now, source = request.translator.t, services.clock.now(), wanted.source
    name = present.source_name(source.name, request.translator) if source else t("all public sources")
    async with services.store.write() as work:
        added = await following.follow(work, request.by, request.chat, source, now, services.settings.quotas)
        expected = await following.outlook(work, request.chat, source)
        await work.commit()
    if not added:
        return Reply(present.notice(t("This chat already follows {name}.", name=name)))
    if expected.only_examples:
        return Reply(present.notice(_no_posts_yet(name, request, services)))
    told = [
        t("This chat now follows {name}: new posts come with its digest.", name=name)
        if expected.digest
        else t("This chat now follows {name}: new posts arrive here as they appear.", name=name)
    ]
    if source and wanted.page:
        told.append(t("The feed of that page is {url}.", url=printable(source.url)))
    if wanted.kept:
        told.append(t("It is read as before: an operator can change its options."))
    told.append(t("/latest shows the existing posts."))
    return Reply(present.notice("\n".join(told)))


def _no_posts_yet(name: str, request: Request, services: Services) -> str:
    t = request.translator.t
    following = t(
        "This chat now follows {name}, but example posts are not sent.",
        name=name,
    )
    example = "/subscribe https://example.org/feed.xml"
    next_step = (
        t("Follow a feed by its address: {example}", example=example)
        if may(Act.ADD_SOURCE, request, services)
        else t("Ask an operator of this bot to add a source.")
    )
    return following + "\n" + next_step


async def unsubscribe(request: Request, services: Services) -> Reply:
    """Stop following one source, or everything; pending deliveries are cancelled."""
    t, now = request.translator.t, services.clock.now()
    everything = _means_all(request)
    source = None if everything else await find_source(request, services)
    async with services.store.write() as work:
        done = await following.unfollow(work, request.by, request.chat, source, now)
        await work.commit()
    if not done.ended:
        raise UsageError(_not_followed(source, done.through_all, request))
    tr = request.translator
    told = [
        t("Unsubscribed from {name}.", name=present.source_name(source.name, tr))
        if source
        else t("Unsubscribed from all sources.")
    ]
    if source and done.through_all:
        told.append(t("Its posts still come through “all sources”. To stop those too, send /unsubscribe."))
    for digest in done.digests:
        when, zone = translated(digest.recurrence, tr), digest.timezone
        told.append(
            t(
                "The digest stays scheduled: {when} ({zone}). To end it, send /digest off.",
                when=when,
                zone=zone,
            )
        )
    undo = undo_button(done.number, request, services)
    return Reply(present.notice(tr.sentences(*told)), ((undo,),))


def _not_followed(source: Source | None, through_all: bool, request: Request) -> str:
    t = request.translator.t
    if source is None:
        return t("No subscriptions yet. Add one with /subscribe.")
    name = present.source_name(source.name, request.translator)
    if through_all:
        return t("{name} is only included through “all sources”. To end those, send /unsubscribe.", name=name)
    return t("This chat does not follow {name}. /sources shows what it follows.", name=name)


def _means_all(request: Request) -> bool:
    return request.arguments.strip().lower() in ("", following.ALL)


async def wanted(request: Request, services: Services) -> Wanted:
    """The source of the arguments. One that is not known becomes a private source. Raises SeveralFeeds."""
    if _means_all(request):
        return Wanted(None)
    address, *words = request.arguments.split()
    if is_address(address):
        return await at(address, choice_of(words), request, services)
    try:
        return Wanted(await find_source(request, services))
    except NotFound:
        if words or not may_be_address(address):
            raise
    return await at(f"https://{address}", NO_CHOICE, request, services)


async def at(address: str, choice: Choice, request: Request, services: Services) -> Wanted:
    """The source at an address: one that the chat may see, or a new private one. Raises SeveralFeeds."""
    ingest, by = services.ingest, request.by
    forms = ingest.stored_forms(address, choice)
    if known := await _known(forms, request, services):
        kept = bool(choice.options) and sources.with_options(known, choice.options) != known.options
        return Wanted(known, kept=kept)
    return await _added(await ingest.find(address, by=by, choice=choice), request, services)


async def chosen(page: str, key: str, request: Request, services: Services) -> Wanted:
    """The feed whose button was pressed, if its page still names it. Raises NotFound."""
    ingest, by = services.ingest, request.by
    await _known((), request, services)  # refuses who may add no source
    try:
        await ingest.find(page, by=by)
    except SeveralFeeds as several:
        if feed := several.with_key(key):
            found = replace(await ingest.check(feed.url, by=by), page=page)
            return await _added(found, request, services)
    t = request.translator.t
    raise NotFound(
        t("That page no longer names this feed. To see what it names now, send its address again.")
    )


async def _added(found: Found, request: Request, services: Services) -> Wanted:
    """What was found as a private source; one that is known keeps its visibility."""
    added = await services.ingest.add_found(found, Visibility.PRIVATE, by=request.by)
    return Wanted(added.source, found.page)


async def _known(urls: Sequence[str], request: Request, services: Services) -> Source | None:
    may_add, quotas = may(Act.ADD_SOURCE, request, services), services.settings.quotas
    async with services.store.read() as work:
        return await sources.known_at(work, request.by, request.chat, urls, quotas, may_add=may_add)
