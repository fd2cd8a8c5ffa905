"""The people in the chats: readers, people who send a command now and then, and attackers."""

import asyncio
import random
from itertools import cycle
from time import monotonic

from tests.emulators.base import Transcript
from tests.emulators.telegram import Chat, Latency, Limits, Message, Shown, TelegramEmulator, User, wire
from tests.emulators.telegram.types import Happening, Json, Press

# Commands of a flooding member: the newest posts, a costly search, pages, and an unknown command.
COSTLY = " ".join(f"{letter}*" for letter in "abcdefghijklmnopqrstuvwxyz")
FLOOD = ("/latest", f"/search {COSTLY}", "/page 1", "/sources", f"/page {'9' * 40}", "/help", "/nothing")
# Data of buttons that no message has.
FORGED = (
    f"d:{'9' * 40}:here",
    "d:1:all",
    "d:1:here",
    "s:1:1:0",
    f"s:{'9' * 14}:1:1",
    f"l:{'9' * 15}:{'9' * 15}:{'9' * 15}",
    "l:0:-1:0",
    "x",
)


class Timed(Transcript[Happening]):
    """An emulated Telegram that records when each message was shown in which chat."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[tuple[float, str]] = []

    def append(self, entry: Happening) -> int:
        if isinstance(entry, Shown):
            self.shown.append((monotonic(), str(entry.message.chat_id)))
        return super().append(entry)


class Chats:
    """The chats of one deployment, private and groups, and the people in them."""

    def __init__(self, private: int, groups: int, askers: int) -> None:
        self.tg = TelegramEmulator(limits=Limits(overall=30), latency=Latency(0.04, 0.06))
        self.times = Timed()
        self.tg.world.transcript = self.times
        self.readers = [self.tg.private(self.tg.user(f"Reader {n}")) for n in range(private)]
        self.groups = [self.tg.supergroup(f"Group {n}") for n in range(groups)]
        self.askers = [self.tg.private(self.tg.user(f"Asker {n}")) for n in range(askers)]
        self.asked: list[tuple[float, str]] = []
        self._members = {group.id: self.tg.user(f"Member of {group.title}") for group in self.groups}

    @property
    def followers(self) -> list[Chat]:
        """The chats that follow the news."""
        return [*self.readers, *self.groups]

    async def ask(self, every: float) -> None:
        """Let good people send a command each so many seconds, one after the other, until cancelled."""
        for chat in cycle(self.askers):
            self.asked.append((monotonic(), str(chat.id)))
            self.tg.say(chat, "/latest")
            await asyncio.sleep(every)

    async def flood(self, rng: random.Random, every: float) -> None:
        """Let a member of each group send commands and forged presses, so many seconds apart."""
        while True:
            for group in self.groups:
                member = self._members[group.id]
                self.tg.say(group, rng.choice(FLOOD), by=member)
                if rng.random() < 0.2:
                    self._forge(group, rng.choice(FORGED), member)
            await asyncio.sleep(every)

    def _forge(self, group: Chat, data: str, by: User) -> None:
        """Send a press like a modified client: any data on any message of the bot."""
        messages = self.tg.messages(group)
        if messages:
            forge(self.tg, messages[-1], data, by)


def forge(tg: TelegramEmulator, message: Message, data: str, by: User) -> Press:
    """Press a button that the message does not have."""
    chat = tg.chat(message.chat_id)
    press = Press(str(tg.world.new_id() + 5_000_000_000), message, data, by)
    tg.world.presses[press.query_id] = press
    body: Json = {
        "id": press.query_id,
        "from": wire.user_json(by),
        "message": wire.message_json(chat, message),
        "chat_instance": str(chat.id),
        "data": data,
    }
    tg.world.updates.put("callback_query", body)
    return press
