"""The types of the emulated Discord: users, guilds, channels, messages, interactions."""

from collections.abc import Iterator
from dataclasses import dataclass, field

Json = dict[str, object]

TEXT, DM, ANNOUNCEMENT, ANNOUNCEMENT_THREAD, PUBLIC_THREAD, PRIVATE_THREAD, FORUM = 0, 1, 5, 10, 11, 12, 15
THREADS = (ANNOUNCEMENT_THREAD, PUBLIC_THREAD, PRIVATE_THREAD)

CROSSPOSTED, SUPPRESS_EMBEDS, EPHEMERAL, LOADING = 1 << 0, 1 << 2, 1 << 6, 1 << 7
SUPPRESS_NOTIFICATIONS, COMPONENTS_V2 = 1 << 12, 1 << 15

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
"""Types of interactions."""


class ApiError(Exception):
    """Discord refuses a request: status, JSON body and additional headers."""

    def __init__(self, status: int, body: Json, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers

    @property
    def code(self) -> int:
        """Discord's own code; 0 if there is none."""
        code = self.body.get("code")
        return code if isinstance(code, int) else 0


@dataclass(frozen=True, slots=True)
class User:
    """A person or a bot."""

    id: int
    name: str
    locale: str = "en-US"
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that a person has attached to a slash command. `size` is what Discord says of it."""

    id: int
    name: str
    content: bytes
    size: int
    url: str


@dataclass(slots=True, eq=False)
class Role:
    """A role of a guild; @everyone has the guild's id."""

    id: int
    name: str
    permissions: int
    mentionable: bool = False
    managed: bool = False


@dataclass(slots=True, eq=False)
class Guild:
    """A guild and whether the bot is in it."""

    id: int
    name: str
    owner: User
    everyone: Role
    bot_role: Role
    locale: str = "en-US"
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, set[int]] = field(default_factory=dict)
    """The roles of every member, without @everyone."""
    channels: dict[int, "Channel"] = field(default_factory=dict)
    threads: dict[int, "Channel"] = field(default_factory=dict)
    has_bot: bool = True
    blocked_words: tuple[str, ...] = ()
    """Words that AutoMod refuses, in lower case."""


@dataclass(slots=True, eq=False)
class Channel:
    """A channel, a thread or a DM."""

    id: int
    type: int
    name: str
    guild: Guild | None = None
    parent: "Channel | None" = None
    user: User | None = None
    """The person of a DM."""
    overwrites: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Allowed and denied bits of a role or member."""
    messages: dict[int, "Message"] = field(default_factory=dict)
    hidden: dict[int, "Message"] = field(default_factory=dict)
    """Ephemeral messages, which only one person sees."""
    last_message_id: int | None = None
    tags: dict[int, str] = field(default_factory=dict)
    """The tags of a forum by id."""
    requires_tag: bool = False
    applied_tags: tuple[int, ...] = ()
    owner_id: int = 0
    """The person who opened a thread."""
    archived: bool = False
    locked: bool = False
    auto_archive: int = 1440
    """Minutes until the thread is archived."""
    refuses: int | None = None
    """The code with which a DM refuses the bot."""

    @property
    def is_thread(self) -> bool:
        """A thread, or a post of a forum."""
        return self.type in THREADS


@dataclass(frozen=True, slots=True)
class Pings:
    """The people whom a message notifies."""

    users: frozenset[int] = frozenset()
    roles: frozenset[int] = frozenset()
    everyone: bool = False

    def __bool__(self) -> bool:
        return bool(self.users or self.roles or self.everyone)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as people currently see it."""

    id: int
    channel_id: int
    author: User
    at: float
    """Seconds since 1970."""
    content: str = ""
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    files: tuple[Json, ...] = ()
    flags: int = 0
    pings: Pings = Pings()
    nonce: str | int | None = None
    reply_to: int | None = None
    only_for: int | None = None
    """The one person who sees an ephemeral message."""
    interaction_id: int | None = None
    edited: float | None = None
    history: tuple["Message", ...] = ()
    """Earlier versions, oldest first."""

    @property
    def controls(self) -> Iterator[Json]:
        """The buttons and selects, in reading order."""
        return walk(self.components, (2, 3, 5, 6, 7, 8))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the buttons."""
        return tuple(str(item.get("label", "")) for item in self.controls if item["type"] == 2)


def walk(components: object, types: tuple[int, ...] = ()) -> Iterator[Json]:
    """The components of these types, or all, at any depth."""
    for item in components if isinstance(components, list | tuple) else ():
        if isinstance(item, dict):
            if not types or item.get("type") in types:
                yield item
            for name in ("components", "accessory", "component"):
                inner = item.get(name)
                yield from walk(inner if isinstance(inner, list) else [inner], types)


@dataclass(slots=True, eq=False)
class Interaction:
    """An interaction that waits for the bot: 3 s for an answer, 15 minutes for follow-ups."""

    id: int
    token: str
    type: int
    name: str
    """The command with its subcommands, or the custom_id."""
    user: User
    channel: Channel
    at: float
    """Seconds of the emulator's clock."""
    source: Message | None = None
    """The message whose component was used."""
    state: str = "waiting"
    """waiting, acknowledged, failed"""
    original: int | None = None
    """The message that `@original` means."""
    messages: list[int] = field(default_factory=list)
    """The bot's answers, in order."""
    choices: tuple[Json, ...] | None = None
    """The values that autocompletion offered."""
    modal: Json | None = None
