"""The same story of several sources: found when a post is stored, left out for chats that want it once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from scheduler.types import Chat

if TYPE_CHECKING:
    from scheduler.ports import UnitOfWork

# Why the ledger of a chat says that a post was skipped.
STORY = "the same story came from another source"


@dataclass(frozen=True, slots=True)
class Told:
    """A post whose title is compared. `story` is the first post of its story, perhaps itself."""

    id: int
    title: str
    story: int


class StoryRepository(Protocol):
    async def wanted(self) -> bool:
        """Whether any chat wants each story once. While none does, no titles are compared."""
        ...

    async def near(self, keys: Collection[int], since: datetime) -> Sequence[Told]:
        """Posts seen since a moment that share the most keys, the oldest first."""
        ...

    async def record(self, post_id: int, keys: Collection[int], story: int | None) -> None:
        """Store the keys of a post's title, and the first post of its story if that is another one."""
        ...

    async def came(self, chat_id: int, posts: Sequence[int]) -> Mapping[int, int]:
        """Which of some waiting posts tell a story again, with the post by which it came to the chat.

        That may be an earlier one of them. Of two posts of one source none tells a story again.
        """
        ...

    async def leave_out(self, chat_id: int, instead: Mapping[int, int]) -> None:
        """Record posts as skipped, each with the post that came instead."""
        ...

    async def prune(self, before: datetime, limit: int) -> int:
        """Delete keys of posts seen before a moment, at most `limit`; returns how many."""
        ...


async def recognise(work: "UnitOfWork", posts: Sequence[int], now: datetime) -> None:
    """Find the story that each new post tells, among the titles of the last days."""
    if not posts or not await work.stories.wanted():
        return
    from content.stories import WITHIN, same_story, title_of

    for one in await work.posts.beginnings(posts, 0):
        title = title_of(one.title)
        if title is None:
            continue
        near = await work.stories.near(title.keys, now - WITHIN)
        others = ((told.story, title_of(told.title)) for told in near)
        story = next((story for story, other in others if other and same_story(title, other)), None)
        await work.stories.record(one.id, title.keys, story)


async def once(work: "UnitOfWork", chat: Chat, posts: Sequence[int]) -> Sequence[int]:
    """The waiting posts of a chat without those that tell a story again, which are recorded as skipped."""
    if not posts or not chat.format.once:
        return posts
    instead = await work.stories.came(chat.id, posts)
    await work.stories.leave_out(chat.id, instead)
    return [post_id for post_id in posts if post_id not in instead]
