"""`skywave chat`: the bot in this terminal."""

import asyncio
import signal

from bot.app import build
from bot.cli.arguments import commands_of
from bot.cli.common import run, settings_of_process
from bot.platforms.terminal.adapter import TerminalAdapter
from bot.platforms.terminal.limits import LIMITS
from bot.runner import Runner
from bot.sole import sole_process
from bot.watchdog import end_within

# Seconds after a signal at which the process is ended, even if work is unfinished or the loop is stuck.
END = 19.5

commands = commands_of()


@commands.command()
def chat() -> None:
    """Read and command in this terminal.

    At a TTY it is a chat; from a pipe each line is a command, answered in plain text:

    printf '/latest\\n/search 微调\\n' | skywave chat
    """
    run(run_chat())


async def run_chat() -> int:
    """Run the bot in this terminal until the input ends; returns the exit status."""
    settings = settings_of_process()
    with sole_process(settings) as sole:
        async with build(settings) as app_:
            runner = Runner(app_, [TerminalAdapter(LIMITS)])
            if sole and app_.store.is_sqlite:
                await until_signal(runner)
            else:
                await runner.listen_only()
    return 0


async def until_signal(runner: Runner) -> None:
    """Run until SIGTERM or SIGINT; then the process ends within END seconds, even if the loop is stuck."""
    loop = asyncio.get_running_loop()

    def stop(_number: int, _frame: object) -> None:
        end_within(END)
        loop.call_soon_threadsafe(runner.stop)

    # Not loop.add_signal_handler: its handlers would never run in a loop that is stuck.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    await runner.run()
