"""Paged views. A button's data says everything that is needed to show its page, also after a restart."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.commands.types import Button, Reply, Request, Services
from bot.numbers import number
from content import present, relaxing, snippets
from content.errors import UsageError
from content.types import Page, Post, SearchResults
from scheduler.actions import reading, searching
from scheduler.actions.reading import page_count
from scheduler.ports import Found, Shown

# Page numbers in a row: Telegram allows eight buttons, and « and » take two.
NUMBERED = 6
SIMILAR = 30  # similar posts at most
LIKE_IT = "m"  # prefix of the button for similar posts; the post's id follows


class ViewKind(StrEnum):
    LATEST = "l"  # `subject` is a source, 0 for all
    SEARCH = "s"  # `subject` is a saved search


@dataclass(frozen=True, slots=True)
class View:
    """One page of a view. `anchor`: the newest post when it was opened, so later posts do not shift pages."""

    kind: ViewKind
    subject: int
    page: int
    anchor: int

    def encode(self) -> str:
        """The view as a button's data: at most 64 bytes, because no number has more than DIGITS digits."""
        return f"{self.kind}:{self.subject}:{self.page}:{self.anchor}"

    @classmethod
    def decode(cls, data: str) -> "View | None":
        kind, *numbers = data.split(":")
        match [number(text) for text in numbers]:
            case [int(subject), int(page), int(anchor)] if kind in list(ViewKind):
                return cls(ViewKind(kind), subject, page, anchor)
        return None


def page_buttons(view: View, pages: int) -> tuple[Button, ...]:
    """Buttons like « 1 · 2 · 3 »: the first page, the last, and those next to the current one."""
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
    """The reply with the page that a button names; None if its data is not valid."""
    view = View.decode(data)
    return None if view is None or view.page < 1 else await show(view, request, services)


async def show(view: View, request: Request, services: Services) -> Reply:
    """The reply that shows a view. A page number beyond the last shows the last page."""
    if view.kind is ViewKind.SEARCH:
        return await _show_search(view, request, services)
    source_id, size = view.subject or None, services.settings.page_size
    async with services.store.read() as work:
        page = await reading.page(
            work, request.chat, view.page, size, source_id=source_id, anchor=view.anchor
        )
    return await open_page(page, view.subject, request, services)


async def open_page(page: Page, subject: int, request: Request, services: Services) -> Reply:
    """The reply that shows a page of the newest posts. `subject` is the id of a source, or 0 for all."""
    view = View(ViewKind.LATEST, subject, page.number, page.anchor)
    _remember(view, page.pages, page.posts, request, services)
    return Reply(present.page(page, request.look), (page_buttons(view, page.pages),))


async def more(request: Request, services: Services) -> Reply:
    """The reply that shows the page after the one that the chat was shown last. Raises UsageError."""
    async with services.store.read() as work:
        shown = await services.shown.of(work, request.chat)
    view = View.decode(shown.view)
    if view is None or view.page >= shown.pages:
        raise UsageError(request.translator.t("That was the last page. /latest shows the newest posts."))
    return await show(replace(view, page=view.page + 1), request, services)


def _remember(view: View, pages: int, posts: Sequence[Post], request: Request, services: Services) -> None:
    services.shown.note(request.chat, Shown(view.encode(), pages, tuple(post.id for post in posts)))


async def open_search(text: str, request: Request, services: Services) -> Reply:
    """Search and show the first page. The ranking is stored for the other pages."""
    async with services.store.read() as work:
        found = await searching.find(work, text, reading.KEPT_HITS, request.chat)
    return await _open(found, request, services)


async def similar(data: str, request: Request, services: Services) -> Reply | None:
    """The reply with the posts that are similar to the one that a button names. Raises NotFound."""
    post_id = number(data.partition(":")[2])
    if post_id is None:
        return None
    async with services.store.read() as work:
        post = await reading.seen(work, request.chat, post_id)
        found = await searching.similar(work, post, SIMILAR, request.chat)
    return await _open(found, request, services)


async def _open(found: Found, request: Request, services: Services) -> Reply:
    saved = 0
    if found.total > services.settings.page_size:
        async with services.store.write() as work:
            saved = await reading.keep(work, request.chat, found, services.clock.now())
            await work.commit()
    return await _results(View(ViewKind.SEARCH, saved, 1, 0), found, request, services)


async def _show_search(view: View, request: Request, services: Services) -> Reply:
    async with services.store.read() as work:
        found = await reading.kept(work, request.chat, view.subject)
    if found is None:
        t = request.translator.t
        return Reply(present.error(t("These results have expired. Please search again.")))
    pages = page_count(len(found.ids), services.settings.page_size)
    return await _results(replace(view, page=min(view.page, pages)), found, request, services)


async def _results(view: View, found: Found, request: Request, services: Services) -> Reply:
    size = services.settings.page_size
    async with services.store.read() as work:
        posts = await reading.hits(work, request.chat, found, view.page, size)
    query, limit = relaxing.matched(found.words, found.match), request.look.excerpt_length
    # In a thread, because a snippet of a long post takes milliseconds, which would block the event loop.
    hits = [await asyncio.to_thread(snippets.hit, post, query, limit) for post in posts]
    pages = page_count(len(found.ids), size)
    _remember(view, pages, posts, request, services)
    results = SearchResults(found.total, tuple(hits), found.match)
    document = present.results(found.words, results, view.page, pages, request.look)
    return Reply(document, (page_buttons(view, pages),))
