"""`skywave poll`: reads the sources that are due, once."""

from typing import Annotated

import typer

from bot.cli.arguments import commands_of
from bot.cli.common import Json, counted, open_app, print_json, run, say
from bot.cli.progress import index, progress
from bot.cli.sources import as_json, summary
from scheduler.intake.storing import PollResult

commands = commands_of()


@commands.command()
def poll(
    every: Annotated[
        bool, typer.Option("--all", help="Poll every source, not only those that are due.")
    ] = False,
    json: Json = False,
) -> None:
    """Poll the sources that are due, once. A running skywave sends the new posts."""
    run(_poll(every, json))


async def _poll(every: bool, json: bool) -> int:
    results: list[PollResult] = []
    async with open_app() as app:
        async with app.store.read() as work:
            polled = await work.sources.polled() if every else await work.sources.due(app.clock.now())
        with progress("polling", len(polled)) as read:
            async for result in app.poller.poll_each(polled):
                results.append(result)
                read(result.source.name)
        await index(app)
    _show_poll(results, json)
    return 1 if any(result.error for result in results) else 0


def _show_poll(results: list[PollResult], json: bool) -> None:
    if json:
        print_json([as_json(result) for result in results])
        return
    for result in results:
        if result.new or result.changed or result.error or result.failures or result.cut:
            say(summary(result))
    new, failed = sum(r.new for r in results), sum(bool(r.error) for r in results)
    say(f"{counted(len(results), 'source')} polled, {counted(new, 'new post')}, {failed} failed")
