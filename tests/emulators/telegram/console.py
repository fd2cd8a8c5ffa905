"""A prompt for people who try the bot: text is sent to the bot, !commands change the emulated world."""

import asyncio
import shlex
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from threading import Thread

from tests.emulators.telegram.control import STANDING, make_chat
from tests.emulators.telegram.faults import REFUSALS, named
from tests.emulators.telegram.server import TelegramEmulator
from tests.emulators.telegram.types import GENERAL, Chat, Message, PressAnswer, Shown

_FOR_EVER = 1e9
HELP = """\
TEXT              say it in the current chat, as its owner (in groups the bot sees only commands and replies)
!press LABEL      press a button (waits for it to appear)
!chat NAME        go to another chat; !chats lists them
!block !unblock   as the person of the private chat
!kick !add        remove the bot from the chat, add it
!migrate          turn the group into a supergroup
!close !reopen    close or open the current topic
!fault KIND [N]   the next N sends go wrong; N 0: until !calm.  !faults lists the kinds
!help !quit"""


class Console:
    """Reads lines and writes events. There is a current chat, and optionally a current topic of it."""

    def __init__(self, tg: TelegramEmulator, write: Callable[[str], None], patience: float) -> None:
        self._tg = tg
        self._write = write
        self._patience = patience
        """Seconds that !press waits for its button."""
        places = {kind: (make_chat(tg, kind, kind.title()), None) for kind in ("private", "group", "channel")}
        forum = make_chat(tg, "forum", "Forum")
        self._places: dict[str, tuple[Chat, int | None]] = {
            **places,
            "general": (forum, None),
            "topic": (forum, tg.topic(forum, "News")),
        }
        self._here = "private"

    async def run(self, lines: AsyncIterator[str]) -> bool:
        """Execute the lines. Return True at !quit, False at their end."""
        self._chats()
        async for line in lines:
            word, _, rest = line.strip().partition(" ")
            if word == "!quit":
                return True
            try:
                await self._act(word, rest.strip(), line.strip())
            except (LookupError, ValueError, TimeoutError) as exc:
                self._write(f"! {str(exc).splitlines()[0]}")
        return False

    async def watch(self) -> None:
        """Write what people see until cancelled."""
        entries, seen = self._tg.transcript.entries, 0

        def more() -> bool:
            return len(entries) > seen

        while True:
            await self._tg.wait_for(more, _FOR_EVER)
            for entry in entries[seen:]:
                if isinstance(entry, Shown):
                    self._write(self._shown(entry.what, entry.message))
                elif isinstance(entry, PressAnswer):
                    self._write(f"  (button answered: {entry.text or 'silently'})")
            seen = len(entries)

    async def _act(self, word: str, rest: str, line: str) -> None:
        chat, thread = self._places[self._here]
        if word == "!press":
            await self._press(chat, rest)
        elif word == "!chat":
            self._go(rest)
        elif word in ("!chats", "!help", "!faults"):
            {"!chats": self._chats, "!help": self._help, "!faults": self._faults}[word]()
        elif word in ("!close", "!reopen"):
            self._close(chat, thread, word == "!close")
        elif word == "!fault":
            self._fault(rest)
        elif word == "!calm":
            self._tg.faults.clear()
        elif word.removeprefix("!") in STANDING and word.startswith("!"):
            self._change(word.removeprefix("!"), chat)
        elif word.startswith("!"):
            raise LookupError(f"unknown: {word}; !help lists what there is")
        elif line:
            self._tg.say(chat, line, thread=thread)

    async def _press(self, chat: Chat, label: str) -> None:
        def there() -> bool:
            return any(label in message.labels for message in self._tg.messages(chat))

        if not there():
            with suppress(TimeoutError):  # press raises an error that lists the buttons
                await self._tg.wait_for(there, self._patience)
        self._tg.press(chat, label)

    def _go(self, name: str) -> None:
        if name not in self._places:
            raise LookupError(f"no chat {name!r}; there are: {', '.join(self._places)}")
        self._here = name
        self._chats()

    def _chats(self) -> None:
        for name, (chat, thread) in self._places.items():
            mark = "*" if name == self._here else " "
            self._write(f"{mark} {name}: {chat.id}{f'/{thread}' if thread else ''} ({chat.type}, {chat.bot})")

    def _help(self) -> None:
        self._write(HELP)

    def _faults(self) -> None:
        extra = "retry-after-N migrated-ID hold-N delay-N drop delivered-drop bad-gateway html"
        self._write(f"{' '.join(REFUSALS)} delivered-server-error {extra}")

    def _close(self, chat: Chat, thread: int | None, closed: bool) -> None:
        if not chat.is_forum:
            raise ValueError("only a forum has topics; !chat topic goes to one")
        self._tg.close_topic(chat, thread or GENERAL, closed=closed)

    def _fault(self, rest: str) -> None:
        kind, *more = shlex.split(rest) or [""]
        times = int(more[0]) if more else 1
        try:
            self._tg.faults.add(named(kind), "sendMessage", times=times or None)
        except KeyError as exc:
            raise LookupError(f"no fault {kind!r}; !faults lists them") from exc

    def _change(self, act: str, chat: Chat) -> None:
        STANDING[act](self._tg, chat)
        if chat.migrated_to is not None:
            self._places[self._here] = (self._tg.chat(chat.migrated_to), None)
        self._chats()

    def _shown(self, what: str, message: Message) -> str:
        chat = self._tg.chat(message.chat_id)
        name = next(
            (name for name, place in self._places.items() if place == (chat, message.thread_id)), chat.title
        )
        verb = "" if what == "sent" else f" ({what})"
        keys = "".join("\n  " + " ".join(f"[{button['text']}]" for button in row) for row in message.buttons)
        picture = "" if message.media is None else f"<{', '.join(message.media)}> "
        return f"--- {name} #{message.message_id}{verb}\n{picture}{message.text}{keys}"


async def read_lines(read: Callable[[], str]) -> AsyncIterator[str]:
    """The lines of a blocking reader, such as sys.stdin.readline, until it returns ''."""
    while line := await _in_thread(read):
        yield line


async def _in_thread(read: Callable[[], str]) -> str:
    """Like asyncio.to_thread, but does not keep the program from ending while it still reads."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[str] = loop.create_future()

    def work() -> None:
        line = read()
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(result.set_result, line)

    Thread(target=work, daemon=True).start()
    return await result
