"""`skywave run`: the bot on all platforms that are configured."""

import asyncio
import os
import sys

from bot.app import build
from bot.cli.arguments import commands_of
from bot.cli.chat import run_chat, until_signal
from bot.cli.common import run as run_and_exit
from bot.cli.common import settings_of_process, warn
from bot.memory import collect_rarely, give_back_large_blocks, keep_small
from bot.metrics import Metrics
from bot.platforms import PLATFORMS
from bot.runner import Runner
from bot.sole import sole_process
from bot.watchdog import Watchdog, keep_armed
from bot.web.health import health_routes
from bot.web.push import push_routes
from bot.web.server import serving
from content.errors import StoreBusy
from content.secrets import printable

commands = commands_of()

# Seconds for which a thread keeps Python's lock. With the default of 5 ms the event loop waits as long after
# each statement of the database while a thread tokenizes or compares.
SWITCH = 0.001


@commands.command()
def run() -> None:
    """Run everything that is configured: platforms, polling, deliveries.

    Without any token it is a chat in this terminal.
    """
    run_and_exit(_run())


async def _run() -> int:
    give_back_large_blocks()
    sys.setswitchinterval(SWITCH)
    metrics = Metrics()
    settings = settings_of_process(level="INFO", observers=[metrics])
    made = [(platform, platform.make(settings)) for platform in PLATFORMS]
    senders = [sender for _, sender in made if sender is not None]
    remote = {platform.name for platform, sender in made if sender is not None and not platform.here}
    if not remote:
        return await run_chat()
    with sole_process(settings) as sole:
        if not sole:
            raise StoreBusy(f"another skywave runs on {printable(settings.database_url)}: stop it first")
        async with build(settings) as app_:
            runner = Runner(app_, senders)
            collect_rarely()
            routes = [*health_routes(metrics, runner.health), *push_routes(app_.receiver, app_.hubs)]
            async with serving(routes, settings.metrics_host, settings.metrics_port, settings.public_url):
                await _watched(runner, end=settings.watchdog == "end")
    if remote == set(runner.refused):
        for reason in runner.refused.values():
            warn(f"skywave: {reason}")
        return 1
    return 0


async def _watched(runner: Runner, *, end: bool) -> None:
    """Run until told to stop. Meanwhile threads watch the event loop, and free memory is returned."""
    beside = {asyncio.create_task(keep_armed(end)), asyncio.create_task(keep_small())}
    try:
        with Watchdog(asyncio.get_running_loop(), end=os._exit if end else None):
            await until_signal(runner)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)
