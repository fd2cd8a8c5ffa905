"""Posts in every chat: what an app offers while a person types the bot's name and some words."""

import asyncio
from dataclasses import dataclass, replace

from bot.commands.types import Request, Services
from bot.numbers import number
from content import present
from content.document import Document
from content.formats import Detail
from content.present import Look
from content.text import excerpt
from content.types import Post
from content.urls import is_web_url
from scheduler.actions import reading, searching

PAGE = 10  # posts that are offered at once
MOST = 100  # hits of a search that are offered at all
TITLE, SUMMARY = 120, 160  # code points


@dataclass(frozen=True, slots=True)
class Offer:
    """A post that can be sent into any chat: a line of the list, and the message that it becomes."""

    key: str
    title: str
    summary: str
    url: str
    document: Document


@dataclass(frozen=True, slots=True)
class Offers:
    """A page of posts. `following` names the next page, if there is one; `note` says why there are none."""

    posts: tuple[Offer, ...] = ()
    following: str = ""
    note: str = ""


NOTHING = Offers()


async def offers(place: str, request: Request, services: Services) -> Offers:
    """The posts for the words of a person, the newest ones without words, from `place` on.

    Only posts that the person's own private chat may see. Raises UsageError, SearchTooLong.
    """
    if request.arguments.strip():
        return await _found(place, request, services)
    page, anchor = (number(part) for part in (place or "1:").partition(":")[::2])
    async with services.store.read() as work:
        newest = await reading.page(work, request.chat, page or 1, PAGE, anchor=anchor)
    following = f"{newest.number + 1}:{newest.anchor}" if newest.number < newest.pages else ""
    return await _offered(newest.posts, following, request)


async def _found(place: str, request: Request, services: Services) -> Offers:
    page = number(place) or 1
    async with services.store.read() as work:
        found = await searching.find(work, request.arguments.strip(), MOST, request.chat)
        posts = await reading.hits(work, request.chat, found, page, PAGE)
    if not found.ids:
        query = excerpt(request.arguments, present.QUERY_LENGTH)
        return Offers(note=request.translator.t("Nothing found for “{query}”.", query=query))
    following = str(page + 1) if page * PAGE < len(found.ids) else ""
    return await _offered(tuple(posts), following, request)


async def _offered(posts: tuple[Post, ...], following: str, request: Request) -> Offers:
    # Whoever reads the post elsewhere has to see where it is from.
    shown = replace(request.look.format, detail=Detail.EXCERPT, source=True)
    look = replace(request.look, format=shown)
    # In a thread, because a post takes a millisecond, and more if it is long.
    offered = await asyncio.to_thread(lambda: tuple(_offer(post, look) for post in posts))
    return Offers(offered, following)


def _offer(post: Post, look: Look) -> Offer:
    source = present.source_name(post.source_title, look.translator)
    summary = " · ".join(filter(None, (source, excerpt(post.text, SUMMARY))))
    title = excerpt(post.title, TITLE) or excerpt(post.text, TITLE) or source or post.guid[:TITLE]
    return Offer(str(post.id), title, summary, post.url * is_web_url(post.url), present.post(post, look))
