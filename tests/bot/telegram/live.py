"""Skywave on an emulated Telegram, in this process."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from telegram import Bot

from bot.loading import load_settings
from bot.platforms.telegram import TelegramSettings
from bot.platforms.telegram.adapter import TelegramAdapter
from bot.platforms.telegram.limits import limits
from bot.platforms.telegram.sender import TelegramSender
from bot.platforms.telegram.tidying import STAYS
from bot.platforms.telegram.transport import READ_TIMEOUT, AiohttpRequest
from bot.settings import Settings
from content.i18n import LANGUAGES, SOURCE_LANGUAGE
from scheduler.ports import Sender
from scheduler.types import Chat as Known
from scheduler.types import ChatKind, OnUnknown, Place
from tests.bot.live import PATIENCE, Deployment, SkippingClock
from tests.e2e.program import FeedServer
from tests.emulators.telegram import Chat, Message, TelegramEmulator

KINDS = {"private": ChatKind.PRIVATE, "channel": ChatKind.CHANNEL}

# The languages in which the bot has a menu, which Telegram names by two letters; English is for all others.
MENUS = ["", *(language for language in LANGUAGES if len(language) == 2 and language != SOURCE_LANGUAGE)]


async def registered(tg: TelegramEmulator) -> None:
    """Return when the bot has registered its commands: in each language, those of groups as well."""
    await tg.wait_for(lambda: len(tg.world.commands) == 2 * len(MENUS) or None)


class WithoutMenus(TelegramAdapter):
    """Registers no commands, which is eight requests, because nearly no test looks at them."""

    async def _register_commands(self) -> None:
        pass


class Live(Deployment[Chat]):
    """One deployment on Telegram."""

    clock: SkippingClock

    def __init__(
        self,
        tg: TelegramEmulator,
        feeds: FeedServer,
        settings: Settings,
        *,
        read_timeout: float,
        others: Sequence[Sender],
        clock: SkippingClock | None,
        menus: bool,
    ) -> None:
        super().__init__(feeds, settings, lambda: [self._start_adapter(), *others], clock)
        self.tg, self._read_timeout = tg, read_timeout
        self._make = TelegramAdapter if menus else WithoutMenus
        self.adapter: TelegramAdapter
        self.stays = STAYS  # how long answers stay in channels

    def _start_adapter(self) -> TelegramAdapter:
        assert isinstance(self.settings, TelegramSettings) and self.settings.telegram_token is not None
        self.adapter = self._make(
            self.settings.telegram_token.get_secret_value(),
            self.settings.telegram_api_url,
            limits(),
            read_timeout=self._read_timeout,
            sleep=self.clock.sleep,
            monotonic=self.clock.monotonic,
            stays=self.stays,
        )
        return self.adapter

    async def follow(
        self, chat: Chat, *, topic: int | None = None, on_unknown: OnUnknown | None = None
    ) -> Known:
        """Let a chat, or one of its topics, follow everything that is public."""
        kind = KINDS.get(chat.type, ChatKind.GROUP)
        known = await self.subscribe(self.place(chat, topic), kind, chat.title)
        if on_unknown is not None:
            await self.write("UPDATE chats SET on_unknown = ? WHERE id = ?", on_unknown, known.id)
        return known

    async def follow_all(self, chats: Iterable[Chat]) -> None:
        """The same for many private chats."""
        await self.subscribe_all(map(self.place, chats), ChatKind.PRIVATE)

    async def answer(self, chat: Chat, text: str, **said: Any) -> Message:
        """Say something and return what the bot answers to it."""
        before = len(self.tg.messages(chat))
        self.tg.say(chat, text, **said)
        return (
            await self.tg.wait_for(lambda: self.tg.messages(chat)[before:] or None, PATIENCE)
            and (self.tg.messages(chat)[before])
        )

    async def barrier(self) -> None:
        """Return when all that people did before has been handled to its end."""
        zoe = self.tg.private(self.tg.user("Zoe"))
        await self.answer(zoe, "/help")  # so everything before it was taken up
        # What was told of chats is recorded before the poll that acknowledges it.
        await self.tg.wait_for(lambda: self.tg.world.updates.pending == 0 or None, PATIENCE)
        await self.adapter.finish(PATIENCE)

    async def looked(self) -> None:
        """Return when the dispatcher has dealt with all that was due: a notice to Zoe, due last, has left."""
        zoe = self.tg.private(self.tg.user("Zoe"))
        await self.notify(zoe, "Are you there?")
        await self.ended(zoe)

    # What became of it

    def place(self, chat: Chat, topic: int | None = None) -> Place:
        return Place("telegram", str(chat.id), str(topic or ""))

    async def parts_are(self, chat: Chat, *states: str) -> bool:
        """Whether these are the states of all parts to a chat; for `until`."""
        return await self.parts(chat) == list(states)

    def chat_states(self) -> set[str]:
        """The states of all chats, at this moment."""
        return {str(state) for (state,) in self.read("SELECT state FROM chats")}

    def texts(self, chat: Chat, thread: int | None = None) -> list[str]:
        """What the bot has written in a chat, oldest first."""
        return [message.text for message in self.tg.messages(chat, thread)]

    def posts(self, chat: Chat, thread: int | None = None) -> list[str]:
        """The first lines of the posts that arrived in a chat."""
        return [
            text.splitlines()[0] for text in self.texts(chat, thread) if text.splitlines()[0][:5] == "Post "
        ]


@asynccontextmanager
async def platform_of(tg: TelegramEmulator) -> AsyncIterator[TelegramSender]:
    """The sender alone, connected to the emulator. All its messages are sent at once, at the time 7."""
    request = AiohttpRequest()
    await request.initialize()
    try:
        yield TelegramSender(Bot(tg.token, base_url=f"{tg.url}/bot", request=request), limits(), lambda: 7.0)
    finally:
        await request.shutdown()


@asynccontextmanager
async def live(
    tg: TelegramEmulator,
    folder: Path,
    *,
    run: bool = True,
    read_timeout: float = READ_TIMEOUT,
    others: Sequence[Sender] = (),
    clock: SkippingClock | None = None,
    menus: bool = False,
    **settings: Any,
) -> AsyncIterator[Live]:
    """A deployment with one public feed, which has one old post; running, unless `run` is False.

    With `menus` it registers its commands.
    """
    given: dict[str, Any] = {
        "database_url": f"sqlite:///{folder / 'skywave.db'}",
        "telegram_token": tg.token,
        "telegram_api_url": tg.url,
        "poll_interval": 3600,
        "commands_per_minute": 1000,  # more than a test about something else gives
        "allowed_networks": "127.0.0.0/8",
    }
    async with FeedServer().serving() as feeds:
        made = Live(
            tg,
            feeds,
            load_settings(**given | settings),
            read_timeout=read_timeout,
            others=others,
            clock=clock,
            menus=menus,
        )
        await made.open()
        try:
            await made.begin()
            if run:
                made.start()
            yield made
        finally:
            await made.close()
