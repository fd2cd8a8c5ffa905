"""`skywave invite`: links that people open to add the bot, or to begin with a source."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated

import typer

from bot.cli.arguments import commands_of
from bot.cli.common import Json, open_app, print_json, run, say, source_named
from bot.commands.welcome import payload_of
from bot.platforms import PLATFORMS
from bot.platforms.types import Connects, Invites
from bot.settings import Settings
from content.errors import UsageError

commands = commands_of()


@commands.command()
def invite(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="Its URL, its title or its number; none for no source.")
    ] = "",
    json: Json = False,
) -> None:
    """Print the links that add the bot; Telegram's can carry a source along.

    skywave invite "Field notes"
    """
    run(_invite(source, json))


async def _invite(name: str, json: bool) -> None:
    async with open_app() as app:
        payload = ""
        if name:
            async with app.store.read() as work:
                payload = payload_of(await source_named(work, name))
        links = [link async for link in _links(app.settings, payload)]
    if not links:
        raise UsageError("no platform with such links is configured: set SKYWAVE_TELEGRAM_TOKEN or another")
    if json:
        print_json([{"what": what, "url": url} for what, url in links])
        return
    for what, url in links:
        say(f"{what}: {url}")


async def _links(settings: Settings, payload: str) -> AsyncIterator[tuple[str, str]]:
    """What each configured platform's links do, and the links. Raises SendError."""
    for platform in PLATFORMS:
        sender = platform.make(settings)
        if sender is not None and isinstance(sender, Invites):
            for what, url in await _asked(sender, payload):
                yield f"{platform.name}, {what}", url


async def _asked(sender: Invites, payload: str) -> Sequence[tuple[str, str]]:
    try:
        return await sender.invitations(payload)
    finally:
        if isinstance(sender, Connects):
            await sender.close()
