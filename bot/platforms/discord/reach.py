"""Asks Discord which channels a person administers."""

import re
from functools import partial

import discord

from bot.platforms.discord.errors import FAULTS, send_error
from bot.platforms.discord.limits import NAME
from bot.platforms.roles import Roles
from scheduler.types import Place

# A mention of a channel, as apps write it, or its number.
CHANNEL = re.compile(r"(?:<#)?([0-9]{1,20})>?")


class Reach:
    """The rights of one person in the servers that the bot is in."""

    def __init__(self, client: discord.Client, roles: Roles, user_id: int) -> None:
        self._client, self._roles, self._user_id = client, roles, user_id

    async def administers(self, place: Place) -> bool:
        """Whether the person has Manage Server in the server of a channel. Raises SendError."""
        channel = self._client.get_channel(int(place.address))
        guild = getattr(channel, "guild", None)
        if guild is None:
            return False
        ask = partial(self._ask, guild)
        return await self._roles.administers(f"{NAME}:{self._user_id}", str(guild.id), ask)

    async def find(self, name: str) -> Place | None:
        """A channel by its mention or its number."""
        found = CHANNEL.fullmatch(name)
        return Place(NAME, found[1]) if found else None

    async def _ask(self, guild: discord.Guild) -> bool:
        try:
            member = await guild.fetch_member(self._user_id)
        except discord.NotFound:
            return False
        except FAULTS as exc:
            raise send_error(exc) from exc
        return member.guild_permissions.manage_guild
