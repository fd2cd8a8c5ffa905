"""`skywave posts …`: updates that operators write themselves."""

import sys
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from bot.cli.arguments import Number, commands_of
from bot.cli.common import Json, chat_named, open_app, print_json, run, say, to_json
from bot.cli.tables import print_table
from bot.platforms.terminal.limits import HERE
from content.errors import NotFound, UsageError
from scheduler.actions import chats, updates
from scheduler.actions.audit import COMMAND_LINE
from scheduler.timetable import recurrences
from scheduler.types import Chat, ChatKind, Draft

commands = commands_of("Updates that you write yourself.")


@commands.command("add")
def add(
    text: Annotated[str, typer.Argument(help="A title line and a text in Markdown; - reads standard input.")],
    chat: Annotated[
        str, typer.Option("--chat", help="To this chat; without it, to all that follow updates.")
    ] = "",
    at: Annotated[
        str,
        typer.Option(
            "--at",
            help="Like 18:30, tomorrow 9:00 or 2026-11-25 18:30, in the chat's time zone if one is given.",
        ),
    ] = "",
) -> None:
    """Write an update, now or at a time. A running skywave sends it.

    skywave posts add "Maintenance tonight" --at 18:30
    """
    run(_add(sys.stdin.read() if text == "-" else text.replace("\\n", "\n"), chat, at))


async def _add(text: str, name: str, at: str) -> None:
    async with open_app() as app, app.store.write() as work:
        now, chat = app.clock.now(), await chat_named(work, name) if name else None
        zone = chats.zone_of(chat, app.settings.timezone)
        due_at = _moment(at, zone, now)
        # What goes to all belongs to the chat that the operator sits at.
        at_chat = chat or await work.chats.ensure(HERE, kind=ChatKind.TERMINAL)
        try:
            draft = await updates.write(
                work, COMMAND_LINE, at_chat, text, due_at or now, now, app.settings.quotas
            )
        except updates.NoText as exc:
            raise UsageError(f"{exc} Give a title line, and on the next lines a body in Markdown") from exc
        await updates.schedule(work, COMMAND_LINE, at_chat, draft, now, everywhere=chat is None)
        await work.commit()
    when = "soon" if due_at is None else f"{due_at.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M} ({zone})"
    say(f"The update goes out {when} to {chat.name if chat else 'all chats that follow updates'}.")


def _moment(at: str, zone: str, now: datetime) -> datetime | None:
    if not at:
        return None
    moment, rest = recurrences.parse_moment(at, zone, now)
    if rest:
        raise UsageError(f"I don't understand “{rest}” after the time: write --at '2026-11-25 18:30'")
    return moment


@commands.command("list")
def list_(json: Json = False) -> None:
    """List the scheduled updates."""
    run(_list(json))


async def _list(json: bool) -> None:
    async with open_app() as app, app.store.read() as work:
        drafts = await work.drafts.scheduled()
        by_id = {chat.id: chat for chat in await work.chats.all()}
    if json:
        print_json([to_json(draft) for draft in drafts])
        return
    default = app.settings.timezone
    rows = [
        (d.id, _to(d, by_id[d.chat_id]), _local(d, by_id[d.chat_id], default), d.text.strip().split("\n")[0])
        for d in drafts
    ]
    print_table(
        ("#", "to", "goes out", "title"), rows, "No scheduled updates. Write one: skywave posts add TEXT"
    )


def _to(draft: Draft, chat: Chat) -> str:
    return "all" if draft.everywhere else chat.name


def _local(draft: Draft, chat: Chat, default: str) -> str:
    zone = chats.zone_of(None if draft.everywhere else chat, default)
    return f"{draft.due_at.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M} ({zone})" if draft.due_at else ""


@commands.command("cancel")
def cancel(number: Number) -> None:
    """Discard a scheduled update."""
    run(_cancel(number))


async def _cancel(number: int) -> None:
    async with open_app() as app, app.store.write() as work:
        if not await updates.discard(work, COMMAND_LINE, number, app.clock.now()):
            raise NotFound(f"no scheduled update has the number {number}: skywave posts list shows them")
        await work.commit()
    say(f"Update {number} was discarded.")
