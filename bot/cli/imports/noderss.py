"""NodeRSSBot (fengkx/NodeRSSBot): its SQLite file, or a dump of PostgreSQL."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from bot.cli.imports.tables import Columns, read_tables
from bot.cli.imports.types import WITHOUT_FEED, Inventory, telegram_chat, text, whole
from scheduler.actions.moving_in import OldSubscription

TABLES = {
    "rss_feed": Columns(("feed_id", "url", "feed_title")),
    "subscribes": Columns(("feed_id", "user_id")),
}
LANGUAGES = {"users": Columns(("user_id", "lang"))}  # older versions have no such table
# Characters that a decoded URL has kept.
KEPT = "%/:?#[]@!$&'()*+,;=~"


def read(file: Path) -> Inventory:
    """The chats and subscriptions of the bot. Raises WrongFile."""
    tables = read_tables(file, "NodeRSSBot", TABLES, optional=LANGUAGES)
    feeds = {whole(row["feed_id"]): row for row in tables["rss_feed"]}
    languages = {whole(row["user_id"]): text(row["lang"]) for row in tables.get("users", ())}
    inventory, followed = Inventory(), dict[int, list[OldSubscription]]()
    for sub in tables["subscribes"]:
        number, feed = whole(sub["user_id"]), feeds.get(whole(sub["feed_id"]))
        if feed is None or not number:
            inventory.leave(WITHOUT_FEED)
            continue
        url = quote(text(feed["url"]), safe=KEPT)
        followed.setdefault(number, []).append(OldSubscription(url, text(feed["feed_title"])))
    inventory.chats += [
        replace(telegram_chat(number, subs), language=languages.get(number, ""))
        for number, subs in followed.items()
    ]
    return inventory
