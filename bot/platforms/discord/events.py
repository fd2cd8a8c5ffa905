"""What Discord's interactions mean, as plain data for the router."""

from typing import Any

import discord

from bot.commands.types import Call
from scheduler.types import ChatKind, Place

NAME = "discord"


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
        title=title_of(interaction.channel) or person.name,
        actor=f"{NAME}:{person.id}",
        locale=str(interaction.locale),
        is_chat_admin=is_chat_admin,
    )


def title_of(channel: Any) -> str:
    """A channel's name with that of its guild; empty for a DM."""
    guild = getattr(channel, "guild", None)
    return f"#{channel.name} ({guild.name})" if guild is not None else ""


def arguments_of(data: Any) -> str:
    """The options of a slash command, in the order in which they were declared."""
    return " ".join(str(option["value"]) for option in data.get("options", ()))


def focused_option(data: Any) -> tuple[str, str]:
    """The option that is being typed, and what is there so far."""
    for option in data.get("options", ()):
        if option.get("focused"):
            return option["name"], str(option["value"])
    return "", ""
