"""Reading: pages of the newest posts, and of what a search found."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from content.types import Page, Post, PostQuery
from scheduler.ports import Found, UnitOfWork
from scheduler.types import Chat

# Hits of which a search with several pages keeps the order.
KEPT_HITS = 1_000


def page_count(total: int, size: int) -> int:
    return max(1, -(-total // size))


async def page(
    work: UnitOfWork,
    chat: Chat,
    number: int,
    size: int,
    *,
    source_id: int | None = None,
    anchor: int | None = None,
) -> Page:
    """A page of the newest posts that a chat may see, or the last page if there are fewer.

    `anchor` is the newest post that counts, so that pages do not shift; None: the newest there is now.
    """
    anchor = await work.posts.newest_id() if anchor is None else anchor
    query = PostQuery(chat.id, source_id, anchor, (number - 1) * size, size)
    posts, total = await work.posts.page(query)
    pages = page_count(total, size)
    if number > pages:
        number = pages
        posts, total = await work.posts.page(replace(query, offset=(number - 1) * size))
    return Page(tuple(posts), number, pages, total, anchor)


async def keep(work: UnitOfWork, chat: Chat, found: Found, now: datetime) -> int:
    """Keep what a chat found, so that its pages can be turned; returns its number."""
    return await work.searches.save(chat.id, found, now)


async def kept(work: UnitOfWork, chat: Chat, number: int) -> Found | None:
    """A search of this chat that was kept."""
    return await work.searches.get(number, chat.id)


async def hits(work: UnitOfWork, chat: Chat, found: Found, number: int, size: int) -> Sequence[Post]:
    """The posts on a page of what was found, as far as the chat may still see them."""
    return await work.posts.by_ids(found.ids[(number - 1) * size : number * size], chat_id=chat.id)
