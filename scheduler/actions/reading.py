"""Reading: pages of the newest posts, and search."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from content import search
from content.errors import UsageError
from content.types import Page, Post, PostQuery, Ranking
from scheduler.ports import UnitOfWork
from scheduler.types import Chat

# Hits of which a search with several pages keeps the order.
KEPT_HITS = 1_000


class NoWords(UsageError):
    """A search has to look for something."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: how many posts, the best of them, and the text that was asked for."""

    words: str
    ids: tuple[int, ...]
    total: int


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


def understood(words: str) -> search.Query:
    """What somebody looks for. Raises NoWords, UsageError."""
    query = search.parse(words)
    if query.problems:
        raise UsageError(
            "I don't understand “{filter}”. Dates are written like after:2026-01-31.",
            filter=query.problems[0][:40],
        )
    if query.empty:
        raise NoWords("What should I look for? Give at least one word.")
    return query


async def find(work: UnitOfWork, words: str, limit: int, chat: Chat | None = None) -> Ranking:
    """The best posts with all the words: of those that a chat may see, or of all.

    Raises NoWords, UsageError, SearchTooLong.
    """
    return await work.index.search(understood(words), PostQuery(chat.id if chat else None, limit=limit))


async def keep(work: UnitOfWork, chat: Chat, words: str, ranking: Ranking, now: datetime) -> int:
    """Keep the order of what a chat found, so that its pages can be turned; returns its number."""
    return await work.searches.save(chat.id, words, ranking.ids, ranking.total, now)


async def kept(work: UnitOfWork, chat: Chat, number: int) -> Found | None:
    """A search of this chat that was kept."""
    saved = await work.searches.get(number, chat.id)
    return Found(saved.query, saved.ids, saved.total) if saved else None


async def hits(work: UnitOfWork, chat: Chat, found: Found, number: int, size: int) -> Sequence[Post]:
    """The posts on a page of what was found, as far as the chat may still see them."""
    return await work.posts.by_ids(found.ids[(number - 1) * size : number * size], chat_id=chat.id)
