"""Ask the filters of subscriptions about new posts, once for each filter and post.

That is done before the transaction that stores the posts, so that it is short. A filter that was chosen
meanwhile is asked inside it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from content.matching import rejections
from content.sources.kinds import Run
from content.subjects import Subject
from content.tokens import IndexedText
from content.types import NewPost, Source
from scheduler.ports import Store, UnitOfWork

CHUNK = 200  # posts that are held in memory at once


@dataclass(frozen=True, slots=True)
class Judged:
    """The filters that were asked, by id, and those that each post failed, by the post's guid."""

    filters: Mapping[int, str] = field(default_factory=dict)
    failed: Mapping[str, Mapping[int, str]] = field(default_factory=dict)


NOT_YET = Judged()


async def judge(
    store: Store, run: Run, source: Source, posts: Sequence[NewPost], tokens: Sequence[IndexedText | None]
) -> Judged:
    """Ask all filters of a source's followers about new posts; `tokens` are those of each post, if known."""
    news = [(post, of_post) for post, of_post in zip(posts, tokens, strict=True) if not post.old_news]
    if not news:
        return NOT_YET
    async with store.read() as work:
        wanted = await work.filters.of_followers(source)
    if not wanted:
        return NOT_YET
    failed = await run(_failed, wanted, [Subject(post, source, of_post) for post, of_post in news])
    return Judged(wanted, {post.guid: why for (post, _), why in zip(news, failed, strict=True)})


async def settle(work: UnitOfWork, source: Source, posts: Sequence[int], judged: Judged) -> None:
    """Record which filters posts that were just stored have failed. Filters that are new are asked."""
    wanted = await work.filters.of_followers(source) if posts else {}
    if not wanted:
        return
    new = {key: text for key, text in wanted.items() if key not in judged.filters}
    for start in range(0, len(posts), CHUNK):
        stored = await work.posts.by_ids(posts[start : start + CHUNK])
        more = await asyncio.to_thread(_failed, new, [Subject(post, source) for post in stored])
        for post, why in zip(stored, more, strict=True):
            failed = {**judged.failed.get(post.guid, {}), **why}
            await work.filters.reject(post.id, {key: why for key, why in failed.items() if key in wanted})


async def judge_waiting(
    work: UnitOfWork, chat_id: int, source_id: int | None, filter_id: int, text: str
) -> None:
    """Ask a new filter of a subscription about the posts that wait for its digest."""
    waiting = await work.filters.waiting(chat_id, source_id)
    sources = {source.id: source for source in await work.sources.visible_to(chat_id)} if waiting else {}
    for start in range(0, len(waiting), CHUNK):
        posts = await work.posts.by_ids(waiting[start : start + CHUNK], chat_id=chat_id)
        subjects = [Subject(post, sources[post.source_id]) for post in posts]
        failed = await asyncio.to_thread(_failed, {filter_id: text}, subjects)
        for post, why in zip(posts, failed, strict=True):
            await work.filters.reject(post.id, why)


def _failed(wanted: Mapping[int, str], subjects: Sequence[Subject]) -> list[dict[int, str]]:
    """The filters that each post fails."""
    return [rejections(wanted, subject) for subject in subjects]
