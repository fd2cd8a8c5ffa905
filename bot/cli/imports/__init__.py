"""`skywave import …`: takes over the chats and subscriptions of another bot."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.arguments import commands_of
from bot.cli.common import counted, open_app, run, say, warn
from bot.cli.imports import flowerss, monitorss, noderss, rsstt
from bot.cli.imports.types import Inventory
from bot.cli.progress import index, progress
from bot.engine import Engine
from bot.visible import visible_line
from content.errors import UsageError
from content.secrets import printable, without_secrets
from content.types import Source
from scheduler.actions.audit import COMMAND_LINE
from scheduler.actions.moving_in import MovedIn, OldChat, move_in

# To add a bot, write its reader in a module of this package and list it here.
BOTS: Mapping[str, Callable[[Path], Inventory]] = {
    "rsstt": rsstt.read,
    "flowerss": flowerss.read,
    "noderss": noderss.read,
    "monitorss": monitorss.read,
}

commands = commands_of()


@commands.command("import")
def import_(
    bot: Annotated[str, typer.Argument(metavar="BOT", help=f"Which bot wrote the file: {', '.join(BOTS)}.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Its database, or a dump of it.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")
    ] = False,
) -> None:
    """Take over the chats and subscriptions of another bot. Nothing that it has sent is sent again.

    skywave import rsstt config/db.sqlite3 --dry-run
    """
    run(_import(bot, file, dry_run))


async def _import(bot: str, file: Path, dry_run: bool) -> int:
    if bot not in BOTS:
        raise UsageError(f"{bot!r} is not a bot that can be imported: use {', '.join(BOTS)}")
    inventory = BOTS[bot](file)
    async with open_app() as app:
        moved = await _move_all(app, inventory.chats, dry_run=dry_run)
        _tell(moved, inventory, dry_run=dry_run)
        if not dry_run:
            await _read_new(app, _added(moved))
    return 0


async def _move_all(app: Engine, chats: Sequence[OldChat], *, dry_run: bool) -> list[MovedIn]:
    """Each chat moves in a transaction of its own, which a dry run does not commit."""
    moved = list[MovedIn]()
    with progress("moving", len(chats)) as done:
        for old in chats:
            async with app.store.write() as work:
                moved.append(await move_in(work, COMMAND_LINE, old, app.clock.now(), app.settings.quotas))
                if not dry_run:
                    await work.commit()
            done(str(old.place))
    return moved


def _added(moved: Sequence[MovedIn]) -> Sequence[Source]:
    """The new sources, each once: in a dry run, the next chat adds the same again."""
    return list({source.url: source for one in moved for source in one.added}.values())


def _tell(moved: Sequence[MovedIn], inventory: Inventory, *, dry_run: bool) -> None:
    chats = counted(sum(one.new for one in moved), "new chat")
    subscriptions = counted(sum(len(one.followed) for one in moved), "new subscription")
    sources = counted(len(_added(moved)), "new source")
    say(f"{chats}, {subscriptions}, {sources}" + (": nothing was changed, as this is a dry run" * dry_run))
    known = sum(len(old.subscriptions) for old in inventory.chats)
    refused = [(one.chat, failure) for one in moved for failure in one.refused]
    before = known - sum(len(one.followed) for one in moved) - len(refused)
    if before > 0:
        say(f"{counted(before, 'subscription')} had been taken over before")
    if inventory.left or refused:
        say("Not taken over:")
    for what, count in Counter(inventory.left).most_common():
        say(f"  {counted(count, 'subscription')}: {what}")
    for chat, failure in refused:
        named = visible_line(f"{printable(failure.name)[:200]}: {without_secrets(failure.reason)}")
        say(f"  {chat.place}: {named}")


async def _read_new(app: Engine, added: Sequence[Source]) -> None:
    """Read the new sources once, so that their posts are there; those that fail are tried again later."""
    failed = list[str]()
    with progress("reading", len(added)) as done:
        async for result in app.poller.poll_each(added):
            done(result.source.name)
            if result.error:
                failed.append(visible_line(f"{result.source.name}: {without_secrets(result.error)}"))
    await index(app)
    if failed:
        warn("Added, but cannot be read now; Skywave tries again:")
    for line in sorted(failed):
        warn(f"  {line}")
