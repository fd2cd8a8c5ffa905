"""Filters: which posts of a subscription a chat gets, and a trial on the posts that are there."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from content import matching
from content.errors import UsageError
from content.i18n import Msgid
from content.matching import MAX_BYTES, MAX_FILTER, MAX_PATTERNS, Doubt, Filter
from content.subjects import Subject
from content.types import Post, PostQuery, Source
from scheduler.actions.audit import Actor, Change, record
from scheduler.actions.following import ALL
from scheduler.actions.formats import subscription_to
from scheduler.judging import judge_waiting
from scheduler.ports import UnitOfWork
from scheduler.types import Chat

TRIED = 20  # posts that a filter is tried on
# What people type to take a filter back, and what the audit then says.
OFF = Msgid("off")


@dataclass(frozen=True, slots=True)
class Tried:
    """A post that a filter was tried on. `why` is the condition that it fails, empty if it passes.

    `excluded`: it fails because it has what the condition excludes.
    """

    post: Post
    why: str
    excluded: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """What a filter, in its normal text, would do with the newest posts of a subscription, newest first."""

    subscription_id: int
    filter_id: int
    text: str
    posts: tuple[Tried, ...]
    doubts: tuple[Doubt, ...]

    @property
    def passing(self) -> int:
        return sum(not tried.why for tried in self.posts)


async def tried(work: UnitOfWork, chat: Chat, source: Source | None, text: str, now: datetime) -> Trial:
    """Try a filter on the newest posts of a source (None: of all that the chat sees).

    Only its text is stored, so that a button can name it by its id. Raises UsageError for what is not
    understood, and if the chat has no such subscription.
    """
    subscription = await subscription_to(work, chat, source)
    wanted = understood(text)
    query = PostQuery(chat.id, source_id=source.id if source else None, limit=TRIED)
    posts, _ = await work.posts.page(query)
    sources = {one.id: one for one in await work.sources.visible_to(chat.id)}
    # In a thread, because it takes milliseconds, which would block the event loop.
    results = await asyncio.to_thread(_try, wanted, posts, sources)
    doubts = matching.doubts(wanted, source, now.astimezone(UTC).date())
    filter_id = await work.filters.keep(wanted.text, now)
    return Trial(subscription.id, filter_id, wanted.text, tuple(results), tuple(doubts))


async def set_filter(
    work: UnitOfWork, by: Actor, chat: Chat, source: Source | None, text: str, now: datetime
) -> Sequence[Doubt]:
    """Give a chat's subscription to a source (None: to all public ones) a filter; returns doubts about it.

    It applies to new posts, and to those that wait for a digest. Raises UsageError as `tried` does.
    """
    subscription = await subscription_to(work, chat, source)
    wanted = understood(text)
    if wanted.text != subscription.filter:
        filter_id = await work.filters.keep(wanted.text, now)
        await work.filters.choose(chat.id, subscription.source_id, filter_id, now)
        await judge_waiting(work, chat.id, subscription.source_id, filter_id, wanted.text)
        await record(work, by, Change.FILTER, now, f"{_name(source)}: {wanted.text}", chat=chat)
    return matching.doubts(wanted, source, now.astimezone(UTC).date())


async def remove(work: UnitOfWork, by: Actor, chat: Chat, source: Source | None, now: datetime) -> bool:
    """Let all posts of a subscription pass again; False if it had no filter. Raises UsageError."""
    subscription = await subscription_to(work, chat, source)
    if not subscription.filter:
        return False
    await work.filters.choose(chat.id, subscription.source_id, None, now)
    await record(work, by, Change.FILTER, now, f"{_name(source)}: {OFF}", chat=chat)
    return True


async def of_chat(work: UnitOfWork, chat: Chat) -> Sequence[tuple[str, str]]:
    """The filters of a chat: of each the name of its source, or `ALL`, and its text."""
    names = {source.id: source.name for source in await work.sources.visible_to(chat.id)}
    return [
        (names.get(one.source_id or 0, ALL), one.filter)
        for one in await work.subscriptions.of(chat.id)
        if one.filter
    ]


def understood(text: str) -> Filter:
    """What a filter means. Raises UsageError, with the nearest valid form if there is one."""
    wanted = matching.parse(text)
    too_long = max(len(text), len(wanted.text)) > MAX_FILTER or len(wanted.text.encode()) > MAX_BYTES
    if too_long:
        raise UsageError("A filter has at most {limit} characters.", limit=MAX_FILTER)
    if wanted.problems:
        raise UsageError(
            "I don't understand “{filter}”. Write it like {example}.",
            filter=wanted.problems[0].typed[:40],
            example=wanted.problems[0].nearest[:80],
        )
    if wanted.patterns > MAX_PATTERNS:
        raise UsageError("A filter has at most {limit} regular expressions.", limit=MAX_PATTERNS)
    if not wanted.conditions:
        raise UsageError("What should pass? Give at least one word, or one to leave out: -word.")
    return wanted


def _try(wanted: Filter, posts: Sequence[Post], sources: dict[int, Source]) -> list[Tried]:
    failed = [wanted.rejection(Subject(post, sources[post.source_id])) for post in posts]
    return [
        Tried(post, one.text if one else "", one is not None and one.excluded)
        for post, one in zip(posts, failed, strict=True)
    ]


def _name(source: Source | None) -> str:
    return source.name if source else ALL
