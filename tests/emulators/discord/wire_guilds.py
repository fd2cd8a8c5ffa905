"""Guilds as Discord writes them."""

from collections.abc import Mapping

from tests.emulators.discord.types import Guild, Json, User
from tests.emulators.discord.wire import born, channel_json, member_json, role_json


def guild_json(guild: Guild) -> Json:
    """A guild object, without what only GUILD_CREATE tells."""
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


def full_guild_json(guild: Guild, users: Mapping[int, User], bot: User) -> Json:
    """A guild as GUILD_CREATE tells it. Discord leaves archived threads out."""
    known = [bot, *(users[number] for number in guild.members if number != bot.id)]
    return guild_json(guild) | {
        "joined_at": born(guild.id),
        "large": len(guild.members) > 250,
        "unavailable": False,
        "member_count": len(guild.members),
        "members": [member_json(guild, user) for user in known[:250]],
        "channels": [channel_json(channel) for channel in guild.channels.values()],
        "threads": [channel_json(thread) for thread in guild.threads.values() if not thread.archived],
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }
