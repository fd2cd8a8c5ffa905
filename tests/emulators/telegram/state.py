"""The data of the emulated server. All look-ups are by id, so a large world costs memory but no time."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import count

from tests.emulators.base import Transcript
from tests.emulators.telegram import wire
from tests.emulators.telegram.files import StoredFile
from tests.emulators.telegram.types import (
    Chat,
    Happening,
    InlineAnswer,
    Json,
    Message,
    Press,
    PressAnswer,
    Request,
    Shown,
    User,
)
from tests.emulators.telegram.updates import UpdateQueue


@dataclass(slots=True)
class World:
    """Users, chats, messages and updates."""

    bot: User
    reads_all: bool = False
    """Whether privacy mode is off. If it is on, the bot sees only commands, replies and service messages."""
    version: tuple[int, int] = (10, 4)
    """The version of the Bot API. A server older than 10.1 does not know rich messages."""
    today: Callable[[], float] = time.time
    transcript: Transcript[Happening] = field(default_factory=Transcript)
    updates: UpdateQueue = field(default_factory=UpdateQueue)
    users: dict[int, User] = field(default_factory=dict)
    chats: dict[int, Chat] = field(default_factory=dict)
    names: dict[str, Chat] = field(default_factory=dict)
    """Public chats by their lower-case user name."""
    commands: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    """Per scope (JSON with sorted keys) and language."""
    presses: dict[str, Press] = field(default_factory=dict)
    """Pressed buttons that wait for an answer."""
    answers: dict[str, PressAnswer] = field(default_factory=dict)
    inline: dict[str, InlineAnswer | None] = field(default_factory=dict)
    """Inline queries with their answers; None while the app waits for it."""
    stored: dict[str, StoredFile] = field(default_factory=dict)
    """Files that can be downloaded, by their ids."""
    files: set[str] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)
    """URLs of media that cannot be fetched: a rich message with one of them is refused."""
    sent: list[Message] = field(default_factory=list)
    """The bot's messages as they were first shown."""
    requests: dict[str, list[int]] = field(default_factory=dict)
    """Places in the transcript, by lower-case method."""
    _ids: Iterator[int] = field(default_factory=lambda: count(1))
    _shared_message_ids: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def knows_rich(self) -> bool:
        """Whether the server knows rich messages."""
        return self.version >= (10, 1)

    def new_id(self) -> int:
        """A new unique number."""
        return next(self._ids)

    def add_chat(self, chat: Chat) -> Chat:
        """Add a chat."""
        self.chats[chat.id] = chat
        if chat.username:
            self.names[chat.username.lower()] = chat
        return chat

    def next_message_id(self, chat: Chat) -> int:
        """Supergroups and channels count their own messages; private chats and groups share one count."""
        if chat.type in ("private", "group"):
            return next(self._shared_message_ids)
        chat.last_id += 1
        return chat.last_id

    def post(self, chat: Chat, sender: User | None, text: str, **fields: object) -> Message:
        """Add a message to the chat; `fields` are those of Message."""
        made = Message(chat.id, self.next_message_id(chat), sender, text, int(self.today()))
        message = replace(made, **fields)  # type: ignore[arg-type]
        chat.messages[message.message_id] = message
        if sender == self.bot and message.service is None:
            self.sent.append(message)
            self.transcript.append(Shown("sent", message))
        return message

    def whisper(self, chat: Chat, sender: User, receiver: User, text: str, **fields: object) -> Message:
        """Add an ephemeral message, which only one person and the bot see."""
        number = len(chat.whispers) + 1
        made = Message(chat.id, 0, sender, text, int(self.today()), alone=number, receiver=receiver)
        message = replace(made, **fields)  # type: ignore[arg-type]
        chat.whispers[number] = message
        if sender == self.bot:
            self.transcript.append(Shown("sent to one", message))
        return message

    def change(self, chat: Chat, old: Message, **fields: object) -> Message:
        """Edit the message. The old version goes into its history."""
        history = (*old.history, replace(old, history=()))
        message = replace(old, edited=int(self.today()), history=history, **fields)  # type: ignore[arg-type]
        if old.alone:
            chat.whispers[old.alone] = message
        else:
            chat.messages[old.message_id] = message
        if old.sender == self.bot:
            self.transcript.append(Shown("edited", message))
        return message

    def remove(self, chat: Chat, message: Message) -> None:
        """Delete the message for everybody."""
        del chat.messages[message.message_id]
        self.transcript.append(Shown("deleted", message))

    def tell(self, chat: Chat, message: Message, *, edited: bool = False) -> None:
        """Queue the update about a person's message, if the bot may see it."""
        if not self._sees(chat, message):
            return
        kind = "channel_post" if chat.type == "channel" else "message"
        self.updates.put(f"edited_{kind}" if edited else kind, wire.message_json(chat, message))

    def set_bot(self, chat: Chat, status: str, by: User) -> None:
        """Change the bot's status and queue the my_chat_member update."""
        old, chat.bot = chat.bot, status
        self.updates.put(
            "my_chat_member",
            {
                "chat": wire.chat_json(chat),
                "from": wire.user_json(by),
                "date": int(self.today()),
                "old_chat_member": wire.member_json(chat, self.bot, old),
                "new_chat_member": wire.member_json(chat, self.bot, status),
            },
        )

    def arrived(self, request: Request) -> int:
        """Record the request and return its index in the transcript."""
        place = self.transcript.append(request)
        self.requests.setdefault(request.method.lower(), []).append(place)
        return place

    def _sees(self, chat: Chat, message: Message) -> bool:
        if chat.bot in ("left", "kicked"):
            return False
        if not chat.is_group or self.reads_all or chat.bot == "administrator" or message.service:
            return True
        replied = chat.messages.get(message.reply_to or 0)
        return (replied is not None and replied.sender == self.bot) or self._is_called(message)

    def _is_called(self, message: Message) -> bool:
        for entity in message.entities:
            if entity.type == "bot_command":
                _, _, name = entity.of(message.text).partition("@")
                if not name or name.lower() == (self.bot.username or "").lower():
                    return True
        return f"@{self.bot.username}".lower() in message.text.lower()
