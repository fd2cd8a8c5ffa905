"""What Discord's interactions mean, as plain data for the router."""

from typing import Any

import discord

from bot.commands.types import Button, Call
from bot.platforms.discord import NAME
from scheduler.types import ChatKind, Place

# Of what autocompletion offers: how many, and how long each (docs.discord.com: "Autocomplete").
CHOICES, CHOICE_LENGTH = 25, 100
# Between the data of a button and its number in the message.
NUMBER = "#"
# The name of a channel that the bot cannot see (docs.discord.com: Channel, "Obfuscated Channels").
HIDDEN = "___hidden___"


def call_of(interaction: discord.Interaction, name: str, arguments: str) -> Call:
    """A command or press in the channel where it was made."""
    person = interaction.user
    administers = interaction.guild_id is None or interaction.permissions.manage_guild

    async def is_chat_admin() -> bool:
        return administers

    return Call(
        name=name,
        arguments=arguments,
        place=Place(NAME, str(interaction.channel_id)),
        kind=ChatKind.PRIVATE if interaction.guild_id is None else ChatKind.CHANNEL,
        title=person.name if interaction.guild_id is None else title_of(interaction.channel),
        actor=f"{NAME}:{person.id}",
        locale=str(interaction.locale),
        is_chat_admin=is_chat_admin,
    )


def title_of(channel: Any) -> str:
    """A channel's name with that of its guild, a thread's with that of its channel; empty if it has none."""
    guild, parent = getattr(channel, "guild", None), getattr(channel, "parent", None)
    if guild is None or HIDDEN in (channel.name, getattr(parent, "name", "")):
        return ""
    return f"#{parent.name} › {channel.name} ({guild.name})" if parent else f"#{channel.name} ({guild.name})"


def arguments_of(data: Any) -> str:
    """The options of a slash command, in the order in which they were declared."""
    return " ".join(str(option["value"]) for option in data.get("options", ()))


def focused_option(data: Any) -> tuple[str, str]:
    """The option that is being typed, and what is there so far."""
    for option in data.get("options", ()):
        if option.get("focused"):
            return option["name"], str(option["value"])
    return "", ""


def custom_id(button: Button, number: int) -> str:
    """What a button is called: two of a message may lead to the same page, but not have the same name."""
    return f"{button.data}{NUMBER}{number}"


def data_of(custom_id: str) -> str:
    """The data of the button that is called like this."""
    return custom_id.partition(NUMBER)[0]


def offered_by(message: discord.Message | None) -> list[str]:
    """The data of the buttons of a message."""
    rows = message.components if message else ()
    items = [item for row in rows if isinstance(row, discord.ActionRow) for item in row.children]
    return [data_of(item.custom_id) for item in items if isinstance(item, discord.Button) and item.custom_id]


def choices(names: Any) -> list[discord.app_commands.Choice[str]]:
    """What autocompletion can offer of the names."""
    shown = dict.fromkeys(short for name in names if (short := _cut(name.strip())))
    return [discord.app_commands.Choice(name=name, value=name) for name in list(shown)[:CHOICES]]


def _cut(name: str) -> str:
    """As much of a name as can be offered, without half a word: it will be searched for."""
    if len(name) <= CHOICE_LENGTH:
        return name
    words, _, _ = name[: CHOICE_LENGTH + 1].rpartition(" ")
    return words.strip() or name[:CHOICE_LENGTH]
