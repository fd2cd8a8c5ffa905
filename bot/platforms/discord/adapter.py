"""The Discord adapter: logs in, syncs the commands and listens for events."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import count
from typing import Any

import discord
import yarl
from discord import gateway, http

from bot.platforms.attempts import Sleep, back_off
from bot.platforms.chat_events import ChatEvents
from bot.platforms.discord.client import GUILD_WAIT, Client
from bot.platforms.discord.commands import command_payloads, differ
from bot.platforms.discord.connection import stay_connected
from bot.platforms.discord.errors import FAULTS, send_error
from bot.platforms.discord.limits import NAME
from bot.platforms.discord.replies import PATIENCE
from bot.platforms.discord.sender import SEND_TIMEOUT, DiscordSender
from bot.platforms.types import Wiring
from scheduler.errors import PlatformStopped
from scheduler.log import Logger
from scheduler.types import Limits

log = Logger(__name__)

# The permissions that the bot's invite link asks for.
INVITED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    embed_links=True,
    read_message_history=True,
    manage_threads=True,
).value


class DiscordAdapter(DiscordSender):
    """The sender, which also listens for events. `client` is public for tests only.

    `patience`, `timeout` and `guild_wait` are in seconds; PATIENCE, SEND_TIMEOUT and GUILD_WAIT explain them.
    """

    def __init__(
        self,
        token: str,
        api_url: str,
        gateway_url: str,
        limits: Limits,
        *,
        proxy: str | None = None,
        patience: float = PATIENCE,
        timeout: float = SEND_TIMEOUT,
        guild_wait: float = GUILD_WAIT,
        now: Callable[[], datetime] = discord.utils.utcnow,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        # discord.py has no setting for its two addresses, which a deployment may have to replace.
        http.Route.BASE = api_url.rstrip("/")
        if gateway_url:
            gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)
        # The bot uses no voice: warnings about missing voice libraries would only confuse.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        self._token, self._sleep = token, sleep
        self.client = Client(limits.overall.interval, proxy=proxy, patience=patience, guild_wait=guild_wait)
        super().__init__(self.client, limits, now, timeout=timeout)

    async def open(self) -> None:
        """Log in and sync the commands. Raises PlatformStopped for a refused token."""
        for attempt in count():
            try:
                await self.client.login(self._token)
                await self._sync_commands()
                return
            except FAULTS as exc:
                error = send_error(exc)
                await self._hang_up()
                if isinstance(error, PlatformStopped):
                    raise error from exc
                await back_off(NAME, attempt, str(error), self._sleep)

    async def _hang_up(self) -> None:
        """Close the HTTP session of a failed login, so that the next login opens a new one."""
        await self.client.http.close()
        self.client.http.connector = discord.utils.MISSING

    async def check(self) -> str:
        try:
            await self.client.login(self._token)
            known = await self._known_commands()
            guilds = [guild async for guild in self.client.fetch_guilds(limit=None)]
        except FAULTS as exc:
            raise send_error(exc) from exc
        synced = (
            "" if not differ(command_payloads(), known) else "; its commands are synced at the next start"
        )
        where = f"in {len(guilds)} servers" if guilds else f"in no server yet: open {self._invitation()}"
        return f"{self.client.user}, {where}{synced}"

    async def invitations(self, payload: str) -> Sequence[tuple[str, str]]:
        """The link for servers. Discord passes nothing on from it to the bot, so the greeting asks."""
        try:
            await self.client.login(self._token)
        except FAULTS as exc:
            raise send_error(exc) from exc
        return (("to add it to a server", self._invitation()),)

    def _invitation(self) -> str:
        scopes, bot_id = "bot%20applications.commands", self.client.application_id
        return f"https://discord.com/oauth2/authorize?client_id={bot_id}&scope={scopes}&permissions={INVITED}"

    async def _sync_commands(self) -> None:
        """Register the commands if they differ from those that Discord knows: it allows few changes a day."""
        wanted = command_payloads()
        if differ(wanted, await self._known_commands()):
            assert self.client.application_id is not None, "known after login"
            await self.client.http.bulk_upsert_global_commands(self.client.application_id, wanted)
            log.info("discord.commands_synced", commands=len(wanted))

    async def _known_commands(self) -> list[Any]:
        """The commands that Discord knows, with all translations, which discord.py's own call omits."""
        path = "/applications/{application_id}/commands"
        route = http.Route("GET", path, application_id=self.client.application_id)
        return list(await self.client.http.request(route, params={"with_localizations": "true"}))

    async def listen(self, wiring: Wiring) -> None:
        self.client.wiring = wiring
        async with ChatEvents(wiring.clock) as self.client.chat_events:
            await stay_connected(self.client, self._sleep)

    async def close(self, patience: float = 0.0) -> None:
        await self.client.finish(patience)
        await self.client.close()
