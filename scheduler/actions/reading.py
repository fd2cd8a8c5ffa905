"""Reading: pages of the newest posts, and of what a search found."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from content.errors import NotFound, UsageError
from content.types import Page, Post, PostQuery
from scheduler.ports import Found, Shown, UnitOfWork
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


async def post(work: UnitOfWork, chat: Chat, shown: Shown, number: int | None) -> Post:
    """Post `number`, counted from 1, of the page that a chat was shown last.

    Raises UsageError if the page has no such post, NotFound if the chat may not see it any more.
    """
    ids = shown.ids
    if not ids:
        raise UsageError("The last page has no posts. Send /latest first.")
    if number is None or not 1 <= number <= len(ids):
        raise UsageError("Send the number of a post on the last page: /read 1 to /read {last}", last=len(ids))
    return await seen(work, chat, ids[number - 1])


async def seen(work: UnitOfWork, chat: Chat, post_id: int) -> Post:
    """A post that a chat may see. Raises NotFound."""
    for found in await work.posts.by_ids([post_id], chat_id=chat.id):
        return found
    raise NotFound("This post is no longer available.")


async def keep(work: UnitOfWork, chat: Chat, found: Found, now: datetime) -> int:
    """Keep what a chat found, so that its pages can be turned; returns its number."""
    return await work.searches.save(chat.id, found, now)


async def kept(work: UnitOfWork, chat: Chat, number: int) -> Found | None:
    """A search of this chat that was kept."""
    return await work.searches.get(number, chat.id)


async def hits(work: UnitOfWork, chat: Chat, found: Found, number: int, size: int) -> Sequence[Post]:
    """The posts on a page of what was found, as far as the chat may still see them."""
    return await work.posts.by_ids(found.ids[(number - 1) * size : number * size], chat_id=chat.id)
