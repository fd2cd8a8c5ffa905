"""Discord's side of the bot: interactions in, replies out within three seconds, changes of channels."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import aiohttp
import discord
import structlog
import yarl
from discord import gateway, http

from bot.commands.types import Reply
from bot.platforms.discord.commands import command_payloads, differ
from bot.platforms.discord.errors import send_error
from bot.platforms.discord.events import arguments_of, call_of, focused_option
from bot.platforms.discord.sender import FAULTS, LIMITS, NAME, DiscordPlatform, content, paced, view
from bot.platforms.types import Wiring
from content.errors import SkywaveError
from scheduler import membership
from scheduler.errors import PlatformStopped
from scheduler.limits import Limiter, Limits, Rate
from scheduler.types import ChatKind, ChatState, Form

log = structlog.get_logger(__name__)

# Discord shows an interaction as failed after 3 s; a reply that is not ready by then is announced first.
PATIENCE = 1.5
COMPLETIONS, COMPLETION_LENGTH = 25, 100
# View Channel, Send Messages, Send Messages in Threads, Embed Links, Read Message History, Manage Threads.
INVITED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    embed_links=True,
    read_message_history=True,
    manage_threads=True,
).value
BACKOFF = (1.0, 2.0, 5.0, 15.0, 30.0)
# What the gateway's close codes mean to a person.
CLOSED = {
    4004: "Discord refuses the token: check SKYWAVE_DISCORD_TOKEN",
    4013: "Discord does not know the intents that Skywave asks for: update Skywave",
    4014: "Discord does not allow the intents that Skywave asks for: check the bot's page in the portal",
}


class DiscordAdapter:
    name = NAME
    limits = LIMITS

    def __init__(self, token: str, api_url: str, gateway_url: str) -> None:
        # The library knows two addresses; a deployment may have to reach them otherwise.
        http.Route.BASE = api_url.rstrip("/")
        if gateway_url:
            gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)
        self._token = token
        self._client = Client(self)
        self.platform = DiscordPlatform(self._client)
        self.wiring: Wiring | None = None

    async def open(self) -> None:
        """Log in and sync the commands. Raises PlatformStopped for a refused token."""
        for attempt in range(1 << 30):
            try:
                await self._client.login(self._token)
                await self._sync_commands()
                return
            except FAULTS as exc:
                error = send_error(exc)
                if isinstance(error, PlatformStopped):
                    raise error from exc
                wait = BACKOFF[min(attempt, len(BACKOFF) - 1)]
                log.warning(
                    "discord.unreachable", reason=str(error), seconds=wait, next_step="it is tried again"
                )
                await asyncio.sleep(wait)

    async def check(self) -> str:
        try:
            await self._client.login(self._token)
            application = self._client.application_id
            assert application is not None, "known after login"
            known = list(await self._client.http.get_global_commands(application))
            guilds = [guild async for guild in self._client.fetch_guilds(limit=None)]
        except FAULTS as exc:
            raise send_error(exc) from exc
        synced = (
            "" if not differ(command_payloads(), known) else "; its commands are synced at the next start"
        )
        scopes = "bot%20applications.commands"
        invite = f"https://discord.com/oauth2/authorize?client_id={application}&scope={scopes}&permissions={INVITED}"
        where = f"in {len(guilds)} servers" if guilds else f"in no server yet: open {invite}"
        return f"{self._client.user}, {where}{synced}"

    async def _sync_commands(self) -> None:
        """Tell Discord the commands when they differ from what it knows: it allows few changes a day."""
        application, wanted = self._client.application_id, command_payloads()
        assert application is not None, "known after login"
        known = await self._client.http.get_global_commands(application)
        if differ(wanted, list(known)):
            await self._client.http.bulk_upsert_global_commands(application, wanted)
            log.info("discord.commands_synced", commands=len(wanted))

    async def listen(self, wiring: Wiring) -> None:
        self.wiring = wiring
        try:
            await self._client.connect(reconnect=True)
        except discord.PrivilegedIntentsRequired as exc:
            raise PlatformStopped(CLOSED[4014]) from exc
        except discord.ConnectionClosed as exc:
            raise PlatformStopped(
                CLOSED.get(exc.code, f"Discord closed the connection ({exc.code})")
            ) from exc

    async def close(self) -> None:
        await self._client.close()


class Client(discord.Client):
    """discord.py's client with our events. It keeps no messages and no members: nothing here needs them."""

    def __init__(self, adapter: DiscordAdapter) -> None:
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._pace)
        super().__init__(
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            http_trace=trace,
        )
        self._adapter = adapter
        # For attempts that nobody paced before: the library's repetitions, edits, look-ups.
        self._attempts = Limiter(Limits(overall=Rate(1 / 49), per_chat={}))

    async def _pace(
        self, _session: object, _context: object, request: aiohttp.TraceRequestStartParams
    ) -> None:
        if "/interactions/" in request.url.path or "/webhooks/" in request.url.path:
            return  # these do not count to the bot's limit
        permit = paced.get()
        loop = asyncio.get_running_loop()
        wait = self._attempts.take("", ChatKind.CHANNEL, loop.time())
        if permit:
            permit.pop()
            return  # the dispatcher has waited for its slot
        await asyncio.sleep(wait)

    async def on_ready(self) -> None:
        log.info("discord.connected", bot=str(self.user), guilds=len(self.guilds))

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        try:
            await self._interact(interaction)
        except (SkywaveError, discord.InteractionResponded) as exc:
            log.warning("discord.interaction_failed", reason=str(exc))
        except FAULTS as exc:
            # Too late, or acknowledged already: nobody is waiting for it.
            log.info("discord.interaction_dropped", reason=str(send_error(exc)))

    async def _interact(self, interaction: discord.Interaction) -> None:
        wiring = self._adapter.wiring
        if wiring is None:
            return
        data: Any = interaction.data or {}
        match interaction.type:
            case discord.InteractionType.application_command:
                call = call_of(interaction, data["name"], arguments_of(data))
                await self._answer(interaction, wiring.router.command(call))
            case discord.InteractionType.component:
                call = call_of(interaction, "", "")
                await self._answer(interaction, wiring.router.press(data["custom_id"], call), edit=True)
            case discord.InteractionType.autocomplete:
                option, text = focused_option(data)
                names = await wiring.router.complete(option, text, call_of(interaction, data["name"], ""))
                await interaction.response.autocomplete(_choices(names))

    async def _answer(
        self, interaction: discord.Interaction, work: Coroutine[Any, Any, Reply | None], *, edit: bool = False
    ) -> None:
        """Reply in time: announce what takes longer. `edit`: the reply replaces the pressed message."""
        task = asyncio.ensure_future(work)
        done, _ = await asyncio.wait({task}, timeout=PATIENCE)
        if not done:
            await (interaction.response.defer() if edit else interaction.response.defer(thinking=True))
        reply = await task
        if reply is None:
            if not interaction.response.is_done():
                await interaction.response.defer()
            return
        await self._reply(interaction, reply, edit=edit)

    async def _reply(self, interaction: discord.Interaction, reply: Reply, *, edit: bool) -> None:
        message = self._adapter.platform.render(reply.document, Form.FULL)[0]
        arguments, buttons = content(message.payload), view(reply.buttons)
        if interaction.response.is_done() and edit and reply.private:
            await interaction.followup.send(ephemeral=True, **arguments)
        elif interaction.response.is_done():
            await interaction.edit_original_response(view=buttons, **arguments)
        elif edit and not reply.private:
            await interaction.response.edit_message(view=buttons, **arguments)
        else:
            shown: dict[str, Any] = arguments | ({"view": buttons} if buttons else {})
            await interaction.response.send_message(ephemeral=reply.private, **shown)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await self._gone(
            [c.id for c in (*guild.channels, *guild.threads)], "the bot was removed from the server"
        )

    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self._back([c.id for c in (*guild.channels, *guild.threads)])

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        await self._gone([channel.id], "the channel was deleted")

    async def on_raw_thread_delete(self, thread: discord.RawThreadDeleteEvent) -> None:
        await self._gone([thread.thread_id], "the thread was deleted")

    async def on_guild_channel_update(self, _before: object, after: discord.abc.GuildChannel) -> None:
        await self._permissions_of([after])

    async def on_guild_role_update(self, _before: object, after: discord.Role) -> None:
        await self._permissions_of(list(after.guild.channels))

    async def _gone(self, addresses: list[int], reason: str) -> None:
        wiring = self._adapter.wiring
        if wiring is None:
            return
        async with wiring.store.write() as work:
            for address in addresses:
                await membership.deactivate_address(work, NAME, str(address), reason, wiring.clock.now())
            await work.commit()

    async def _back(self, addresses: list[int]) -> None:
        wiring = self._adapter.wiring
        if wiring is None:
            return
        async with wiring.store.write() as work:
            for address in addresses:
                await membership.reactivate_address(work, NAME, str(address), wiring.clock.now())
            await work.commit()
        wiring.wake()

    async def _permissions_of(self, channels: list[discord.abc.GuildChannel]) -> None:
        """Try paused channels again that can be written to now; pause those that no longer can."""
        wiring = self._adapter.wiring
        if wiring is None:
            return
        async with wiring.store.write() as work:
            for channel in channels:
                allowed = channel.permissions_for(channel.guild.me)
                can_write = allowed.view_channel and allowed.send_messages
                for chat in await work.chats.at(NAME, str(channel.id)):
                    if can_write and chat.state is ChatState.PAUSED:
                        await membership.reactivate(work, chat, wiring.clock.now())
                    elif not can_write and chat.state is ChatState.ACTIVE:
                        await membership.pause(
                            work, chat, "the bot may not write here: give it Send Messages"
                        )
            await work.commit()
        wiring.wake()


def _choices(names: Any) -> list[discord.app_commands.Choice[str]]:
    shown = [name[:COMPLETION_LENGTH] for name in names][:COMPLETIONS]
    return [discord.app_commands.Choice(name=name, value=name) for name in shown]
