"""The types of the emulated Telegram: users, chats, topics, messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Json = dict[str, object]

GENERAL = 1
"""The id of a forum's General topic, which requests must leave out."""

ANONYMOUS_ADMIN = 1087968824
"""GroupAnonymousBot, the sender that stands in for admins who post as their group."""


class ApiError(Exception):
    """The Bot API refuses a request: status, description, parameters."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(status, description)
        self.status = status
        self.description = description
        self.parameters = parameters


@dataclass(frozen=True, slots=True)
class Entity:
    """A span of a text; offset and length are in UTF-16 units."""

    type: str
    offset: int
    length: int
    url: str | None = None
    language: str | None = None

    def of(self, text: str) -> str:
        """The part of the text that the entity covers."""
        units = text.encode("utf-16-le")
        return units[self.offset * 2 : (self.offset + self.length) * 2].decode("utf-16-le")


@dataclass(frozen=True, slots=True)
class User:
    """A person or a bot."""

    id: int
    name: str
    language: str = "en"
    username: str | None = None
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the people in its chat see it now."""

    chat_id: int
    message_id: int
    sender: User | None
    text: str
    date: int
    entities: tuple[Entity, ...] = ()
    thread_id: int | None = None
    """The forum topic; None in General and everywhere else."""
    reply_markup: Json | None = None
    media: Json | None = None
    """A photo or other media; `text` is then the caption."""
    rich: Json | None = None
    """The content of a rich message; `text` is then what people read of it."""
    lost: tuple[str, ...] = ()
    """URLs of media in a rich message that Telegram dropped silently."""
    reply_to: int | None = None
    as_chat: bool = False
    """Sent in the name of the chat: an anonymous admin, or a channel's post."""
    forwarded_from: "User | Chat | None" = None
    """The original author. A linked channel forwards its posts to the group automatically."""
    via: "User | None" = None
    """The inline bot through which it was sent."""
    location: tuple[float, float] | None = None
    """The latitude and longitude that a person sent."""
    alone: int | None = None
    """The number of an ephemeral message, whose `message_id` is 0."""
    receiver: "User | None" = None
    """The person who sees an ephemeral message."""
    service: Json | None = None
    silent: bool = False
    """Sent without a sound."""
    edited: int | None = None
    history: tuple["Message", ...] = ()
    """Earlier versions, oldest first."""

    @property
    def buttons(self) -> tuple[tuple[Json, ...], ...]:
        """The inline keyboard, row by row."""
        rows = (self.reply_markup or {}).get("inline_keyboard")
        return tuple(tuple(row) for row in rows) if isinstance(rows, list) else ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the inline buttons, in reading order."""
        return tuple(str(button["text"]) for row in self.buttons for button in row)


@dataclass(slots=True, eq=False)
class Topic:
    """A forum topic."""

    id: int
    name: str
    closed: bool = False


@dataclass(slots=True, eq=False)
class Chat:
    """A chat and the bot's status in it."""

    id: int
    type: str
    """private, group, supergroup, channel"""
    title: str
    user: User | None = None
    """The person of a private chat."""
    username: str | None = None
    is_forum: bool = False
    bot: str = "member"
    """member, administrator, left, kicked (in a private chat: blocked)"""
    started: bool = True
    """Whether the person ever wrote to the bot: until then it cannot write to them."""
    muted: bool = False
    """Whether the bot's right to write was taken away."""
    gone: str | None = None
    """None, or why the chat does not exist any more: deleted, deactivated, migrated."""
    migrated_to: int | None = None
    members: dict[int, str] = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    whispers: dict[int, Message] = field(default_factory=dict)
    """Ephemeral messages, by their own numbers."""
    last_id: int = 0

    @property
    def is_group(self) -> bool:
        """A group or supergroup."""
        return self.type in ("group", "supergroup")


@dataclass(frozen=True, slots=True)
class Press:
    """A pressed button that waits for answerCallbackQuery."""

    query_id: str
    message: Message
    data: str
    user: User


@dataclass(frozen=True, slots=True)
class PressAnswer:
    """The answer that the person who pressed a button saw."""

    query_id: str
    text: str = ""
    show_alert: bool = False


@dataclass(frozen=True, slots=True)
class InlineResult:
    """A result of an inline query, and the message that it becomes."""

    id: str
    title: str
    description: str
    url: str
    text: str
    entities: tuple[Entity, ...]


@dataclass(frozen=True, slots=True)
class InlineAnswer:
    """What the app shows above the keyboard. `button` is the text above the results."""

    query_id: str
    results: tuple[InlineResult, ...] = ()
    next_offset: str = ""
    cache_time: int = 300
    is_personal: bool = False
    button: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a request. `status` is None if the connection was closed before the answer."""

    status: int | None
    description: str = ""
    delivered: tuple[int, ...] = ()
    """Ids of the messages that the request made visible."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request. Its outcome is None while it is held or handled."""

    method: str
    params: Mapping[str, str]
    at: float
    """Seconds of the emulator's clock when it arrived."""
    outcome: Outcome | None = None

    @property
    def chat_id(self) -> str:
        """The chat in the request, as written there; '' if there is none."""
        return self.params.get("chat_id", "")


@dataclass(frozen=True, slots=True)
class Shown:
    """Something that people saw: a message was sent, edited or deleted."""

    what: str
    message: Message


Happening = Request | Shown | PressAnswer | InlineAnswer
