"""`skywave poll`: reads the sources that are due, or those that are named, once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer

from bot.cli.arguments import commands_of
from bot.cli.common import Json, counted, open_app, print_json, run, say, source_named
from bot.cli.progress import index, progress
from bot.cli.reads import as_json, summary
from content.errors import UsageError
from content.types import HOOK, UPDATES, Source
from scheduler.intake.storing import PollResult
from scheduler.ports import UnitOfWork

commands = commands_of()


@commands.command()
def poll(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SOURCE...]", help="These sources, due or not: URL, title or number."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Poll every source, not only those that are due.")
    ] = False,
    json: Json = False,
) -> None:
    """Poll the sources that are due, once. A running skywave sends the new posts."""
    run(_poll(names or [], every, json))


async def _poll(names: Sequence[str], every: bool, json: bool) -> int:
    results: list[PollResult] = []
    async with open_app() as app:
        async with app.store.read() as work:
            polled = await _chosen(work, names, every, app.clock.now())
        with progress("polling", len(polled)) as read:
            async for result in app.poller.poll_each(polled):
                results.append(result)
                read(result.source.name)
        await index(app)
    _show_poll(results, json)
    return 1 if any(result.error for result in results) else 0


async def _chosen(work: UnitOfWork, names: Sequence[str], every: bool, now: datetime) -> Sequence[Source]:
    if names:
        return [_read(await source_named(work, name)) for name in dict.fromkeys(names)]
    return await work.sources.polled() if every else await work.sources.due(now)


def _read(source: Source) -> Source:
    if source.kind == UPDATES:
        raise UsageError(f"{source.name} is not read: it is what people write with /post")
    if source.kind == HOOK:
        hint = f"skywave sources hook {source.id}"
        raise UsageError(f"{source.name} is not read: it takes what is sent to it ({hint} says where)")
    return source


def _show_poll(results: list[PollResult], json: bool) -> None:
    if json:
        print_json([as_json(result) for result in results])
        return
    for result in results:
        if result.new or result.changed or result.error or result.failures or result.cut:
            say(summary(result))
    new, failed = sum(r.new for r in results), sum(bool(r.error) for r in results)
    say(f"{counted(len(results), 'source')} polled, {counted(new, 'new post')}, {failed} failed")
