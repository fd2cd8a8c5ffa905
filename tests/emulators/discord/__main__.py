"""Run the emulator by hand or as a separate process: python -m tests.emulators.discord --help."""

import argparse
import asyncio
import sys
from contextlib import suppress

from tests.emulators.discord.console import Console
from tests.emulators.discord.control import ControlledEmulator
from tests.emulators.discord.limits import Limits
from tests.emulators.discord.server import TOKEN
from tests.emulators.telegram.console import read_lines
from tests.emulators.telegram.limits import Latency


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.emulators.discord",
        description="Discord's REST API and gateway on loopback. They end with their standard input.",
    )
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument(
        "--strict", type=int, nargs="?", const=50, metavar="N", help="rate limits, N requests/s (50)"
    )
    parser.add_argument("--latency", type=float, default=0, metavar="MS", help="round trip")
    parser.add_argument("--jitter", type=float, default=0, metavar="MS", help="up to so much more")
    parser.add_argument(
        "--linger", type=float, default=2, metavar="S", help="wait for answers at the end (2)"
    )
    parser.add_argument("--quiet", action="store_true", help="do not print what people see")
    return parser.parse_args()


async def main(options: argparse.Namespace) -> None:
    """Serve until the end of standard input."""
    emulator = ControlledEmulator(
        options.token,
        limits=Limits(overall=options.strict) if options.strict else None,
        latency=Latency(options.latency / 1000, options.jitter / 1000),
    )
    await emulator.start(options.port)
    try:
        _write(f"export SKYWAVE_DISCORD_TOKEN={emulator.token}")
        _write(f"export SKYWAVE_DISCORD_API_URL={emulator.url}")
        _write(f"export SKYWAVE_DISCORD_GATEWAY_URL={emulator.gateway_url}")
        console = Console(emulator, _write, options.linger)
        watcher = None if options.quiet else asyncio.create_task(console.watch())
        quitting = await console.run(read_lines(sys.stdin.readline))
        if not quitting and not sys.stdin.isatty():
            await asyncio.sleep(options.linger)
        if watcher is not None:
            watcher.cancel()
    finally:
        await emulator.stop()


def _write(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main(arguments()))
