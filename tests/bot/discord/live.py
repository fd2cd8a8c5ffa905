"""Skywave on an emulated Discord, in this process."""

import asyncio
import re
import warnings
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of audioop, which its voice support imports
    import discord

    from bot.platforms.discord.adapter import DiscordAdapter
    from bot.platforms.discord.client import Client

from bot.loading import load_settings
from bot.platforms.attempts import Sleep
from bot.platforms.discord import DiscordSettings
from bot.platforms.discord.limits import LIMITS
from bot.platforms.discord.replies import PATIENCE as REPLY_PATIENCE
from bot.platforms.discord.sender import SEND_TIMEOUT
from bot.settings import Settings
from scheduler.ports import Clock, Sender
from scheduler.types import Chat, ChatKind, Place
from tests.bot.live import PATIENCE, Deployment
from tests.e2e.program import FeedServer
from tests.emulators.discord import Channel, DiscordEmulator, Interaction, Message, Request, User
from tests.emulators.discord.layout import texts as displayed
from tests.emulators.discord.options import Value

SEND = "POST /channels/{channel}/messages"
CALLBACK = "POST /interactions/{interaction}/{token}/callback"

NAMES = re.compile(r"Post (\w+)\]?\(?")


class Live(Deployment[Channel]):
    """One deployment on Discord."""

    def __init__(
        self,
        dc: DiscordEmulator,
        feeds: FeedServer,
        settings: Settings,
        clock: Clock | None,
        make: Callable[[Settings, Clock], DiscordAdapter],
        others: Callable[[], Sequence[Sender]],
    ) -> None:
        super().__init__(feeds, settings, self._all_senders, clock)
        self.dc, self._make, self._others = dc, make, others
        self.adapter: DiscordAdapter

    def _all_senders(self) -> Sequence[Sender]:
        self.adapter = self._make(self.settings, self.clock)
        return [self.adapter, *self._others()]

    @property
    def client(self) -> Client:
        """discord.py's client as it runs now."""
        return self.adapter.client

    async def connected(self) -> None:
        """Return when the gateway has told all that it tells at the start."""
        await self.dc.wait_for(lambda: self.dc.gateway.ready, PATIENCE)
        await self.client.wait_until_ready()

    async def restart(self) -> None:
        await super().restart()
        await self.connected()

    async def barrier(self) -> None:
        """Return when all that people did before has been handled to its end."""
        zoe = self.dc.dm(self.dc.user("Zoe"))
        await self.answer(zoe, "help")  # so everything before it was taken up
        await self.client.finish(PATIENCE)
        assert await self.client.chat_events.recorded(PATIENCE)
        await self.client.finish(PATIENCE)  # what was started by what was recorded

    async def looked(self) -> None:
        """Return when the dispatcher has dealt with all that was due: a notice to Zoe, due last, has left."""
        zoe = self.dc.dm(self.dc.user("Zoe"))
        await self.notify(zoe, "Are you there?")
        await self.ended(zoe)

    async def follow(self, channel: Channel) -> Chat:
        """Let a channel follow everything that is public."""
        kind = ChatKind.PRIVATE if channel.guild is None else ChatKind.CHANNEL
        return await self.subscribe(channel, kind)

    async def follow_all(self, channels: Iterable[Channel]) -> None:
        """The same for many channels of servers."""
        await self.subscribe_all(map(self.place, channels), ChatKind.CHANNEL)

    async def answer(
        self, channel: Channel, name: str, /, *, by: User | None = None, **options: Value
    ) -> Message:
        """Give a slash command and return what the bot answers to it."""
        return await self.answer_to(self.dc.slash(channel, name, by=by, **options))

    async def answer_to(self, made: Interaction) -> Message:
        return await self.dc.wait_for(lambda: self.dc.answer_to(made), PATIENCE)

    async def acknowledged(self, made: Interaction) -> None:
        await self.dc.wait_for(lambda: made.state == "acknowledged", PATIENCE)

    # What became of it

    def place(self, channel: Channel, _topic: int | None = None) -> Place:
        return Place("discord", str(channel.id))

    def posts(self, channel: Channel) -> list[str]:
        """The names of the posts in the first line of each message of the bot in a channel."""
        first = [text_of(message).splitlines()[0] for message in self.dc.messages(channel)]
        return [found.group(1) for line in first if (found := NAMES.search(line))]

    def sends(self, channel: Channel) -> list[Request]:
        """The requests to send a message to a channel."""
        method, _, route = SEND.partition(" ")
        return [r for r in self.dc.requests(method, route) if r.channel_id == str(channel.id)]


async def called_back(dc: DiscordEmulator, times: int) -> None:
    """Return when so many replies have been tried."""
    await dc.wait_for(lambda: len(dc.requests(*CALLBACK.split(" "))) == times)


def text_of(message: Message) -> str:
    """What a message says, wherever it stands."""
    texts = [message.content, *(str(embed.get("description", "")) for embed in message.embeds)]
    texts += displayed(message.components)
    return "\n".join(text for text in texts if text)


@contextmanager
def addresses() -> Iterator[None]:
    """The library's two addresses are as they were afterwards."""
    base, gateway = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
    try:
        yield
    finally:
        discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


class Naps:
    """Sleep that costs no time until there were as many naps as told; then `go_on` has to be set."""

    def __init__(self, most: int) -> None:
        self.taken: list[float] = []
        self.all_taken, self.go_on = asyncio.Event(), asyncio.Event()
        self._most = most

    async def sleep(self, seconds: float) -> None:
        self.taken.append(seconds)
        if len(self.taken) >= self._most:
            self.all_taken.set()
            await self.go_on.wait()


def adapter_for(
    settings: Settings, clock: Clock, *, patience: float, timeout: float, sleep: Sleep | None
) -> DiscordAdapter:
    """The adapter, which does not wait for more guilds."""
    assert isinstance(settings, DiscordSettings) and settings.discord_token is not None
    token, api, gateway = settings.discord_token, settings.discord_api_url, settings.discord_gateway_url
    return DiscordAdapter(
        token.get_secret_value(),
        api,
        gateway,
        LIMITS,
        patience=patience,
        timeout=timeout,
        guild_wait=0.02,
        now=clock.now,
        sleep=sleep or clock.sleep,
    )


@asynccontextmanager
async def live(
    dc: DiscordEmulator,
    folder: Path,
    *,
    run: bool = True,
    patience: float = REPLY_PATIENCE,
    timeout: float = SEND_TIMEOUT,
    others: Callable[[], Sequence[Sender]] = lambda: (),
    clock: Clock | None = None,
    sleep: Sleep | None = None,
    **given: Any,
) -> AsyncIterator[Live]:
    """A deployment with one public feed, which has one old post; connected, unless `run` is False."""
    settings = load_settings(
        **{
            "database_url": f"sqlite:///{folder / 'skywave.db'}",
            "discord_token": dc.token,
            "discord_api_url": dc.url,
            "discord_gateway_url": dc.gateway_url,
            "poll_interval": 3600,
            "commands_per_minute": 1000,  # more than a test about something else gives
            "allowed_networks": "127.0.0.0/8",
        }
        | given
    )

    make = partial(adapter_for, patience=patience, timeout=timeout, sleep=sleep)
    with addresses():
        async with FeedServer().serving() as feeds:
            made = Live(dc, feeds, settings, clock, make, others)
            await made.open()
            try:
                await made.begin()
                if run:
                    made.start()
                    await made.connected()
                yield made
            finally:
                await made.close()
