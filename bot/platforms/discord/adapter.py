"""Discord's side of the bot: connects, syncs the commands, listens, and stops with a clear message."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from itertools import count
from typing import Any

import discord
import structlog
import yarl
from discord import gateway, http

from bot.platforms.discord.client import GUILD_WAIT, Client
from bot.platforms.discord.commands import command_payloads, differ
from bot.platforms.discord.errors import FAULTS, LOGIN_HINT, send_error
from bot.platforms.discord.replies import PATIENCE
from bot.platforms.discord.sender import NAME, SEND_TIMEOUT, DiscordPlatform
from bot.platforms.types import Wiring
from scheduler.errors import PlatformStopped
from scheduler.limits import Limits

log = structlog.get_logger(__name__)

# What the bot asks for when it is invited.
INVITED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    embed_links=True,
    read_message_history=True,
    manage_threads=True,
).value
BACKOFF = (1.0, 2.0, 5.0, 15.0, 30.0)  # seconds after the first, second … failed start
# What the gateway's close codes mean to a person.
CLOSED = {
    4004: f"Discord refuses the token: {LOGIN_HINT}",
    4013: "Discord does not know the intents that Skywave asks for: update Skywave",
    4014: "Discord does not allow the intents that Skywave asks for: check the bot's page in the portal",
}

Sleep = Callable[[float], Awaitable[None]]


def in_one_line(record: logging.LogRecord) -> bool:
    """Let the library say in a line, without its trace, why the gateway is connected to again."""
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        record.msg = f"{record.getMessage()} ({type(error).__name__}: {error})"
        record.args, record.exc_info = (), None
    return True


class DiscordAdapter:
    """`patience`, `timeout` and `guild_wait` are seconds: see where they are defined."""

    name = NAME

    def __init__(
        self,
        token: str,
        api_url: str,
        gateway_url: str,
        limits: Limits,
        *,
        patience: float = PATIENCE,
        timeout: float = SEND_TIMEOUT,
        guild_wait: float = GUILD_WAIT,
        now: Callable[[], datetime] = discord.utils.utcnow,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        # The library knows two addresses; a deployment may have to reach them otherwise.
        http.Route.BASE = api_url.rstrip("/")
        if gateway_url:
            gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)
        # Nobody here wants to talk: its warnings that voice needs more libraries would only confuse.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        logging.getLogger("discord.client").addFilter(in_one_line)
        self._token, self.limits, self._sleep = token, limits, sleep
        interval = limits.overall.interval
        self._client = Client(interval, now, patience=patience, timeout=timeout, guild_wait=guild_wait)
        self.platform: DiscordPlatform = self._client.platform

    async def open(self) -> None:
        """Log in and sync the commands. Raises PlatformStopped for a refused token."""
        for attempt in count():
            try:
                await self._client.login(self._token)
                await self._sync_commands()
                return
            except FAULTS as exc:
                error = send_error(exc)
                await self._hang_up()
                if isinstance(error, PlatformStopped):
                    raise error from exc
                wait = BACKOFF[min(attempt, len(BACKOFF) - 1)]
                log.warning(
                    "discord.unreachable", reason=str(error), seconds=wait, next_step="it is tried again"
                )
                await self._sleep(wait)

    async def _hang_up(self) -> None:
        """Close what a login has opened, so that the next one can begin anew."""
        await self._client.http.close()
        self._client.http.connector = discord.utils.MISSING

    async def check(self) -> str:
        try:
            await self._client.login(self._token)
            known = await self._known_commands()
            guilds = [guild async for guild in self._client.fetch_guilds(limit=None)]
        except FAULTS as exc:
            raise send_error(exc) from exc
        synced = (
            "" if not differ(command_payloads(), known) else "; its commands are synced at the next start"
        )
        scopes, bot_id = "bot%20applications.commands", self._client.application_id
        invite = (
            f"https://discord.com/oauth2/authorize?client_id={bot_id}&scope={scopes}&permissions={INVITED}"
        )
        where = f"in {len(guilds)} servers" if guilds else f"in no server yet: open {invite}"
        return f"{self._client.user}, {where}{synced}"

    async def _sync_commands(self) -> None:
        """Tell Discord the commands when they differ from what it knows: it allows few changes a day."""
        wanted = command_payloads()
        if differ(wanted, await self._known_commands()):
            assert self._client.application_id is not None, "known after login"
            await self._client.http.bulk_upsert_global_commands(self._client.application_id, wanted)
            log.info("discord.commands_synced", commands=len(wanted))

    async def _known_commands(self) -> list[Any]:
        """What Discord knows, with all translations, which the library's own call leaves out."""
        path = "/applications/{application_id}/commands"
        route = http.Route("GET", path, application_id=self._client.application_id)
        return list(await self._client.http.request(route, params={"with_localizations": "true"}))

    async def listen(self, wiring: Wiring) -> None:
        self._client.wiring = wiring
        try:
            await self._client.connect(reconnect=True)
        except discord.PrivilegedIntentsRequired as exc:
            raise PlatformStopped(CLOSED[4014]) from exc
        except discord.ConnectionClosed as exc:
            reason = CLOSED.get(exc.code or 0, f"Discord closed the connection ({exc.code})")
            raise PlatformStopped(reason) from exc

    async def close(self) -> None:
        await self._client.finish()
        await self._client.close()
