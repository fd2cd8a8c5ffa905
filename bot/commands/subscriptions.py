"""/subscribe and /unsubscribe: what a chat follows. Only its admins change that."""

from collections.abc import Sequence

from bot.access import Act
from bot.commands.named import find_source
from bot.commands.types import Reply, Request, Services, may
from content import present
from content.document import is_web_url
from content.errors import UsageError
from content.sources import normalise
from content.types import Source, Visibility
from scheduler.ports import UnitOfWork
from scheduler.types import Subscription


async def subscribe(request: Request, services: Services) -> Reply:
    """Follow a source, a new feed by its URL, or all public sources."""
    t = request.translator.t
    source = await _wanted(request, services)
    name = source.name if source else t("all public sources")
    async with services.store.write() as work:
        if request.person and source:
            await services.quotas.may_follow(work, request.chat.id, source)
        added = await work.subscriptions.add(request.chat.id, source.id if source else None)
        visible = await work.sources.visible_to(request.chat.id)
        digest = await work.digests.of(request.chat.id)
        await _audit(work, request, services, "subscribe", name)
        await work.commit()
    if not added:
        return Reply(present.notice(t("This chat follows {name} already.", name=name)))
    following = [source] if source else [one for one in visible if one.visibility is Visibility.PUBLIC]
    if all(one.visibility is Visibility.EXAMPLE for one in following):
        return Reply(present.notice(_no_posts_yet(name, request, services)))
    told = (
        t("This chat now follows {name}: new posts come with its digest.", name=name)
        if digest
        else t("This chat now follows {name}: new posts arrive here as they appear.", name=name)
    )
    return Reply(present.notice(told + "\n" + t("/latest shows what there is already.")))


def _no_posts_yet(name: str, request: Request, services: Services) -> str:
    t = request.translator.t
    following = t(
        "This chat now follows {name}, but no posts will come from there yet: examples are not sent.",
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
    """Stop following one source, or everything; what waits to be sent is cancelled."""
    t = request.translator.t
    async with services.store.read() as work:
        followed = await work.subscriptions.of(request.chat.id)
    if not followed:
        raise UsageError(t("This chat follows nothing. /subscribe changes that."))
    source = None
    if request.arguments.strip().lower() not in ("", "all"):
        source = await find_source(request, services)
        followed = [s for s in followed if s.source_id == source.id]
    name = source.name if source else t("everything")
    if not followed:
        raise UsageError(
            t("This chat does not follow {name} by itself. /sources shows what it follows.", name=name)
        )
    async with services.store.write() as work:
        follows_nothing = await _end(work, request, services, followed)
        digest = await work.digests.of(request.chat.id) if follows_nothing else None
        await _audit(work, request, services, "unsubscribe", name)
        await work.commit()
    told = t("This chat no longer follows {name}.", name=name)
    if digest:
        when, zone = digest.recurrence, digest.timezone
        told += " " + t(
            "Its digest stays scheduled: {when} ({zone}). /digest off ends it.", when=when, zone=zone
        )
    return Reply(present.notice(told))


async def _wanted(request: Request, services: Services) -> Source | None:
    """The source that is meant; a feed that nobody added yet becomes a private one."""
    words = request.arguments.strip()
    if words.lower() in ("", "all"):
        return None
    if is_web_url(words):
        return await _by_url(words, request, services)
    return await find_source(request, services)


async def _by_url(url: str, request: Request, services: Services) -> Source:
    """A source that the chat may see anyway, or one that who asks adds.

    A private one of other chats is read first as if it were new: that it is known is nobody's business.
    """
    t, person = request.translator.t, request.person
    async with services.store.read() as work:
        known = await work.sources.by_url(normalise(url))
        if known and known.id in {one.id for one in await work.sources.visible_to(request.chat.id)}:
            return known
        if not may(Act.ADD_SOURCE, request, services):
            only = t("Only operators of this bot add sources: ask one of them to add this feed.")
            raise UsageError(only + " " + t("/sources lists those that there are."))
        if person:
            await services.quotas.may_follow(work, request.chat.id, None)
            await services.quotas.may_add(work, person)
    return (await services.ingest.add(url, Visibility.PRIVATE, added_by=person)).source


async def _end(
    work: UnitOfWork,
    request: Request,
    services: Services,
    ended: Sequence[Subscription],
) -> bool:
    """Whether the chat follows nothing any more."""
    reason, now, chat_id = "unsubscribed", services.clock.now(), request.chat.id
    for subscription in ended:
        await work.subscriptions.remove(chat_id, subscription.source_id)
    still = {s.source_id for s in await work.subscriptions.of(chat_id)}
    if not still:
        await work.outbox.cancel(reason, now, chat_id=chat_id)
        return True
    for source in await work.sources.all():
        covered = source.id in still or (None in still and source.visibility is Visibility.PUBLIC)
        if not covered:
            await work.outbox.cancel(reason, now, chat_id=chat_id, source_id=source.id)
    return False


async def _audit(work: UnitOfWork, request: Request, services: Services, action: str, name: str) -> None:
    target = f"{request.chat.place} {name}"
    await work.audit.add(request.call.actor, action, target, services.clock.now())
