"""Pages that can be turned: what a button carries is all that is needed to show its page again."""

import asyncio
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.commands.types import Button, Reply, Request, Services
from bot.numbers import number
from content import present, search
from content.types import Page, PostQuery, SearchHit, SearchResults

# Telegram takes rows of eight buttons; « and » are two of them.
NUMBERED = 6
# Hits of which a pager keeps the order.
KEPT_HITS = 1_000


class ViewKind(StrEnum):
    LATEST = "l"  # `subject` is a source, 0 for all
    SEARCH = "s"  # `subject` is a saved search


@dataclass(frozen=True, slots=True)
class View:
    """One page of a view. `anchor` is the newest post when it was opened: later ones move no page."""

    kind: ViewKind
    subject: int
    page: int
    anchor: int

    def encode(self) -> str:
        """At most 64 bytes: no number has more than DIGITS digits."""
        return f"{self.kind}:{self.subject}:{self.page}:{self.anchor}"

    @classmethod
    def decode(cls, data: str) -> "View | None":
        kind, *numbers = data.split(":")
        match [number(text) for text in numbers]:
            case [int(subject), int(page), int(anchor)] if kind in list(ViewKind):
                return cls(ViewKind(kind), subject, page, anchor)
        return None


def page_count(total: int, size: int) -> int:
    return max(1, -(-total // size))


def page_buttons(view: View, pages: int) -> tuple[Button, ...]:
    """« 1 · 2 · 3 »: the first, the last and those around the shown page."""
    if pages < 2:
        return ()
    here = view.page
    near = range(1, pages + 1) if pages <= NUMBERED else sorted({1, here - 1, here, here + 1, pages})
    row = [Button("«", replace(view, page=here - 1).encode())] if here > 1 else []
    for page in near:
        if 1 <= page <= pages:
            label = f"· {page} ·" if page == here else str(page)
            row.append(Button(label, replace(view, page=page).encode()))
    if here < pages:
        row.append(Button("»", replace(view, page=here + 1).encode()))
    return tuple(row)


async def turn(data: str, request: Request, services: Services) -> Reply | None:
    """The page that a button asks for; None if it is not one of ours."""
    view = View.decode(data)
    return None if view is None or view.page < 1 else await show(view, request, services)


async def show(view: View, request: Request, services: Services) -> Reply:
    """The reply that shows a view; a page beyond the last shows the last."""
    if view.kind is ViewKind.SEARCH:
        return await _show_search(view, request, services)
    size = services.page_size
    query = PostQuery(request.chat.id, view.subject or None, view.anchor, (view.page - 1) * size, size)
    async with services.store.read() as work:
        posts, total = await work.posts.page(query)
    pages = page_count(total, size)
    if view.page > pages:
        return await show(replace(view, page=pages), request, services)
    page = Page(tuple(posts), view.page, pages, total, view.anchor)
    return Reply(present.page(page, request.look), page_buttons(view, pages))


async def open_search(text: str, request: Request, services: Services) -> Reply:
    """The first page of what is found; the order of the hits is kept for the others."""
    query = search.parse(text)
    scope = PostQuery(request.chat.id, limit=KEPT_HITS)
    async with services.store.read() as work:
        ranking = await work.index.search(query, scope)
    view = View(ViewKind.SEARCH, 0, 1, 0)
    if ranking.total > services.page_size:
        async with services.store.write() as work:
            now = services.clock.now()
            saved = await work.searches.save(request.chat.id, text, ranking.ids, ranking.total, now)
            await work.commit()
        view = replace(view, subject=saved)
    return await _results(view, text, ranking.ids, ranking.total, request, services)


async def _show_search(view: View, request: Request, services: Services) -> Reply:
    async with services.store.read() as work:
        saved = await work.searches.get(view.subject, request.chat.id)
    if saved is None:
        t = request.translator.t
        return Reply(present.error(t("These results are too old to turn. Please search again.")))
    pages = page_count(len(saved.ids), services.page_size)
    view = replace(view, page=min(view.page, pages))
    return await _results(view, saved.query, saved.ids, saved.total, request, services)


async def _results(
    view: View, text: str, ids: tuple[int, ...], total: int, request: Request, services: Services
) -> Reply:
    size = services.page_size
    shown = ids[(view.page - 1) * size : view.page * size]
    async with services.store.read() as work:
        posts = await work.posts.by_ids(shown, chat_id=request.chat.id)
    query, limit = search.parse(text), request.look.excerpt_length
    # Long posts take milliseconds each: not on the event loop.
    snippets = [await asyncio.to_thread(search.snippet, post.text, query, limit) for post in posts]
    hits = tuple(SearchHit(post, snippet) for post, snippet in zip(posts, snippets, strict=True))
    pages = page_count(len(ids), size)
    document = present.results(text, SearchResults(total, hits), view.page, pages, request.look)
    return Reply(document, page_buttons(view, pages))
