"""Edits of a run: whether each message shows the last change of its posts, and what went before it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Any

from scheduler.delivery.editing import AT_ONCE
from scheduler.ports import EditLimits
from scheduler.types import DeliveryState, PartState
from tests.chaos.books import Books
from tests.chaos.verdict import POST
from tests.chaos.world import World, title

LIMITS = EditLimits()
# A delivery that was made so shortly before an edit was recorded may have been made after its request.
SHORTLY = timedelta(seconds=15)


@dataclass(slots=True)
class Edited:
    """What became of the edits, each with its chat and post."""

    shown: int = 0
    listed: int = 0
    """Messages that cannot be edited any more or had their limit of edits; the database says so."""
    lost: list[str] = field(default_factory=list)
    """The message shows an older version of a post."""
    overtook: list[str] = field(default_factory=list)
    """The message was edited while a delivery waited for its chat."""
    repeated: int = 0
    """Edits on Discord that changed nothing: the outcome of the one before was unknown."""
    most_repeated: int = 0


def judge_edits(world: World, books: Books, ends: int) -> Edited:
    """Compare what messages show with the feed. `ends`: how often the program ended."""
    edited = Edited(most_repeated=ends * AT_ONCE + sum(storm.passed for storm in world.storms))
    edited.overtook += _overtook(books)
    deliveries = {d.id: d for d in books.deliveries if d.state == DeliveryState.SENT}
    chats = {chat.id: chat for chat in books.chats}
    refused = {edit.delivery_id for edit in books.edits if edit.reason}
    of_delivery = Counter(edit.delivery_id for edit in books.edits if edit.done)
    of_chat = Counter(edit.chat_id for edit in books.edits if edit.done)
    names = {post.id: found[1] for post in books.posts if (found := POST.match(post.title))}
    # Nobody sees the messages of a deleted chat any more, and nobody can edit them.
    deleted = {address for spot in world.spots if spot.deleted for address in spot.addresses}
    for part in books.parts:
        delivery = deliveries.get(part.delivery_id)
        if delivery is None or chats[delivery.chat_id].address in deleted:
            continue
        message = _message(world, chats, delivery, part)
        if message is None:
            continue
        platform, texts = message
        if platform == "discord":
            edited.repeated += sum(one == other for one, other in pairwise(texts))
        limited = (
            delivery.id in refused
            or of_delivery[delivery.id] >= LIMITS.of_delivery
            or of_chat[delivery.chat_id] >= LIMITS.of_chat
        )
        for name in (names[post] for post in part.posts if names.get(post, "") in world.changes):
            if title(name, world.changes[name]) in texts[-1]:
                edited.shown += 1
            elif limited:
                edited.listed += 1
            else:
                edited.lost.append(f"{chats[delivery.chat_id].address} {title(name, world.changes[name])}")
    return edited


def _overtook(books: Books) -> Iterator[str]:
    made = {row.broadcast_id: row.created_at for row in books.editions}
    waits: dict[int, list[Any]] = {}
    for delivery in books.deliveries:
        waits.setdefault(delivery.chat_id, []).append(delivery)
    for edit in (edit for edit in books.edits if edit.done and not edit.reason):
        for other in waits.get(edit.chat_id, ()):
            begun = made.get(other.broadcast_id)
            if begun and begun < edit.at - SHORTLY and (other.ended_at is None or other.ended_at > edit.at):
                yield f"chat {edit.chat_id}, delivery {other.id} of {begun:%T} waited at {edit.at:%T}"


def _message(
    world: World, chats: dict[int, Any], delivery: Any, part: Any
) -> tuple[str, Sequence[str]] | None:
    """The platform of a message that was sent, and all its texts, oldest first; None if it is gone."""
    if part.state != PartState.SENT or not part.sent or not part.sent["message_ids"]:
        return None
    address, number = int(part.sent["address"]), int(part.sent["message_ids"][0])
    if chats[delivery.chat_id].platform == "telegram":
        chat = world.tg.world.chats.get(address)
        message = chat.messages.get(number) if chat else None
        return ("telegram", [one.text for one in (*message.history, message)]) if message else None
    channel = world.dc.world.channels.get(address)
    shown = channel.messages.get(number) if channel else None
    if shown is None:
        return None
    return "discord", [str((one.content, one.embeds, one.components)) for one in (*shown.history, shown)]
