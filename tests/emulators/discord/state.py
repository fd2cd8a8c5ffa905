"""The data of the emulated server. All look-ups are by id, so a large world costs memory but no time."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.emulators.base import Transcript
from tests.emulators.discord import wire
from tests.emulators.discord.commands import Commands
from tests.emulators.discord.content import Draft
from tests.emulators.discord.events import DIRECT_MESSAGES, GUILDS, MESSAGES, Events
from tests.emulators.discord.mentions import pings
from tests.emulators.discord.nonces import Nonces
from tests.emulators.discord.permissions import Permission, permissions, sees
from tests.emulators.discord.records import Happening, Request, Shown
from tests.emulators.discord.types import (
    LOADING,
    Attached,
    Channel,
    Guild,
    Interaction,
    Json,
    Message,
    Pings,
    User,
)
from tests.emulators.discord.wire_guilds import gateway_json


@dataclass(slots=True)
class World:
    """Users, guilds, channels, messages and events."""

    bot: User
    clock: Callable[[], float] = time.monotonic
    today: Callable[[], float] = time.time
    nonces: Nonces = field(default_factory=Nonces)
    transcript: Transcript[Happening] = field(default_factory=Transcript)
    events: Events = field(default_factory=Events)
    users: dict[int, User] = field(default_factory=dict)
    guilds: dict[int, Guild] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    """Channels, threads and DMs."""
    dms: dict[int, Channel] = field(default_factory=dict)
    """By person."""
    homes: dict[int, set[int]] = field(default_factory=dict)
    """The guilds of every person who was ever a member of one."""
    commands: dict[int | None, Commands] = field(default_factory=dict)
    """By guild; None for the global ones."""
    attachments: dict[int, Attached] = field(default_factory=dict)
    """Files that people have attached to commands, by their ids."""
    interactions: dict[str, Interaction] = field(default_factory=dict)
    """By token."""
    waiting: deque[Interaction] = field(default_factory=deque)
    """Interactions that may still fail, oldest first."""
    sent: list[Message] = field(default_factory=list)
    """The bot's messages as they were first shown."""
    requests: dict[str, list[int]] = field(default_factory=dict)
    """Places in the transcript, by method and route."""
    _last_id: int = 0

    def new_id(self) -> int:
        """A new unique snowflake with the current time."""
        made = (int(self.today() * 1000) - wire.EPOCH) << 22
        self._last_id = max(self._last_id + 1, made)
        return self._last_id

    def add_channel(self, channel: Channel) -> Channel:
        """Add a channel, and dispatch the event unless it is a DM."""
        self.channels[channel.id] = channel
        if channel.guild is not None:
            home = channel.guild.threads if channel.is_thread else channel.guild.channels
            home[channel.id] = channel
            self.tell_channel("CREATE", channel)
        return channel

    def tell_channel(self, what: str, channel: Channel) -> None:
        """Dispatch CHANNEL_ or THREAD_ CREATE, UPDATE or DELETE; for a thread, only if the bot can see it."""
        if channel.guild is None or not channel.guild.has_bot:
            return
        kind = "THREAD" if channel.is_thread else "CHANNEL"
        if channel.is_thread and not sees(channel, self.bot.id):
            return
        body = gateway_json(channel, self.bot) | ({"newly_created": True} if what == "CREATE" else {})
        self.events.dispatch(f"{kind}_{what}", body, GUILDS)

    def tell_sight(self, channel: Channel, *, before: bool) -> None:
        """Dispatch a change of permissions, and the threads if the bot can see the channel again."""
        self.tell_channel("UPDATE", channel)
        guild = channel.guild
        if guild is None or before or not (guild.has_bot and sees(channel, self.bot.id)):
            return
        threads = [t for t in guild.threads.values() if t.parent is channel and not t.archived]
        synced: Json = {"guild_id": str(guild.id), "channel_ids": [str(channel.id)], "members": []}
        body = synced | {"threads": [wire.channel_json(thread) for thread in threads]}
        self.events.dispatch("THREAD_LIST_SYNC", body, GUILDS)

    def json(self, message: Message) -> Json:
        """The message as JSON of the REST API."""
        channel = self.channels[message.channel_id]
        return wire.message_json(channel, message, self.users, self.bot)

    def pings_of(self, channel: Channel, author: User, draft: Draft, *, trusted: bool = False) -> Pings:
        """Whom the draft notifies. `trusted` means a reply to an interaction, which needs no permission."""
        bits = permissions(channel, author.id)
        mass = trusted or bool(bits & Permission.MENTION_EVERYONE)
        found = pings(draft.text, draft.allowed, channel.guild, self.users, mass=mass)
        replied = channel.messages.get(draft.reply_to or 0)
        if replied is None or not draft.allowed.replied_user:
            return found
        return replace(found, users=found.users | {replied.author.id})

    def post(
        self,
        channel: Channel,
        author: User,
        draft: Draft,
        who: Pings,
        *,
        number: int = 0,
        **fields: object,
    ) -> Message:
        """Add a message to the channel with a new id or `number`; `fields` are those of Message."""
        made = Message(
            id=number or self.new_id(),
            channel_id=channel.id,
            author=author,
            at=self.today(),
            content=draft.content,
            embeds=draft.embeds,
            components=draft.components,
            files=draft.files,
            flags=draft.flags,
            pings=who,
            nonce=draft.nonce,
            reply_to=draft.reply_to,
        )
        message = replace(made, **fields)  # type: ignore[arg-type]
        self._home(channel, message)[message.id] = message
        if message.only_for is None:
            channel.last_message_id = message.id
        self._show("thinking" if message.flags & LOADING else "sent", message)
        self._tell("MESSAGE_CREATE", channel, message)
        return message

    def change(self, channel: Channel, old: Message, **fields: object) -> Message:
        """Edit the message. The old version goes into its history."""
        history = (*old.history, replace(old, history=()))
        message = replace(old, edited=self.today(), history=history, **fields)  # type: ignore[arg-type]
        return self._changed(channel, message, "edited")

    def fill(self, channel: Channel, old: Message, **fields: object) -> Message:
        """Replace `thinking` with the message."""
        message = replace(old, **fields)  # type: ignore[arg-type]
        return self._changed(channel, message, "sent")

    def remove(self, channel: Channel, message: Message) -> None:
        """Delete the message for everybody."""
        del self._home(channel, message)[message.id]
        self._show("deleted", message)
        if message.only_for is None:
            body: Json = {"id": str(message.id), "channel_id": str(channel.id)}
            self.events.dispatch("MESSAGE_DELETE", body | _guild_id(channel), _intent(channel))

    def arrived(self, request: Request) -> int:
        """Record the request and return its index in the transcript."""
        place = self.transcript.append(request)
        self.requests.setdefault(f"{request.method} {request.route}", []).append(place)
        return place

    def _changed(self, channel: Channel, message: Message, what: str) -> Message:
        self._home(channel, message)[message.id] = message
        self._show(what, message)
        self._tell("MESSAGE_UPDATE", channel, message)
        return message

    def _home(self, channel: Channel, message: Message) -> dict[int, Message]:
        return channel.messages if message.only_for is None else channel.hidden

    def _show(self, what: str, message: Message) -> None:
        if message.author == self.bot:
            if what == "sent":
                self.sent.append(message)
            self.transcript.append(Shown(what, message))

    def _tell(self, event: str, channel: Channel, message: Message) -> None:
        if not self.events.sessions or message.only_for is not None:
            return
        if channel.guild and not permissions(channel, self.bot.id):
            return
        body = self.json(message) | _guild_id(channel) | {"channel_type": channel.type}
        if channel.guild is not None and message.author.id in channel.guild.members:
            member = wire.member_json(channel.guild, message.author)
            body["member"] = {name: value for name, value in member.items() if name != "user"}
        mine = message.author == self.bot or channel.guild is None or self.bot.id in message.pings.users
        blank = None if mine else body | {"content": "", "embeds": [], "components": [], "attachments": []}
        self.events.dispatch(event, body, _intent(channel), blank=blank)


def _guild_id(channel: Channel) -> Json:
    return {} if channel.guild is None else {"guild_id": str(channel.guild.id)}


def _intent(channel: Channel) -> int:
    return DIRECT_MESSAGES if channel.guild is None else MESSAGES
