"""Reading: /latest, /page, /search, /sources."""

from bot.commands.named import find_source
from bot.commands.types import Reply, Request, Services
from bot.commands.views import View, ViewKind, open_search, page_count, show
from bot.numbers import number
from content import present, search
from content.errors import SearchTooLong, UsageError
from content.types import PostQuery


async def latest(request: Request, services: Services) -> Reply:
    """The newest posts, of one source or of all that the chat may see."""
    source = await find_source(request, services) if request.arguments else None
    async with services.store.read() as work:
        anchor = await work.posts.newest_id()
    view = View(ViewKind.LATEST, source.id if source else 0, 1, anchor)
    return await show(view, request, services)


async def page(request: Request, services: Services) -> Reply:
    """A page of the newest posts by its number."""
    t = request.translator.t
    async with services.store.read() as work:
        anchor = await work.posts.newest_id()
        _, total = await work.posts.page(PostQuery(request.chat.id, anchor=anchor, limit=1))
    pages = page_count(total, services.page_size)
    wanted = request.arguments.strip()
    asked = number(wanted)
    if asked is None or not 1 <= asked <= pages:
        example = t("There is one page: send /page 1") if pages == 1 else ""
        example = example or t("There are {pages} pages: send /page 1 to /page {pages}", pages=pages)
        shown = wanted[:20]
        raise UsageError(t("“{page}” is not a page.", page=shown) + " " + example if shown else example)
    return await show(View(ViewKind.LATEST, 0, asked, anchor), request, services)


async def search_posts(request: Request, services: Services) -> Reply:
    """Posts with all the words that are asked for."""
    t = request.translator.t
    words = request.arguments.strip()
    query = search.parse(words)
    if query.problems:
        hint = t("Dates are written like after:2026-01-31.")
        raise UsageError(t("I do not understand {filter}.", filter=query.problems[0][:40]) + " " + hint)
    if query.empty:
        raise UsageError(t("What should I look for? For example: /search LoRA 微调"))
    try:
        return await open_search(words, request, services)
    except SearchTooLong as exc:
        raise UsageError(
            t("This search took too long and was stopped. Please use fewer or longer words.")
        ) from exc


async def sources(request: Request, services: Services) -> Reply:
    """The sources that the chat may see, and which it follows."""
    async with services.store.read() as work:
        visible = await work.sources.visible_to(request.chat.id)
        followed = {subscription.source_id for subscription in await work.subscriptions.of(request.chat.id)}
    public = None in followed
    rows = [(s, s.id in followed or (public and s.visibility == "public")) for s in visible]
    return Reply(present.sources(rows, request.look))
