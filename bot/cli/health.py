"""`skywave health`: checks that the running process answers, for a container's health check."""

from ipaddress import ip_address

from aiohttp import ClientError, ClientSession, ClientTimeout

from bot.cli.arguments import commands_of
from bot.cli.common import run, say, warn
from bot.loading import load_settings
from bot.settings import Settings

TIMEOUT = 5.0  # seconds

commands = commands_of()


@commands.command()
def health() -> None:
    """Ask the running process whether it is alive. It needs SKYWAVE_METRICS_PORT."""
    run(_health(load_settings()))


async def _health(settings: Settings, timeout: float = TIMEOUT) -> int:
    """Exit status 0 if the process's event loop answers within `timeout` seconds, else 1."""
    if not settings.metrics_port:
        warn("skywave: set SKYWAVE_METRICS_PORT for the process that runs and for this command")
        return 1
    url = f"http://{_reachable(settings.metrics_host)}:{settings.metrics_port}/healthz"
    try:
        async with ClientSession(timeout=ClientTimeout(timeout)) as session, session.get(url) as answer:
            answer.raise_for_status()
    except TimeoutError:
        warn(f"skywave: {url} does not answer within {timeout:g} seconds: restart the process")
        return 1
    except (ClientError, OSError) as exc:
        warn(f"skywave: {url} cannot be reached: check that skywave run is running ({exc})")
        return 1
    say("alive")
    return 0


def _reachable(host: str) -> str:
    """The host to connect to for a server that listens on `host`: loopback if it listens on all addresses."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return "127.0.0.1" if address.version == 4 else "[::1]"
    return host if address.version == 4 else f"[{host}]"
