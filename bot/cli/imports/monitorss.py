"""MonitoRSS (synzen/MonitoRSS): its collection `userfeeds`, or `feeds` of version 6, as JSON or BSON."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from bot.cli.imports.documents import Document, read_documents
from bot.cli.imports.types import INTERVAL, Inventory, WrongFile, text
from content.formats import Format
from scheduler.actions.moving_in import OldChat, OldSubscription
from scheduler.types import ChatKind, Place

MANUAL = "MANUAL"  # why a feed or a connection is disabled: a person did it
# What a connection may have, and what that is called in the list of what is not taken over.
LOST = {
    "filters": "filters",
    "mentions": "mentions",
    "rateLimits": "a limit of posts",
    "customPlaceholders": "placeholders of their own",
    "content": "a text around the posts",
    "embeds": "embeds of their own",
    "componentRows": "buttons of their own",
    "componentsV2": "a layout of their own",
    "forumThreadTags": "tags of forum posts",
}
NO_CHANNEL = "without a channel: the file does not name it"


def read(file: Path) -> Inventory:
    """The channels and subscriptions of the bot. Raises WrongFile."""
    documents = read_documents(file)
    if not all(isinstance(one.get("url"), str) for one in documents):
        raise WrongFile(f"{file} is not from MonitoRSS: each document of its feeds has a url")
    inventory, chats = Inventory(), dict[Place, OldChat]()
    for feed in documents:
        connections = list(_connections(feed))
        for connection in connections:
            _take(feed, connection, inventory, chats)
        if not connections:
            inventory.leave(NO_CHANNEL)
    inventory.chats += chats.values()
    return inventory


def _connections(feed: Document) -> Iterator[Document]:
    """Where a feed goes: its connections; in version 6, one channel."""
    if "channel" in feed:
        yield {
            "details": {"channel": {"id": feed["channel"]}},
            "disabledCode": MANUAL * bool(feed.get("disabled")),
        }
    of_kind = _inner(feed, "connections")
    for kind in ("discordChannels", "discordWebhooks"):
        listed = of_kind.get(kind)
        yield from (one for one in (listed if isinstance(listed, list) else []) if isinstance(one, dict))


def _take(feed: Document, connection: Document, inventory: Inventory, chats: dict[Place, OldChat]) -> None:
    """Take over one connection of a feed, and count what is lost."""
    details = _inner(connection, "details")
    place = _place(details)
    if place is None:
        inventory.leave(NO_CHANNEL)
        return
    for name, what in LOST.items():
        inventory.leave(what, _has(connection.get(name)) or _has(details.get(name)))
    inventory.leave(INTERVAL, feed.get("userRefreshRateSeconds"))
    pictures = False if _inner(details, "formatter").get("stripImages") is True else None
    paused = MANUAL in (feed.get("disabledCode"), connection.get("disabledCode"))
    choices = Format(pictures=pictures)
    old = OldSubscription(text(feed["url"]), text(feed.get("title")), choices=choices, paused=paused)
    owner, zone = _inner(feed, "user").get("discordUserId"), _inner(feed, "formatOptions").get("dateTimezone")
    chat = chats.get(place) or OldChat(
        place,
        ChatKind.CHANNEL,
        owner=f"discord:{owner}" if text(owner).isdecimal() else "",
        timezone=text(zone),
    )
    chats[place] = replace(chat, subscriptions=(*chat.subscriptions, old))


def _place(details: Mapping[str, object]) -> Place | None:
    """The channel or thread of a connection. A webhook is replaced by its channel."""
    channel, webhook = _inner(details, "channel"), _inner(details, "webhook")
    for found in (channel.get("id"), webhook.get("threadId"), webhook.get("channelId")):
        if text(found).isdecimal() and len(text(found)) <= 20:
            return Place("discord", text(found))
    return None


def _inner(document: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def _has(value: object) -> bool:
    """Whether a part of a document says anything: MonitoRSS stores empty ones."""
    if isinstance(value, dict):
        return any(map(_has, value.values()))
    if isinstance(value, list):
        return any(map(_has, value))
    return bool(value)
