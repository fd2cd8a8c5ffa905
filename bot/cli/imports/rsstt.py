"""RSS to Telegram Bot (Rongronggg9/RSS-to-Telegram-Bot): its SQLite file, or a dump of PostgreSQL."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bot.cli.imports.tables import Columns, Row, read_tables
from bot.cli.imports.types import (
    INTERVAL,
    WITHOUT_FEED,
    Inventory,
    telegram_chat,
    text,
    whole,
    words,
)
from content.formats import Detail, Format
from scheduler.actions.moving_in import OldChat, OldSubscription

OPTIONS = (
    "interval",
    "notify",
    "send_mode",
    "link_preview",
    "display_author",
    "display_via",
    "display_title",
    "display_entry_tags",
    "display_media",
    "style",
)
TABLES = {
    "user": Columns(("id", "state"), ("lang", "admin", *OPTIONS)),
    "feed": Columns(("id", "link", "title")),
    "sub": Columns(("user_id", "feed_id", "state"), ("title", "tags", *OPTIONS)),
}
AS_USER = -100  # the value of a subscription's option that is the user's
CHANNEL, BANNED = 50, -1  # states of a user


def read(file: Path) -> Inventory:
    """The chats and subscriptions of the bot. Raises WrongFile."""
    tables = read_tables(file, "RSS to Telegram Bot", TABLES)
    users = {whole(row["id"]): row for row in tables["user"]}
    feeds = {whole(row["id"]): row for row in tables["feed"]}
    followers = Counter(whole(row["feed_id"]) for row in tables["sub"])
    inventory, followed = Inventory(), dict[int, list[OldSubscription]]()
    for sub in tables["sub"]:
        number = whole(sub["user_id"])
        user, feed = users.get(number, {}), feeds.get(whole(sub["feed_id"]))
        if feed is None or not number:
            inventory.leave(WITHOUT_FEED)
        elif whole(user.get("state")) == BANNED:
            inventory.leave("of a chat that is banned there")
        else:
            alone = followers[whole(sub["feed_id"])] == 1
            followed.setdefault(number, []).append(_subscription(sub, user, feed, inventory, alone=alone))
    inventory.chats += [_chat(number, users.get(number, {}), subs) for number, subs in followed.items()]
    return inventory


def _chat(number: int, user: Row, subscriptions: list[OldSubscription]) -> OldChat:
    channel = whole(user.get("state")) == CHANNEL
    chat = telegram_chat(number, subscriptions, channel=channel, owner=whole(user.get("admin")))
    return replace(chat, language=text(user.get("lang")))


def _subscription(sub: Row, user: Row, feed: Row, inventory: Inventory, *, alone: bool) -> OldSubscription:
    """One subscription. A title of its own becomes the source's, if nobody else follows that."""
    options = {name: _option(name, sub, user) for name in OPTIONS}
    own_title = text(sub["title"])
    inventory.leave("a title of their own, but several chats follow the source", own_title and not alone)
    inventory.leave(INTERVAL, options["interval"])
    inventory.leave("sent through Telegraph, or as a link only", options["send_mode"] in (-1, 1))
    inventory.leave("their own choice of title, link preview or style", _lost(options))
    title = own_title if own_title and alone else text(feed["title"])
    paused = not whole(sub["state"])
    return OldSubscription(text(feed["link"]), title, words(sub["tags"]), _choices(options), paused)


def _option(name: str, sub: Row, user: Row) -> int:
    value = sub[name]
    mine = value is None or whole(value) == AS_USER
    return whole(user.get(name) if mine else value) if name != "notify" else _notify(value, mine, user)


def _notify(value: object, mine: bool, user: Row) -> int:
    """Whether a sound is made: yes, unless it was switched off."""
    chosen = user.get("notify") if mine else value
    return 1 if chosen is None else whole(chosen)


def _lost(options: Mapping[str, int]) -> bool:
    return any(options[name] for name in ("display_title", "link_preview", "style"))


def _choices(options: Mapping[str, int]) -> Format:
    """The options that have an equivalent; where the bot decided itself, the chat's choice counts here."""
    return Format(
        detail={-1: Detail.TITLE, 2: Detail.FULL}.get(options["send_mode"]),
        pictures=False if options["display_media"] == -1 else None,
        source={-2: False, -1: False, 1: True}.get(options["display_via"]),
        author={-1: False, 1: True}.get(options["display_author"]),
        hashtags=True if options["display_entry_tags"] == 1 else None,
        silent=None if options["notify"] else True,
    )
