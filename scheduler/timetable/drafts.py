"""Drafts become posts of the source `updates`, and go through ledger and outbox like any other."""

from collections.abc import Callable
from datetime import datetime

from content import changes
from content.errors import SourceError
from content.sources.kinds import Parser
from content.sources.updates import TITLE, to_parsed_post
from content.types import (
    OF_OPERATORS,
    UPDATES,
    ParsedPost,
    ParsedSource,
    Post,
    Source,
    Visibility,
    updates_of,
)
from scheduler.actions.audit import Actor, Change, record
from scheduler.actions.updates import named
from scheduler.judging import NOT_YET, settle
from scheduler.log import Logger
from scheduler.ports import Clock, Store, UnitOfWork
from scheduler.types import Broadcast, BroadcastKind, Chat, ChatAccess, Draft, DraftState

log = Logger(__name__)


class Drafts:
    """Publishes drafts; `wake` is called when deliveries were made.

    Without `parser`, their texts are parsed in this process.
    """

    def __init__(
        self, store: Store, clock: Clock, wake: Callable[[], None], parser: Parser | None = None
    ) -> None:
        self._store, self._clock, self._wake, self._parser = store, clock, wake, parser

    async def publish_due(self) -> int:
        """Publish the scheduled drafts that are due; returns how many there were."""
        async with self._store.read() as work:
            due = await work.drafts.due(self._clock.now())
        for draft in due:
            try:
                await self.publish(draft)
            except SourceError as exc:  # it could be read for its preview; the others go out
                log.warning("draft.failed", draft=draft.id, reason=str(exc))
        return len(due)

    async def publish(self, draft: Draft, by: Actor | None = None) -> bool:
        """Make a draft a post and send it, once; False if it was published or discarded before.

        `by` is the person who sends it; None: its time has come. One to a banned chat is discarded. Raises
        SourceError when its text cannot be read.
        """
        now = self._clock.now()
        parsed = await self._parsed(draft, now)
        async with self._store.write() as work:
            chat = await work.chats.get(draft.chat_id)
            assert chat is not None, "a draft goes with its chat"
            if chat.access is ChatAccess.BANNED:
                await work.drafts.set_state(draft.id, DraftState.DISCARDED)
                await work.commit()
                return False
            published = DraftState.PUBLISHED
            if not await work.drafts.set_state(draft.id, published, everywhere=draft.everywhere):
                return False
            await _send(work, draft, chat, parsed, now)
            by = by or Actor(draft.actor)
            await record(work, by, Change.UPDATE_SENT, now, named(draft.id, draft.everywhere), chat=chat)
            await work.commit()
        log.info("draft.published", draft=draft.id, everywhere=draft.everywhere)
        self._wake()
        return True

    async def preview(self, draft: Draft, now: datetime) -> Post:
        """The post that a draft would become now. Raises SourceError when its text cannot be read."""
        return _shown(draft, await self._parsed(draft, draft.due_at or now), now)

    async def _parsed(self, draft: Draft, now: datetime) -> ParsedPost:
        if self._parser is None:
            return to_parsed_post(str(draft.id), draft.text, now)
        return await self._parser.call(f"draft {draft.id}", to_parsed_post, str(draft.id), draft.text, now)


async def _send(work: UnitOfWork, draft: Draft, chat: Chat, post: ParsedPost, now: datetime) -> None:
    source = await updates_source(work, None if draft.everywhere else str(chat.place))
    parsed = ParsedSource(posts=(post,))
    found = changes.diff([], parsed, source_url=source.url, now=now)
    if not draft.everywhere:
        # Only chats that follow the source see its posts in /latest and /search.
        await work.subscriptions.add(chat.id, source.id)
    posts = tuple(await work.posts.insert(source.id, found.new, now))
    await settle(work, source, posts, NOT_YET)
    broadcast_id = await work.outbox.broadcast(Broadcast(BroadcastKind.POST, posts), now)
    if broadcast_id is None:
        return
    if draft.everywhere:
        await work.outbox.fan_out(broadcast_id, source, now)
    else:
        await work.outbox.deliver(broadcast_id, chat.id, now)


async def updates_source(work: UnitOfWork, place: str | None) -> Source:
    """The source of a chat's own updates, or the public one of the operators."""
    url = OF_OPERATORS if place is None else updates_of(place)
    visibility = Visibility.PUBLIC if place is None else Visibility.PRIVATE
    found = await work.sources.by_url(url)
    return found or await work.sources.add(UPDATES, url, TITLE, visibility)


def _shown(draft: Draft, parsed: ParsedPost, now: datetime) -> Post:
    new = changes.diff([], ParsedSource(posts=(parsed,)), source_url=OF_OPERATORS, now=now).new[0]
    return Post(
        id=0,
        source_id=0,
        source_title=TITLE,
        guid=new.guid,
        key=new.key,
        url=new.url,
        title=new.title,
        author=new.author,
        published_at=draft.due_at or now,
        updated_at=None,
        first_seen_at=now,
        html=new.html,
        text=new.text,
        language=new.language,
        tags=new.tags,
        media=new.media,
    )
