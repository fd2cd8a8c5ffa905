"""Builds values with default fields, for tests that need only one or two of the fields."""

from datetime import UTC, datetime, timedelta

from content.types import Media, NewPost, Source, Visibility
from scheduler.ports import UnitOfWork
from scheduler.timetable.digests import put_in
from scheduler.types import Digest, Form, Message, Part, PartState, Place, Sent

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(minutes: float) -> datetime:
    """The moment so many minutes after `NOW`; negative means before it."""
    return NOW + timedelta(minutes=minutes)


def new_post(
    guid: str = "post-1",
    *,
    key: str | None = None,
    title: str = "A title",
    text: str = "",
    published_at: datetime = NOW,
    updated_at: datetime | None = None,
    tags: tuple[str, ...] = (),
    media: tuple[Media, ...] = (),
    content_hash: str = "hash",
) -> NewPost:
    """A post that is ready to be stored. Its key is derived from its guid."""
    return NewPost(
        guid=guid,
        key=f"key of {guid}" if key is None else key,
        url=f"https://example.org/{guid}",
        title=title,
        author="An author",
        published_at=published_at,
        updated_at=updated_at,
        html=f"<p>{text}</p>",
        text=text,
        language="en",
        tags=tags,
        media=media,
        content_hash=content_hash,
    )


def source(
    source_id: int = 1,
    *,
    url: str = "https://example.org/feed.xml",
    title: str = "A source",
    visibility: Visibility = Visibility.PUBLIC,
) -> Source:
    return Source(source_id, "feed", url, title, visibility)


def place(address: str = "100", topic: str = "", platform: str = "telegram") -> Place:
    return Place(platform, address, topic)


def message(text: str = "Hello", posts: tuple[int, ...] = ()) -> Message:
    return Message({"text": text}, posts)


def part(
    delivery_id: int,
    n: int = 0,
    *,
    form: Form = Form.FULL,
    state: PartState = PartState.SENDING,
    posts: tuple[int, ...] = (),
    fingerprint: str = "rendering",
    sent: Sent | None = None,
    unknowns: int = 0,
) -> Part:
    return Part(delivery_id, n, form, state, posts, fingerprint, sent, unknowns)


async def with_digest(work: UnitOfWork, digest: Digest) -> Digest:
    """Give a chat a digest that all it follows comes with; if it follows nothing, all public sources."""
    chat = await work.chats.get(digest.chat_id)
    assert chat is not None
    if not await work.subscriptions.of(chat.id):
        await work.subscriptions.add(chat.id, None)
    saved = await work.digests.save(digest)
    mine = [one.id for one in await work.subscriptions.of(chat.id)]
    await put_in(work, chat, saved, mine, digest.next_run_at)
    return saved
