"""The first events of a new session, and answers to requests for members."""

from tests.emulators.discord import wire
from tests.emulators.discord.api_account import me_json
from tests.emulators.discord.events import GUILDS, Session, dump
from tests.emulators.discord.form import number_of
from tests.emulators.discord.state import World
from tests.emulators.discord.types import Json
from tests.emulators.discord.wire_guilds import full_guild_json


def greet(world: World, session: Session, url: str) -> None:
    """Dispatch READY and the guilds. `url` is the address for resuming."""
    guilds = [guild for guild in world.guilds.values() if guild.has_bot]
    ready: Json = {
        "v": 10,
        "user": me_json(world),
        "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
        "session_id": session.id,
        "session_type": "normal",
        "resume_gateway_url": url,
        "shard": [0, 1],
        "application": {"id": str(world.bot.id), "flags": 0},
        "private_channels": [],
        "relationships": [],
    }
    session.push("READY", dump(ready))
    for guild in guilds if session.intents & GUILDS else ():
        session.push("GUILD_CREATE", dump(full_guild_json(guild, world.users, world.bot)))


def tell_members(world: World, session: Session, data: Json) -> None:
    """Dispatch the requested members (op 8)."""
    guild = world.guilds.get(number_of(data.get("guild_id")))
    if guild is None or not guild.has_bot:
        return
    asked = data.get("user_ids")
    numbers = [number_of(one) for one in asked] if isinstance(asked, list) else list(guild.members)
    found = [wire.member_json(guild, world.users[one]) for one in numbers if one in guild.members]
    chunk: Json = {"guild_id": str(guild.id), "members": found, "chunk_index": 0, "chunk_count": 1}
    session.push("GUILD_MEMBERS_CHUNK", dump(chunk | {"nonce": data.get("nonce"), "not_found": []}))
