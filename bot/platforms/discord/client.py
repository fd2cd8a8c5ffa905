"""discord.py's client with our event handlers: interactions go to the router, channel events to the store."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any

import discord

from bot.commands.types import ASKS, Call, Reply
from bot.platforms.chat_events import ChatEvents
from bot.platforms.discord import arrivals, buckets, chats
from bot.platforms.discord.commands import name_of
from bot.platforms.discord.errors import FAULTS, is_late, send_error
from bot.platforms.discord.events import (
    arguments_of,
    call_of,
    choices,
    data_of,
    focused_option,
    link_of,
    offered_by,
    pasted_in,
    typed_in,
    upload_of,
)
from bot.platforms.discord.pacing import pacing
from bot.platforms.discord.reach import Reach
from bot.platforms.discord.replies import Replies
from bot.platforms.discord.rights import Channel
from bot.platforms.roles import Roles
from bot.platforms.tasks import TaskSet
from bot.platforms.types import Wiring
from content.errors import SkywaveError
from scheduler.log import Logger
from scheduler.types import ChatKind

log = Logger(__name__)

# The guild list counts as complete when no further guild has arrived for this long, seconds.
GUILD_WAIT = 2.0
# discord.py waits out rate limits up to this many seconds; longer ones are raised to the dispatcher.
LONGEST_LIMIT = 30.0

Handler = Callable[..., Coroutine[Any, Any, Any]]


class Client(discord.Client):
    """Handles interactions and channel events. It caches no messages and no members, to save memory.

    `wiring` and `chat_events` have to be set before it connects.
    """

    def __init__(
        self,
        interval: float,
        *,
        proxy: str | None,
        patience: float,
        guild_wait: float,
    ) -> None:
        super().__init__(
            # Commands need no privileged intent. Texts of direct messages may be addresses to follow.
            intents=discord.Intents(guilds=True, dm_messages=True),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            guild_ready_timeout=guild_wait,
            max_ratelimit_timeout=LONGEST_LIMIT,
            http_trace=pacing(interval),
            proxy=proxy,
        )
        buckets.install(self.http, LONGEST_LIMIT)
        self._replies, self._roles = Replies(patience), Roles(monotonic)
        self._handling = TaskSet()
        self.wiring: Wiring
        self.chat_events: ChatEvents

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """Drop events after close, such as a late `ready`."""
        if not self.is_closed():
            super().dispatch(event, *args, **kwargs)

    async def _run_event(self, coro: Handler, event_name: str, *args: Any, **kwargs: Any) -> None:
        """Keep the handler's task, so that `finish` can wait for it before the store is closed."""
        task = asyncio.current_task()
        assert task is not None
        self._handling.start(task)
        await super()._run_event(coro, event_name, *args, **kwargs)

    async def finish(self, patience: float) -> None:
        """Wait at most `patience` seconds for running handlers, then cancel them."""
        await self._handling.finish(patience)

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """The edge of every event's task: a handler that fails is logged and stops nothing else."""
        log.exception("discord.event_broken", what=event_method)

    # Interactions

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        try:
            await self._interact(interaction)
        except (SkywaveError, *FAULTS) as exc:
            ours = exc if isinstance(exc, SkywaveError) else send_error(exc)
            if is_late(exc):
                log.info("discord.reply_dropped", reason=str(ours))
            else:
                kind = type(ours).__name__
                log.warning("discord.interaction_failed", error=kind, reason=str(ours))

    async def _interact(self, interaction: discord.Interaction) -> None:
        data: Any = interaction.data or {}
        match interaction.type:
            case discord.InteractionType.application_command:
                call = self._call(interaction, name_of(data), arguments_of(data))
                upload, show = upload_of(data, self._load), self._replies.progress(interaction)
                await self._replies.answer(
                    interaction, self._command(replace(call, upload=upload, show=show))
                )
            case discord.InteractionType.component:
                pressed, offered = data_of(data["custom_id"]), offered_by(interaction.message)
                press = self.wiring.router.press(
                    pressed, self._call(interaction, "", link_of(interaction.message)), offered
                )
                may_wait = not pressed.endswith(ASKS)
                await self._replies.answer(interaction, press, edit=True, may_wait=may_wait)
            case discord.InteractionType.modal_submit:
                call, offered = self._call(interaction, "", typed_in(data)), offered_by(interaction.message)
                work = self.wiring.router.press(data["custom_id"], call, offered, answered=True)
                await self._replies.answer(interaction, work, edit=True)
            case discord.InteractionType.autocomplete:
                option, text = focused_option(data)
                call = self._call(interaction, data["name"], "")
                names = await self.wiring.router.complete(option, text, call)
                await interaction.response.autocomplete(choices(names))

    async def _command(self, call: Call) -> Reply | None:
        """Run a command. Discord may still show one that was removed; its reply is the list of commands."""
        router = self.wiring.router
        if not router.knows(call.name):
            return await router.command(replace(call, name="help"))
        return await router.command(replace(call, alone=router.answers_alone(call.name)))

    async def on_message(self, message: discord.Message) -> None:
        if message.guild is not None or message.author.bot:
            return
        try:
            reply = await self.wiring.router.text(
                replace(pasted_in(message), reach=Reach(self, self._roles, message.author.id))
            )
            if reply is not None:
                await arrivals.send(message.channel, reply, self.wiring, ChatKind.PRIVATE)
        except SkywaveError as exc:
            log.warning("discord.message_failed", error=type(exc).__name__, reason=str(exc))

    def _call(self, interaction: discord.Interaction, name: str, arguments: str) -> Call:
        reach = Reach(self, self._roles, interaction.user.id)
        return replace(call_of(interaction, name, arguments), reach=reach)

    async def _load(self, url: str) -> bytes:
        """A file that somebody has attached. Raises SendError."""
        try:
            return await self.http.get_from_cdn(url)
        except FAULTS as exc:
            raise send_error(exc) from exc

    # Channel events

    async def on_ready(self) -> None:
        log.info("discord.connected", bot=str(self.user), guilds=len(self.guilds))
        self.chat_events.put(partial(chats.seen_all, self.get_channel, self.wiring))

    async def on_guild_join(self, guild: discord.Guild) -> None:
        self._seen_guild(guild)
        await self.chat_events.recorded()  # the greeting depends on what the store knows of the channels
        try:
            await arrivals.greet(guild, self.wiring)
        except SkywaveError as exc:
            log.warning("discord.not_greeted", guild=str(guild.id), reason=str(exc))

    async def on_guild_available(self, guild: discord.Guild) -> None:
        if self.is_ready():  # a guild is back after an outage; at the start, on_ready handles all guilds
            self._seen_guild(guild)

    async def on_guild_update(self, before: discord.Guild, after: discord.Guild) -> None:
        if before.name != after.name:
            self._seen_guild(after)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        channels = [c.id for c in (*guild.channels, *guild.threads)]
        self._gone(channels, "the bot was removed from the server")

    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
        self._seen([channel])

    async def on_guild_channel_update(
        self, _before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        threads = [thread for thread in after.guild.threads if thread.parent_id == after.id]
        self._seen([after, *threads])

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        self._gone([channel.id], "the channel was deleted")

    async def on_thread_join(self, thread: discord.Thread) -> None:
        self._seen([thread])

    async def on_thread_update(self, _before: discord.Thread, after: discord.Thread) -> None:
        self._seen([after])

    async def on_raw_thread_delete(self, thread: discord.RawThreadDeleteEvent) -> None:
        self._gone([thread.thread_id], "the thread was deleted")

    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        if before.permissions != after.permissions:
            self._seen_guild(after.guild)

    async def on_member_update(self, _before: discord.Member, after: discord.Member) -> None:
        if after == after.guild.me:  # only the bot's own roles change what it may do
            self._seen_guild(after.guild)

    def _seen_guild(self, guild: discord.Guild) -> None:
        self._seen([*guild.channels, *guild.threads])

    def _seen(self, channels: Sequence[Channel]) -> None:
        self.chat_events.put(partial(chats.seen, channels, self.wiring))

    def _gone(self, addresses: Sequence[int], reason: str) -> None:
        self.chat_events.put(partial(chats.gone, addresses, reason, self.wiring))
