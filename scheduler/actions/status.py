"""How it stands with a chat, and with the whole deployment."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from content.types import Source, SourceState, Visibility
from scheduler.actions.audit import Change
from scheduler.history import Outlook
from scheduler.ports import AuditEntry, UnitOfWork
from scheduler.types import Chat, ChatAccess, DeliveryState, Digest

# What failed, or was refused, within this time is told.
LATELY = timedelta(days=7)
REFUSALS = 5


@dataclass(frozen=True, slots=True)
class ChatStatus:
    """What a chat follows (None in `sources`: all public ones), its digests, and its deliveries."""

    sources: Sequence[Source | None]
    digests: Sequence[Digest]
    outlook: Outlook


@dataclass(frozen=True, slots=True)
class Deployment:
    """What operators want to know. `failing` are the sources that could not be read the last time.

    `pushed` counts the sources that tell of their posts by themselves.
    `fullest` is the person who added the most private sources, and how many.
    """

    chats: Mapping[ChatAccess, int]
    queue: Mapping[DeliveryState, int]
    sources: int
    pushed: int
    private: int
    fullest: tuple[str, int]
    failing: Sequence[Source]
    refused: Sequence[AuditEntry]


async def of_chat(work: UnitOfWork, chat: Chat, now: datetime) -> ChatStatus:
    subscriptions = await work.subscriptions.of(chat.id)
    followed = [await work.sources.get(s.source_id) if s.source_id else None for s in subscriptions]
    outlook = await work.history.outlook(chat.id, now - LATELY)
    return ChatStatus(followed, await work.digests.of(chat.id), outlook)


async def of_deployment(work: UnitOfWork, now: datetime) -> Deployment:
    sources = await work.sources.all()
    added = Counter(s.added_by for s in sources if s.added_by and s.visibility is Visibility.PRIVATE)
    return Deployment(
        chats=await work.chats.accesses(),
        queue=await work.history.queue(),
        sources=len(sources),
        pushed=sum(push.works for push in await work.pushes.all()),
        private=await work.sources.count_private(),
        fullest=max(added.items(), key=lambda one: one[1], default=("", 0)),
        failing=[one for one in sources if one.failures or one.state is SourceState.PAUSED],
        refused=await work.audit.newest(REFUSALS, since=now - LATELY, action=Change.REFUSED),
    )
