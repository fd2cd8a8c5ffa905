"""The types that platform adapters pass to the commands and get back. Independent of any SDK."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from bot.access import NEEDED, Act, Role, Verdict, decide
from bot.settings import Settings
from content.document import Document
from content.i18n import Translator
from content.present import Look
from scheduler.actions.audit import Actor
from scheduler.actions.shown import LastShown
from scheduler.errors import ChatPaused
from scheduler.history import MessagePlace
from scheduler.intake.ingest import Ingest
from scheduler.ports import Clock, Store
from scheduler.timetable.drafts import Drafts
from scheduler.types import Chat, ChatKind, Place


class Reach(Protocol):
    """What the platform says of a person's rights in other chats than the one where they speak."""

    async def administers(self, place: Place) -> bool:
        """Whether the person administers that chat, as asked within the last minute. Raises SendError."""
        ...

    async def find(self, name: str) -> Place | None:
        """The chat of a name like `@channel`; None if there is none. Raises SendError."""
        ...


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that a person has sent with a command. `read` loads its `size` bytes; it raises SendError."""

    name: str
    size: int
    read: Callable[[], Awaitable[bytes]]


async def nowhere(document: Document) -> None:
    """Show the progress of a command nowhere."""


@dataclass(frozen=True, slots=True)
class Call:
    """A command or press as it arrived. `locale` is the person's, in the platform's notation.

    `alone`: others see neither it nor its answer, unless the chat has public answers. `whispers`: the
    platform shows an answer that is marked private to the person alone.
    The arguments of a press are what answers its question, or the address that its message links to.
    `hindrance` is why the bot cannot write to the place, if the platform has said so.
    `is_chat_admin` may send a request to the platform, so it is only called when the answer matters.
    `show` shows how far a long command is, in place of what it showed before; the reply comes last.
    """

    name: str
    arguments: str
    place: Place
    kind: ChatKind
    title: str
    actor: str  # like telegram:123
    locale: str
    is_chat_admin: Callable[[], Awaitable[bool]]
    about: MessagePlace | None = None  # the message that it replies to, or that it was chosen for
    alone: bool = False
    whispers: bool = False
    hindrance: ChatPaused | None = None
    reach: Reach | None = None  # None for a person whom the platform does not name, as an anonymous admin
    upload: Upload | None = None
    show: Callable[[Document], Awaitable[None]] = nowhere


@dataclass(frozen=True, slots=True)
class Request:
    """A call with its chat, the person's role, and how the reply is presented.

    `afar`: the chat is another one than that where the person speaks.
    `own` is the language of the person's private chat, empty if it is not known or does not matter.
    """

    call: Call
    chat: Chat
    role: Role
    look: Look
    afar: bool = False
    own: str = ""

    @property
    def by(self) -> Actor:
        """The person as an actor; quotas do not apply to operators."""
        return Actor(self.call.actor, self.call.place, limited=self.role is not Role.OPERATOR)

    @property
    def arguments(self) -> str:
        return self.call.arguments

    @property
    def translator(self) -> Translator:
        return self.look.translator


# The end of a button's data on a platform, if a press asks a question first.
ASKS = "?"


@dataclass(frozen=True, slots=True)
class Question:
    """A text that a button asks for, for instance with a form."""

    prompt: str
    placeholder: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """A button; a press sends `data` back, even after a restart. Telegram limits it to 64 bytes.

    With a `question`, the press asks that first; then the handler finds what was typed in
    `request.arguments`. A button with a `url` opens that and has no data.
    """

    label: str
    data: str = ""
    question: Question | None = None
    url: str = ""

    @property
    def sent(self) -> str:
        """The data as the platform gets it: with a question, ASKS is added, so at most 63 bytes are free."""
        return self.data + ASKS if self.question else self.data


Rows = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class File:
    """A file that a reply carries."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """A document above rows of buttons. `private`: shown only to the person, if the platform can do that.

    The document of a reply with a `file` is short: it becomes the caption, and has no buttons.
    """

    document: Document
    rows: Rows = ()
    private: bool = False
    file: File | None = None

    @property
    def buttons(self) -> tuple[Button, ...]:
        """All buttons, in reading order."""
        return tuple(button for row in self.rows for button in row)


@dataclass(frozen=True, slots=True)
class Services:
    """What commands depend on. `wake` makes the dispatchers query the outbox."""

    settings: Settings
    store: Store
    ingest: Ingest
    drafts: Drafts
    clock: Clock
    look: Callable[[Chat, str], Look]  # the look of a chat, for a person's locale
    wake: Callable[[], None]
    shown: LastShown
    commands: "tuple[Command, ...]"
    presses: "tuple[Press, ...]"


def may(act: Act, request: Request, services: Services) -> bool:
    """Whether the person may do something that needs more rights than the command itself."""
    return decide(act, request.role, request.chat.access, services.settings.access) is Verdict.YES


class Handler(Protocol):
    async def __call__(self, request: Request, services: Services) -> Reply: ...


class Completer(Protocol):
    async def __call__(self, text: str, request: Request, services: Services) -> Sequence[str]:
        """Completions of the text typed so far, best first."""
        ...


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument of a command, for platforms with forms. `summary`, a msgid, says what it is for.

    `is_file`: not a text, but the file that comes with the command.
    """

    name: str
    summary: str
    required: bool = False
    completer: Completer | None = None
    is_file: bool = False


class Work(Enum):
    """The queue in which a command or a press waits (`flood.FairQueue`).

    `REMOTE` work is not queued, because it mostly waits for another server.
    """

    QUICK = auto()
    SEARCH = auto()
    REMOTE = auto()


@dataclass(frozen=True, slots=True)
class Command:
    """A command. `usage` and `summary` are msgids; `act` is the right that it needs.

    `parameters` are the parts of its arguments, in order. `about_message`, a msgid, is its name in the
    menu of a message. `here`: it is about the chat where it is given, even while another one is managed.
    `alone`: on Discord, all its answers are for the person alone, and in their language.
    """

    name: str
    usage: str
    summary: str
    handler: Handler
    act: Act = Act.READ
    parameters: tuple[Parameter, ...] = ()
    work: Work = Work.QUICK
    about_message: str = ""
    here: bool = False
    alone: bool = False

    @property
    def for_operators(self) -> bool:
        """Whether only operators may give it, so that nobody else is shown it."""
        return NEEDED[self.act] is Role.OPERATOR


@dataclass(frozen=True, slots=True)
class Press:
    """The handler for buttons whose data begins with `prefix` and a colon."""

    prefix: str
    handler: Callable[[str, Request, Services], Awaitable[Reply | None]]
    act: Act = Act.READ
    work: Work = Work.QUICK
