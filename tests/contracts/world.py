"""Short ways to bring a store into the state that a test starts from; each is one unit of work."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from content.search import parse
from content.types import NewPost, PostQuery, Source, Visibility
from scheduler.actions.why import Answer, about
from scheduler.judging import NOT_YET, judge_waiting, settle
from scheduler.ports import Closed, DeliveryFilter, Outcome, PartEnded, Store, UnitOfWork
from scheduler.stories import recognise
from scheduler.types import (
    Broadcast,
    BroadcastKind,
    Chat,
    ChatState,
    Delivery,
    DeliveryState,
    Part,
    PartState,
    Sent,
)
from tests.builders import NOW, new_post, part, place

ANY = DeliveryFilter()


async def edition(work: UnitOfWork, *posts: int, body: str = "", now: datetime = NOW) -> int:
    """The id of a new broadcast: a notice, a post, or an edition of several."""
    kind = BroadcastKind.POST if len(posts) == 1 else BroadcastKind.EDITION
    made = await work.outbox.broadcast(
        Broadcast(BroadcastKind.NOTICE if body else kind, posts, body=body), now
    )
    assert made is not None
    return made


@dataclass(frozen=True, slots=True)
class World:
    """A store and what tests do to it. `epoch` is that of the holder who sends."""

    store: Store
    epoch: int = 1

    def as_holder(self, epoch: int) -> "World":
        return replace(self, epoch=epoch)

    async def source(self, name: str = "feed", visibility: Visibility = Visibility.PUBLIC) -> Source:
        async with self.store.write() as work:
            added = await work.sources.add("feed", f"https://example.org/{name}", name, visibility)
            await work.commit()
        return added

    async def posts(self, source: Source, *posts: NewPost | str) -> list[int]:
        """Store posts, given as such or as guids, without telling anybody."""
        made = [new_post(post) if isinstance(post, str) else post for post in posts]
        async with self.store.write() as work:
            ids = await work.posts.insert(source.id, made, NOW)
            await work.commit()
        return list(ids)

    async def publish(self, source: Source, *posts: NewPost | str, now: datetime = NOW) -> list[int]:
        """Store posts and fan them out as one edition; returns their ids."""
        made = [new_post(post) if isinstance(post, str) else post for post in posts]
        async with self.store.write() as work:
            ids = list(await work.posts.insert(source.id, made, now))
            await settle(work, source, ids, NOT_YET)
            await recognise(work, ids, now)
            await work.outbox.fan_out(await edition(work, *ids, now=now), source, now)
            await work.commit()
        return ids

    async def deliver(self, chat: Chat, *posts: int, now: datetime = NOW, body: str = "") -> bool:
        """Send an edition of some posts, or a notice, to one chat."""
        async with self.store.write() as work:
            made = await work.outbox.deliver(await edition(work, *posts, body=body, now=now), chat.id, now)
            await work.commit()
        return made

    async def chat(self, address: str = "100", topic: str = "", platform: str = "telegram") -> Chat:
        async with self.store.write() as work:
            made = await work.chats.ensure(place(address, topic, platform))
            await work.commit()
        return made

    async def follower(self, *sources: Source | None, address: str = "100", topic: str = "") -> Chat:
        """A chat that follows some sources; None: all public ones."""
        chat = await self.chat(address, topic)
        for source in sources:
            await self.follow(chat, source)
        return chat

    async def follow(self, chat: Chat, source: Source | None) -> bool:
        async with self.store.write() as work:
            added = await work.subscriptions.add(chat.id, source.id if source else None)
            await work.commit()
        return added

    async def filter(self, chat: Chat, source: Source | None, text: str | None, now: datetime = NOW) -> None:
        """Let a chat's subscription have a filter, or none."""
        source_id = source.id if source else None
        async with self.store.write() as work:
            filter_id = None if text is None else await work.filters.keep(text, now)
            await work.filters.choose(chat.id, source_id, filter_id, now)
            if filter_id is not None and text is not None:
                await judge_waiting(work, chat.id, source_id, filter_id, text)
            await work.commit()

    async def set_state(self, chat: Chat, state: ChatState, reason: str = "") -> None:
        async with self.store.write() as work:
            await work.chats.set_state(chat.id, state, reason)
            await work.commit()

    async def move(self, old: str, new: str, platform: str = "telegram") -> None:
        async with self.store.write() as work:
            await work.chats.move(platform, old, new)
            await work.commit()

    async def claim(
        self, limit: int = 100, *, now: datetime = NOW, platform: str = "telegram"
    ) -> list[Delivery]:
        async with self.store.write() as work:
            claimed = await work.outbox.claim(platform, now, limit, self.epoch)
            await work.commit()
        return list(claimed)

    async def record(self, parts: Sequence[Part], *marks: Outcome, now: datetime = NOW) -> list[Part]:
        async with self.store.write() as work:
            begun = await work.outbox.record(parts, marks, now, self.epoch)
            await work.commit()
        return list(begun)

    async def begin(self, *parts: Part) -> list[Part]:
        return await self.record(parts)

    async def mark(self, *marks: Outcome, now: datetime = NOW) -> None:
        await self.record((), *marks, now=now)

    async def send(self, delivery: Delivery) -> None:
        """Let all posts of a claimed delivery arrive in one message, and close it."""
        sending = part(delivery.id, posts=delivery.posts)
        assert await self.begin(sending) == [sending]
        arrived = replace(sending, state=PartState.SENT, sent=Sent("100", ("1",)))
        await self.mark(PartEnded(arrived, delivery.posts), Closed(delivery.id, DeliveryState.SENT))

    async def recover(self, platform: str = "telegram") -> list[Delivery]:
        async with self.store.write() as work:
            left = await work.outbox.recover(platform, self.epoch)
            await work.commit()
        return list(left)

    async def cancel(
        self, reason: str, *, chat: Chat | None = None, source: Source | None = None, now: datetime = NOW
    ) -> int:
        async with self.store.write() as work:
            closed = await work.outbox.cancel(
                reason, now, chat_id=chat.id if chat else None, source_id=source.id if source else None
            )
            await work.commit()
        return closed

    async def retry(self, which: DeliveryFilter = ANY, now: datetime = NOW) -> int:
        async with self.store.write() as work:
            opened = await work.outbox.retry(which, now)
            await work.commit()
        return opened

    async def prune(self, before: datetime) -> int:
        async with self.store.write() as work:
            forgotten = await work.outbox.prune(before, 1000)
            await work.commit()
        return forgotten

    async def found(self, which: DeliveryFilter = ANY) -> list[Delivery]:
        async with self.store.read() as work:
            found = await work.outbox.find(which, 10_000)
        return sorted(found, key=lambda delivery: (delivery.due_at, delivery.id))

    async def of(self, chat: Chat) -> list[Delivery]:
        return await self.found(DeliveryFilter(chat_id=chat.id))

    async def waiting(self, chat: Chat) -> list[tuple[int, ...]]:
        """The posts of each delivery that waits for a chat."""
        pending = DeliveryFilter(states=[DeliveryState.PENDING], chat_id=chat.id)
        return [delivery.posts for delivery in await self.found(pending)]

    async def why(self, chat: Chat, posts: Sequence[int], now: datetime = NOW) -> list[Answer]:
        """Why a chat got each of these posts or not."""
        async with self.store.read() as work:
            return list(await about(work, chat, posts, now))

    async def search(self, text: str, scope: PostQuery | None = None) -> Sequence[int]:
        async with self.store.read() as work:
            return (await work.index.search(parse(text), scope or PostQuery())).ids
