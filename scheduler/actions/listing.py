"""The list of feeds that a chat follows, to be taken elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from content.secrets import is_public
from content.types import Source
from scheduler.actions.audit import Actor
from scheduler.ports import UnitOfWork
from scheduler.types import Chat, ChatKind

FEED = "feed"  # the kind of source that other feed readers know


@dataclass(frozen=True, slots=True)
class Followed:
    """The feeds that a chat follows. `left_out` counts those whose URL may hold somebody else's key."""

    feeds: Sequence[Source]
    left_out: int


async def followed(work: UnitOfWork, by: Actor, chat: Chat) -> Followed:
    """What a person may take along from a chat.

    In a private chat, that includes the feeds that the person has added, with the keys in their URLs.
    """
    ids = await work.subscriptions.followed(chat.id)
    feeds = [one for one in await work.sources.visible_to(chat.id) if one.id in ids and one.kind == FEED]
    own = by.name if chat.kind is ChatKind.PRIVATE else None
    shown = [feed for feed in feeds if is_public(feed.url) or feed.added_by == own]
    return Followed(shown, len(feeds) - len(shown))
