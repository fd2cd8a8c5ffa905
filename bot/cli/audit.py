"""`skywave audit`: who changed what, and from where."""

from typing import Annotated

import typer

from bot.cli.arguments import commands_of, whole
from bot.cli.common import Json, open_app, parse_place, print_json, run, to_json
from bot.cli.tables import print_table
from scheduler.actions.audit import COMMAND_LINE
from scheduler.ports import AuditEntry

commands = commands_of()


@commands.command()
def audit(
    limit: Annotated[
        int, typer.Option(metavar="NUMBER", parser=whole(), help="At most this many entries.")
    ] = 100,
    chat: Annotated[str, typer.Option("--chat", help="Only of this chat, like telegram:-100123.")] = "",
    action: Annotated[str, typer.Option("--action", help="Only this action, like subscribe.")] = "",
    json: Json = False,
) -> None:
    """List who changed what, the newest first. Changes come from chats and from the command line.

    skywave audit --chat telegram:-100123 --limit 20
    """
    run(_audit(limit, chat, action, json))


async def _audit(limit: int, chat: str, action: str, json: bool) -> None:
    place = parse_place(chat) if chat else None
    async with open_app() as app, app.store.read() as work:
        entries = await work.audit.newest(limit, action=action, place=place)
    if json:
        print_json([to_json(entry) for entry in entries])
        return
    empty = "No changes match." if chat or action else "No changes yet."
    print_table(("at", "who", "action", "what"), [_row(entry) for entry in entries], empty)


def _row(entry: AuditEntry) -> tuple[str, ...]:
    who = "command line" if entry.actor == COMMAND_LINE.name else entry.actor
    return f"{entry.at:%Y-%m-%d %H:%M:%S}Z", who, entry.action, entry.target
