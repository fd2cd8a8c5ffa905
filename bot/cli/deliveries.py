"""`skywave deliveries …`: what was sent, what is queued, what failed."""

from datetime import datetime
from typing import Annotated

import typer

from bot.cli.arguments import commands_of, whole
from bot.cli.arguments import seconds as times
from bot.cli.common import Json, chat_named, counted, open_app, print_json, run, say, to_json, warn
from bot.cli.tables import print_table
from bot.cli.watch import Watch, watch
from content.errors import UsageError
from scheduler.actions import deliveries
from scheduler.actions.audit import COMMAND_LINE
from scheduler.ports import DeliveryFilter, UnitOfWork
from scheduler.types import Delivery, DeliveryState, Headline

commands = commands_of("What was sent, what is queued, what failed.")

Chat = Annotated[str, typer.Option("--chat", help="Only of this chat, like telegram:-100123.")]
Broadcast = Annotated[
    int | None, typer.Option("--broadcast", metavar="NUMBER", parser=whole(), help="Only of this broadcast.")
]
Reason = Annotated[str, typer.Option("--reason", help="Only with this text in the reason.")]
STATES = ", ".join(DeliveryState)


async def _filter(
    work: UnitOfWork, chat: str, broadcast: int | None, reason: str, states: list[DeliveryState] | None
) -> DeliveryFilter:
    chat_id = (await chat_named(work, chat)).id if chat else None
    return DeliveryFilter(states, chat_id, broadcast, reason or None)


@commands.command("list")
def list_(
    state: Annotated[list[str] | None, typer.Option("--state", help=f"Only these: {STATES}.")] = None,
    chat: Chat = "",
    broadcast: Broadcast = None,
    reason: Reason = "",
    limit: Annotated[int, typer.Option(metavar="NUMBER", parser=whole(), help="At most this many.")] = 100,
    json: Json = False,
) -> None:
    """List deliveries, the newest first, with their state, attempts and reason.

    skywave deliveries list --state failed --state held
    """
    run(_list(state or [], chat, broadcast, reason, limit, json))


async def _list(
    words: list[str], chat: str, broadcast: int | None, reason: str, limit: int, json: bool
) -> None:
    unknown = [word for word in words if word not in list(DeliveryState)]
    if unknown:
        raise UsageError(f"{unknown[0]!r} is not a state of a delivery: use {STATES}")
    states = [DeliveryState(word) for word in words] or None
    async with open_app() as app, app.store.read() as work:
        which = await _filter(work, chat, broadcast, reason, states)
        found = await work.outbox.find(which, limit)
        headlines = await work.outbox.headlines({delivery.broadcast_id for delivery in found})
        counts, unknowns = await work.outbox.counts(), await work.outbox.unknowns()
    if json:
        documents = [
            to_json(d)
            | to_json(headlines[d.broadcast_id])
            | {"unknowns": sum(part.unknowns for part in d.parts)}
            for d in found
        ]
        print_json({"counts": counts, "unknowns": unknowns, "deliveries": documents})
        return
    columns = ("#", "broadcast", "made", "chat", "title", "state", "attempts", "due", "reason")
    rows = [_row(d, headlines[d.broadcast_id]) for d in found]
    print_table(columns, rows, "No deliveries match." if counts else "No deliveries yet.")
    total = ", ".join(f"{count} {state}" for state, count in counts.items())
    if total:
        warn(f"{total}; {counted(unknowns, 'outcome was', 'outcomes were')} unknown")


def _row(d: Delivery, headline: Headline) -> tuple[object, ...]:
    due = _moment(d.due_at) if d.state == DeliveryState.PENDING else ""
    made = _moment(headline.made_at)
    return d.id, d.broadcast_id, made, d.chat.place, headline.title, d.state, d.attempts, due, d.reason


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


@commands.command("watch")
def watch_(
    seconds: Annotated[
        float,
        typer.Option("--every", metavar="SECONDS", parser=times(0.1), help="Seconds between two refreshes."),
    ] = 1.0,
    json: Json = False,
) -> None:
    """Show broadcast progress: counts, rate, share of the limit, time left.

    In a pipe a line at each look, until nothing is pending.
    """
    run(_watch(seconds, json))


async def _watch(seconds: float, json: bool) -> None:
    async with open_app() as app:
        if json:
            progress, paces = await Watch(app).look()
            document = {name: to_json(pace) for name, pace in paces.items()}
            print_json({"broadcasts": [to_json(line) for line in progress], "paces": document})
            return
        await watch(app, seconds)


@commands.command("retry")
def retry(chat: Chat = "", broadcast: Broadcast = None, reason: Reason = "") -> None:
    """Send failed and held deliveries again: all of them, or those that match."""
    run(_retry(chat, broadcast, reason))


async def _retry(chat: str, broadcast: int | None, reason: str) -> None:
    async with open_app() as app, app.store.write() as work:
        which = await _filter(work, chat, broadcast, reason, None)
        count = await deliveries.retry(work, COMMAND_LINE, which, app.clock.now())
        await work.commit()
    say(
        f"{counted(count, 'delivery', 'deliveries')} will be tried again"
        + ("" if count else ": none has failed")
    )
