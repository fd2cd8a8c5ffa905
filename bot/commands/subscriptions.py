"""/subscribe and /unsubscribe: change what a chat follows. Only its admins may."""

from bot.access import Act
from bot.commands.named import find_source
from bot.commands.panels.show import undo_button
from bot.commands.types import Reply, Request, Services, may
from content import present
from content.document import is_web_url
from content.errors import UsageError
from content.sources import Choice, choice_of
from content.types import Source, Visibility
from scheduler.actions import following, sources
from scheduler.timetable.schedules import translated


async def subscribe(request: Request, services: Services) -> Reply:
    """Follow a source, a new feed by its URL, or all public sources."""
    return await follow(await _wanted(request, services), request, services)


async def follow(source: Source | None, request: Request, services: Services) -> Reply:
    """Let the chat follow a source, None for all public ones, and say what comes of it."""
    t, now = request.translator.t, services.clock.now()
    name = present.source_name(source.name, request.translator) if source else t("all public sources")
    async with services.store.write() as work:
        added = await following.follow(work, request.by, request.chat, source, now, services.settings.quotas)
        expected = await following.outlook(work, request.chat, source)
        await work.commit()
    if not added:
        return Reply(present.notice(t("This chat already follows {name}.", name=name)))
    if expected.only_examples:
        return Reply(present.notice(_no_posts_yet(name, request, services)))
    told = (
        t("This chat now follows {name}: new posts come with its digest.", name=name)
        if expected.digest
        else t("This chat now follows {name}: new posts arrive here as they appear.", name=name)
    )
    return Reply(present.notice(told + "\n" + t("/latest shows the existing posts.")))


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


async def _wanted(request: Request, services: Services) -> Source | None:
    """The source of the arguments, None for all. A URL that is not known yet becomes a private source."""
    if _means_all(request):
        return None
    url, *words = request.arguments.split() or [""]
    if is_web_url(url):
        return await _by_url(url, choice_of(words), request, services)
    return await find_source(request, services)


async def _by_url(url: str, choice: Choice, request: Request, services: Services) -> Source:
    """The known source with this URL, or a new private one."""
    by, may_add = request.by, may(Act.ADD_SOURCE, request, services)
    async with services.store.read() as work:
        known = await sources.known_at(work, by, request.chat, url, services.settings.quotas, may_add=may_add)
    if known:
        return known
    return (await services.ingest.add(url, Visibility.PRIVATE, by=by, choice=choice)).source
