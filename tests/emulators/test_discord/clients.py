"""The real client library, connected to the emulator."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp
import pytest
import yarl

from tests.emulators.base import Transcript
from tests.emulators.discord import Channel, DiscordEmulator

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # discord.py imports audioop
    import discord
    from discord import app_commands

Body = dict[str, object]


class Pager(discord.ui.View):
    """A persistent view with buttons and a select."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Next", custom_id="page:next")
    async def next(self, interaction: discord.Interaction, button: discord.ui.Button["Pager"]) -> None:
        await interaction.response.edit_message(content="page 2")

    @discord.ui.button(label="Late", custom_id="page:late")
    async def late(self, interaction: discord.Interaction, button: discord.ui.Button["Pager"]) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="page 9", view=None)

    @discord.ui.select(custom_id="page:source", options=[discord.SelectOption(label=x) for x in ("A", "B")])
    async def source(self, interaction: discord.Interaction, select: discord.ui.Select["Pager"]) -> None:
        await interaction.response.send_message(f"source {select.values[0]}", ephemeral=True)


class Form(discord.ui.Modal, title="Banner"):
    """A modal with one field."""

    text: discord.ui.TextInput["Form"] = discord.ui.TextInput(label="Text", custom_id="text")

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"banner {self.text.value}")


@app_commands.command(description="Latest")
async def latest(interaction: discord.Interaction, page: int = 1) -> None:
    await interaction.response.send_message(f"page {page}", view=Pager())


@app_commands.command(description="Slow")
async def slow(interaction: discord.Interaction) -> None:
    await interaction.response.defer(ephemeral=True, thinking=True)
    await interaction.followup.send("first")
    await interaction.followup.send("second", ephemeral=True)


@app_commands.command(description="Ask")
async def ask(interaction: discord.Interaction) -> None:
    await interaction.response.send_modal(Form())


@app_commands.command(description="For admins")
@app_commands.default_permissions(manage_guild=True)
async def guarded(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("done", ephemeral=True)


@app_commands.command(description="Find")
async def find(interaction: discord.Interaction, source: str) -> None:
    await interaction.response.send_message(f"found {source} @everyone <@{interaction.user.id}>")


@find.autocomplete("source")
async def complete(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=f"{typed}!", value=typed)]


digest = app_commands.Group(name="digest", description="Digests")


@digest.command(description="Add")
async def add(interaction: discord.Interaction, channel: discord.TextChannel, at: str) -> None:
    await interaction.response.send_message(f"{channel.name} {at}")


class Bot(discord.Client):
    """A bot with a few commands, as Skywave would have them."""

    def __init__(self, intents: discord.Intents | None = None) -> None:
        # By default discord.py waits two seconds for more guilds before it is ready.
        options: dict[str, Any] = {"guild_ready_timeout": 0.05, "max_messages": None}
        super().__init__(intents=intents or discord.Intents.default(), **options)
        self.tree = app_commands.CommandTree(self)
        self.events: Transcript[tuple[str, Any]] = Transcript()
        commands: list[Any] = [latest, slow, ask, guarded, find, digest]
        for command in commands:
            self.tree.add_command(command)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Skip the five seconds that Discord requires between sessions."""

    async def setup_hook(self) -> None:
        await self.tree.sync()
        self.add_view(Pager())

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        self.events.append((event, args))
        super().dispatch(event, *args, **kwargs)

    async def until(self, event: str, times: int = 1) -> Any:
        """Wait for the nth occurrence of an event and return its arguments."""

        def there() -> list[Any]:
            found = [args for name, args in self.events.entries if name == event]
            return found[times - 1 : times]

        return (await self.events.wait_for(there))[0]


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def emulated(**options: Any) -> AsyncIterator[DiscordEmulator]:
    """An emulator, to which discord.py's REST and gateway addresses are set."""
    base, gateway = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
    async with DiscordEmulator(**options) as dc:
        discord.http.Route.BASE = dc.url
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(dc.gateway_url)
        yield dc
    discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


@asynccontextmanager
async def connected(dc: DiscordEmulator, bot: Bot | None = None) -> AsyncIterator[Bot]:
    """The bot, logged in and ready. An error that ends it too early is raised."""
    client = bot or Bot()
    running = asyncio.create_task(client.start(dc.token))
    ready = asyncio.create_task(client.until("ready"))
    await asyncio.wait((running, ready), return_when=asyncio.FIRST_COMPLETED)
    try:
        if not ready.done():
            ready.cancel()
            await running
        yield client
    finally:
        await client.close()
        await asyncio.gather(running, return_exceptions=True)


def at(bot: Bot, channel: Channel) -> Any:
    """The channel from discord.py's cache, or a partial one that can only send."""
    return bot.get_channel(channel.id) or bot.get_partial_messageable(channel.id)


@contextmanager
def refuses(code: int) -> Iterator[None]:
    """Expect that Discord refuses the block with this code."""
    with pytest.raises(discord.HTTPException) as caught:
        yield
    assert caught.value.code == code, caught.value


async def ask_rest(dc: DiscordEmulator, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Send a request to the REST API and return status and body."""
    headers = {"Authorization": f"Bot {dc.token}"}
    session = aiohttp.ClientSession(headers=headers)
    async with session, session.request(method, f"{dc.url}{path}", json=body) as response:
        return response.status, await response.json() if response.content_type != "text/html" else None


async def post(dc: DiscordEmulator, channel: Channel, body: Body) -> tuple[int, Any]:
    """Send Create Message and return status and body."""
    return await ask_rest(dc, "POST", f"/channels/{channel.id}/messages", body)
