"""Guilds over REST."""

from tests.emulators.discord import wire
from tests.emulators.discord.access import reach_guild
from tests.emulators.discord.call import Call
from tests.emulators.discord.events import GUILDS
from tests.emulators.discord.faults import refusal
from tests.emulators.discord.permissions import sees
from tests.emulators.discord.state import World
from tests.emulators.discord.types import Guild, Json
from tests.emulators.discord.wire_guilds import guild_json


def get_guild(world: World, call: Call) -> Json:
    return guild_json(reach_guild(world, call.number("guild")))


def list_guilds(world: World, call: Call) -> list[Json]:
    return [guild_json(guild) for guild in world.guilds.values() if guild.has_bot]


def list_channels(world: World, call: Call) -> list[Json]:
    guild = reach_guild(world, call.number("guild"))
    return [wire.channel_json(channel) for channel in guild.channels.values() if sees(channel, world.bot.id)]


def list_roles(world: World, call: Call) -> list[Json]:
    guild = reach_guild(world, call.number("guild"))
    return [wire.role_json(role) for role in guild.roles.values()]


def list_active_threads(world: World, call: Call) -> Json:
    guild = reach_guild(world, call.number("guild"))
    active = [thread for thread in guild.threads.values() if not thread.archived]
    return {"threads": [wire.channel_json(thread) for thread in active], "members": []}


def get_member(world: World, call: Call) -> Json:
    guild = reach_guild(world, call.number("guild"))
    number = call.number("user")
    if number not in guild.members:
        raise refusal(10013)
    return wire.member_json(guild, world.users[number])


def leave_guild(world: World, call: Call) -> None:
    leave(world, reach_guild(world, call.number("guild")))


def leave(world: World, guild: Guild) -> None:
    """Remove the bot from the guild, and dispatch the event."""
    guild.has_bot = False
    guild.members.pop(world.bot.id, None)
    world.events.dispatch("GUILD_DELETE", {"id": str(guild.id)}, GUILDS)
