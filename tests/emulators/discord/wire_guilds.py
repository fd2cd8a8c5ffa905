"""Writes guilds as Discord's JSON."""

from collections.abc import Mapping

from tests.emulators.discord.permissions import Permission, sees
from tests.emulators.discord.types import Channel, Guild, Json, User
from tests.emulators.discord.wire import born, channel_json, member_json, role_json

_OBFUSCATED = 1 << 17


def guild_json(guild: Guild) -> Json:
    """A guild object without the fields that only GUILD_CREATE has."""
    return {
        "id": str(guild.id),
        "name": guild.name,
        "owner_id": str(guild.owner.id),
        "roles": [role_json(role) for role in guild.roles.values()],
        "emojis": [],
        "stickers": [],
        "features": ["COMMUNITY", "NEWS"],
        "verification_level": 1,
        "default_message_notifications": 1,
        "explicit_content_filter": 2,
        "mfa_level": 0,
        "nsfw_level": 0,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "premium_progress_bar_enabled": False,
        "preferred_locale": guild.locale,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "afk_channel_id": None,
        "afk_timeout": 300,
        "description": None,
        "icon": None,
        "vanity_url_code": None,
    }


def gateway_json(channel: Channel, bot: User) -> Json:
    """A channel in an event. If the bot cannot see it, it has no name ("Obfuscated Channels")."""
    if sees(channel, bot.id) or channel.guild is None:
        return channel_json(channel)
    everyone = str(channel.guild.id)
    hidden = {"id": everyone, "type": 0, "allow": "0", "deny": str(int(Permission.VIEW_CHANNEL))}
    told = ("id", "type", "guild_id", "position", "parent_id", "nsfw", "rate_limit_per_user")
    body = {name: value for name, value in channel_json(channel).items() if name in told}
    return body | {
        "name": "___hidden___",
        "flags": _OBFUSCATED,
        "topic": None,
        "last_message_id": None,
        "permission_overwrites": [hidden],
    }


def full_guild_json(guild: Guild, users: Mapping[int, User], bot: User) -> Json:
    """A guild as in GUILD_CREATE. Archived threads are left out."""
    known = [bot, *(users[number] for number in guild.members if number != bot.id)]
    return guild_json(guild) | {
        "joined_at": born(guild.id),
        "large": len(guild.members) > 250,
        "unavailable": False,
        "member_count": len(guild.members),
        "members": [member_json(guild, user) for user in known[:250]],
        "channels": [gateway_json(channel, bot) for channel in guild.channels.values()],
        "threads": [channel_json(t) for t in guild.threads.values() if not t.archived and sees(t, bot.id)],
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }
