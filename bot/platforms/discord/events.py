"""Converts Discord's interactions into plain data for the router."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import discord

from bot.commands.types import Button, Call, Upload
from bot.platforms.discord.limits import NAME
from bot.platforms.discord.rights import Channel, hindrance
from scheduler.errors import ChatPaused
from scheduler.history import MessagePlace
from scheduler.types import ChatKind, Place

# Most choices that autocompletion may offer, and the length of each (docs.discord.com: "Autocomplete").
CHOICES, CHOICE_LENGTH = 25, 100
# The type of an option that is a file (docs.discord.com: "Application Command Option Type").
ATTACHMENT = 11
# Separates the data of a button from its number in the message.
NUMBER = "#"
# Discord's name for a channel that the bot cannot see (docs.discord.com: Channel, "Obfuscated Channels").
HIDDEN = "___hidden___"


def call_of(interaction: discord.Interaction, name: str, arguments: str) -> Call:
    """The call for a command or press, in the channel of its interaction."""
    person = interaction.user
    alone = interaction.guild_id is None and not interaction.context.private_channel
    administers = _administers(interaction)

    async def is_chat_admin() -> bool:
        return administers

    return Call(
        name=name,
        arguments=arguments,
        place=Place(NAME, str(interaction.channel_id)),
        kind=ChatKind.PRIVATE if alone else ChatKind.CHANNEL,
        title=person.name if interaction.guild_id is None else title_of(interaction.channel),
        actor=f"{NAME}:{person.id}",
        locale=str(interaction.locale),
        is_chat_admin=is_chat_admin,
        hindrance=_hindrance(interaction.channel),
        whispers=True,
        alone=interaction.message is not None and interaction.message.flags.ephemeral,
        about=_chosen(interaction),
    )


def _hindrance(channel: Any) -> ChatPaused | None:
    """Why the bot cannot write to a channel, as far as the gateway has told."""
    known = isinstance(channel, Channel) and channel.guild.me is not None
    return hindrance(channel) if known else None


def _administers(interaction: discord.Interaction) -> bool:
    """Whether the person is an admin of the chat: of the server's, or in the bot's own DM.

    Who installed the bot for themselves alone can use it anywhere, and decides about nothing there.
    """
    if interaction.guild_id is None:
        return not interaction.context.private_channel
    by_user_alone = interaction.is_user_integration() and not interaction.is_guild_integration()
    return interaction.permissions.manage_guild and not by_user_alone


def _chosen(interaction: discord.Interaction) -> MessagePlace | None:
    """The message in whose menu a command was chosen. In a thread, posts may belong to its forum."""
    data: Any = interaction.data or {}
    if "target_id" not in data:
        return None
    around = getattr(interaction.channel, "parent_id", None)
    addresses = [str(address) for address in (interaction.channel_id, around) if address]
    return MessagePlace(NAME, tuple(addresses), str(data["target_id"]))


def pasted_in(message: discord.Message) -> Call:
    """The call for a text in a direct message. Discord does not tell the language of its author."""

    async def is_chat_admin() -> bool:
        return True

    return Call(
        name="",
        arguments=message.content.strip(),
        place=Place(NAME, str(message.channel.id)),
        kind=ChatKind.PRIVATE,
        title=message.author.name,
        actor=f"{NAME}:{message.author.id}",
        locale="",
        is_chat_admin=is_chat_admin,
    )


def title_of(channel: Any) -> str:
    """The name of a channel with its guild's, of a thread also with its channel's; empty if not known."""
    guild, parent = getattr(channel, "guild", None), getattr(channel, "parent", None)
    if guild is None or HIDDEN in (channel.name, getattr(parent, "name", "")):
        return ""
    return f"#{parent.name} › {channel.name} ({guild.name})" if parent else f"#{channel.name} ({guild.name})"


def arguments_of(data: Any) -> str:
    """The values of a slash command's options, in the order in which they were declared."""
    return " ".join(
        str(option["value"]) for option in data.get("options", ()) if option["type"] != ATTACHMENT
    )


def upload_of(data: Any, load: Callable[[str], Awaitable[bytes]]) -> Upload | None:
    """The file that came with a slash command, if any; `load` fetches a URL."""
    files = data.get("resolved", {}).get("attachments", {})
    for option in data.get("options", ()):
        if option["type"] == ATTACHMENT:
            file = files[option["value"]]
            return Upload(file["filename"], file["size"], partial(load, file["url"]))
    return None


def focused_option(data: Any) -> tuple[str, str]:
    """The name of the option that the person is typing in, and its text so far."""
    for option in data.get("options", ()):
        if option.get("focused"):
            return option["name"], str(option["value"])
    return "", ""


def custom_id(button: Button, number: int) -> str:
    """The id of a button. The number makes it unique: two buttons of a message may have the same data."""
    return f"{button.sent}{NUMBER}{number}"


def data_of(custom_id: str) -> str:
    """The data of the button with this id."""
    return custom_id.partition(NUMBER)[0]


def offered_by(message: discord.Message | None) -> list[str]:
    """The data of all buttons of a message."""
    return [data for data, _ in _buttons_of(message)]


def link_of(message: discord.Message | None) -> str:
    """The URL of a message's first link button; empty if it has none."""
    return next((button.url for button in _all_buttons(message) if button.url), "")


def label_of(message: discord.Message | None, data: str) -> str:
    """The label of the button with this data; empty if the message has none."""
    return dict(_buttons_of(message)).get(data, "")


def _buttons_of(message: discord.Message | None) -> list[tuple[str, str]]:
    """The data and labels of the buttons of a message."""
    buttons = _all_buttons(message)
    return [(data_of(button.custom_id), button.label or "") for button in buttons if button.custom_id]


def _all_buttons(message: discord.Message | None) -> list[discord.Button]:
    rows = message.components if message else ()
    items = [item for row in rows if isinstance(row, discord.ActionRow) for item in row.children]
    return [item for item in items if isinstance(item, discord.Button)]


def typed_in(data: Any) -> str:
    """What was typed in a form of one field."""
    fields = [row.get("component", {}) for row in data.get("components", ())]
    return next((str(field["value"]).strip() for field in fields if "value" in field), "")


def choices(names: Any) -> list[discord.app_commands.Choice[str]]:
    """The names as autocompletion choices: shortened, each once, at most CHOICES."""
    shown = dict.fromkeys(short for name in names if (short := _cut(name.strip())))
    return [discord.app_commands.Choice(name=name, value=name) for name in list(shown)[:CHOICES]]


def _cut(name: str) -> str:
    """A name cut to CHOICE_LENGTH, at the end of a word, because the words are searched for later."""
    if len(name) <= CHOICE_LENGTH:
        return name
    words, _, _ = name[: CHOICE_LENGTH + 1].rpartition(" ")
    return words.strip() or name[:CHOICE_LENGTH]
