"""flowerss bot (indes/flowerss-bot): its SQLite file, or a dump of MySQL."""

from pathlib import Path

from bot.cli.imports.tables import Columns, read_tables
from bot.cli.imports.types import INTERVAL, WITHOUT_FEED, Inventory, telegram_chat, text, whole, words
from content.formats import Format
from scheduler.actions.moving_in import OldSubscription

TABLES = {
    "sources": Columns(("id", "link", "title")),
    "subscribes": Columns(
        ("user_id", "source_id"), ("enable_notification", "enable_telegraph", "tag", "interval")
    ),
}
USUAL_INTERVAL = 10  # minutes


def read(file: Path) -> Inventory:
    """The chats and subscriptions of the bot. Raises WrongFile.

    A source with many errors is taken over: pausing all of a chat's subscriptions counts as errors there.
    """
    tables = read_tables(file, "flowerss", TABLES)
    feeds = {whole(row["id"]): row for row in tables["sources"]}
    inventory, followed = Inventory(), dict[int, list[OldSubscription]]()
    for sub in tables["subscribes"]:
        number, feed = whole(sub["user_id"]), feeds.get(whole(sub["source_id"]))
        if feed is None or not number:
            inventory.leave(WITHOUT_FEED)
            continue
        inventory.leave(INTERVAL, whole(sub["interval"]) not in (0, USUAL_INTERVAL))
        inventory.leave("sent through Telegraph", whole(sub["enable_telegraph"]) == 1)
        silent = sub["enable_notification"] is not None and whole(sub["enable_notification"]) != 1
        choices = Format(silent=True if silent else None)
        old = OldSubscription(text(feed["link"]), text(feed["title"]), words(sub["tag"]), choices)
        followed.setdefault(number, []).append(old)
    inventory.chats += [telegram_chat(number, subs) for number, subs in followed.items()]
    return inventory
