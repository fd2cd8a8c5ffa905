"""Commands that show posts and sources: /latest, /page, /read, /search, /sources."""

from bot.commands.named import find_source
from bot.commands.types import Button, Reply, Request, Services
from bot.commands.views import LIKE_IT, open_page, open_search
from bot.numbers import number
from content import present
from content.errors import SearchTooLong, UsageError
from scheduler.actions import following, reading, searching


async def latest(request: Request, services: Services) -> Reply:
    """Show the newest posts, of one source or of all sources that the chat may see."""
    source = await find_source(request, services) if request.arguments else None
    async with services.store.read() as work:
        page = await reading.page(
            work, request.chat, 1, services.settings.page_size, source_id=source.id if source else None
        )
    return await open_page(page, source.id if source else 0, request, services)


async def page(request: Request, services: Services) -> Reply:
    """Show the page with the given number of the newest posts. Raises UsageError if there is none."""
    t, wanted = request.translator.t, request.arguments.strip()
    asked = number(wanted)
    async with services.store.read() as work:
        found = await reading.page(work, request.chat, max(asked or 1, 1), services.settings.page_size)
    if asked is not None and asked == found.number:
        return await open_page(found, 0, request, services)
    pages = found.pages
    example = t("There is one page: send /page 1") if pages == 1 else ""
    example = example or t("There are {pages} pages: send /page 1 to /page {pages}", pages=pages)
    shown = wanted[:20]
    wrong = t("“{page}” is not a page.", page=shown) if shown else ""
    raise UsageError(request.translator.sentences(wrong, example))


async def read(request: Request, services: Services) -> Reply:
    """Show a post of the last page in full, by its place there. Raises UsageError, NotFound."""
    async with services.store.read() as work:
        last = await services.shown.of(work, request.chat)
        post = await reading.post(work, request.chat, last, number(request.arguments.strip()))
    button = Button(request.translator.t("Similar posts"), f"{LIKE_IT}:{post.id}")
    return Reply(present.post(post, request.look), ((button,),))


async def search_posts(request: Request, services: Services) -> Reply:
    """Show the posts that match a search. Raises UsageError."""
    t = request.translator.t
    try:
        return await open_search(request.arguments.strip(), request, services)
    except searching.NoWords as exc:
        raise UsageError(t("What should I look for? For example: /search LoRA 微调")) from exc
    except SearchTooLong as exc:
        raise UsageError(
            t("This search took too long and was stopped. Please use fewer or longer words.")
        ) from exc


async def sources(request: Request, services: Services) -> Reply:
    """List the sources that the chat may see, and mark those that it follows."""
    async with services.store.read() as work:
        rows = await following.visible_sources(work, request.chat)
    return Reply(present.sources(rows, request.look))
