"""The program `skywave`: its groups of commands, and `run` and `chat`, which run the bot."""

import asyncio
import gc
import os
import signal
from typing import Annotated

import typer

from bot import __version__
from bot.app import build, sole_process
from bot.cli import (
    audit,
    chats,
    db,
    deliveries,
    digests,
    doctor,
    health,
    posts,
    reading,
    sources,
    subscriptions,
)
from bot.cli.arguments import Commands
from bot.cli.common import run, settings_of_process, warn
from bot.memory import give_back_large_blocks
from bot.metrics import Metrics, serving
from bot.platforms import PLATFORMS
from bot.platforms.terminal.adapter import TerminalAdapter
from bot.platforms.terminal.limits import LIMITS as TERMINAL_LIMITS
from bot.runner import Runner
from bot.watchdog import Watchdog, end_within, keep_armed
from content.errors import StoreBusy
from content.secrets import printable

# Seconds after a signal at which the process is ended, even if work is unfinished or the loop is stuck.
END = 19.5

app = typer.Typer(
    name="skywave",
    cls=Commands,
    help="Broadcast the posts of sites and feeds to Telegram, Discord and the terminal.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (sources, chats, subscriptions, digests, posts, deliveries, db):
    app.add_typer(group.commands)
app.command("poll")(sources.poll)
app.command("search")(reading.search_command)
app.command("audit")(audit.audit)
app.command("doctor")(doctor.doctor)
app.command("health")(health.health)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"skywave {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    return None


@app.command("run")
def run_command() -> None:
    """Run everything that is configured: platforms, polling, deliveries.

    Without any token it is a chat in this terminal.
    """
    run(_run())


@app.command("chat")
def chat_command() -> None:
    """Read and command in this terminal.

    At a TTY it is a chat; from a pipe each line is a command, answered in plain text:

    printf '/latest\\n/search 微调\\n' | skywave chat
    """
    run(_chat())


async def _run() -> int:
    give_back_large_blocks()
    metrics = Metrics()
    settings = settings_of_process(level="INFO", observers=[metrics])
    made = [(platform, platform.make(settings)) for platform in PLATFORMS]
    senders = [sender for _, sender in made if sender is not None]
    remote = {platform.name for platform, sender in made if sender is not None and not platform.here}
    if not remote:
        return await _chat()
    with sole_process(settings) as sole:
        if not sole:
            raise StoreBusy(f"another skywave runs on {printable(settings.database_url)}: stop it first")
        async with build(settings) as app_:
            runner = Runner(app_, senders)
            gc.freeze()  # scanning objects that are never freed takes 0.1 s per full collection
            async with serving(metrics, settings.metrics_host, settings.metrics_port, runner.health):
                await _watched(runner, end=settings.watchdog == "end")
    if remote == set(runner.refused):
        for reason in runner.refused.values():
            warn(f"skywave: {reason}")
        return 1
    return 0


async def _chat() -> int:
    settings = settings_of_process()
    with sole_process(settings) as sole:
        async with build(settings) as app_:
            runner = Runner(app_, [TerminalAdapter(TERMINAL_LIMITS)])
            if sole and app_.store.is_sqlite:
                await _until_signal(runner)
            else:
                await runner.listen_only()
    return 0


async def _watched(runner: Runner, *, end: bool) -> None:
    """Run until told to stop, while threads check that the event loop is not stuck."""
    armed = asyncio.create_task(keep_armed(end))
    try:
        with Watchdog(asyncio.get_running_loop(), end=os._exit if end else None):
            await _until_signal(runner)
    finally:
        armed.cancel()
        await asyncio.wait({armed})


async def _until_signal(runner: Runner) -> None:
    """Run until SIGTERM or SIGINT; then the process ends within END seconds, even if the loop is stuck."""
    loop = asyncio.get_running_loop()

    def stop(_number: int, _frame: object) -> None:
        end_within(END)
        loop.call_soon_threadsafe(runner.stop)

    # Not loop.add_signal_handler: its handlers would never run in a loop that is stuck.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    await runner.run()
