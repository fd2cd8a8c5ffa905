"""Writes users, roles, channels and messages as Discord's JSON."""

from collections.abc import Mapping
from datetime import UTC, datetime

from tests.emulators.discord.types import DM, FORUM, Channel, Guild, Json, Message, Role, User

EPOCH = 1_420_070_400_000
"""Milliseconds of 2015-01-01, where snowflakes begin."""
_FORUM_TAG_REQUIRED = 1 << 4


def iso(at: float) -> str:
    """Seconds since 1970 as a timestamp."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")


def born(snowflake: int) -> str:
    """The creation time of a snowflake."""
    return iso(((snowflake >> 22) + EPOCH) / 1000)


def user_json(user: User) -> Json:
    """A user object."""
    body: Json = {
        "id": str(user.id),
        "username": user.name,
        "discriminator": "0",
        "global_name": user.name,
        "avatar": None,
        "public_flags": 0,
    }
    return body | {"bot": True} if user.is_bot else body


def member_json(guild: Guild, user: User) -> Json:
    """A guild member object."""
    return {
        "user": user_json(user),
        "nick": None,
        "avatar": None,
        "roles": [str(role) for role in guild.members.get(user.id, ())],
        "joined_at": born(guild.id),
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
    }


def role_json(role: Role) -> Json:
    """A role object."""
    return {
        "id": str(role.id),
        "name": role.name,
        "permissions": str(int(role.permissions)),
        "mentionable": role.mentionable,
        "managed": role.managed,
        "position": 1 if role.managed else 0,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "flags": 0,
    }


def channel_json(channel: Channel) -> Json:
    """A channel object."""
    last = channel.last_message_id
    body: Json = {
        "id": str(channel.id),
        "type": channel.type,
        "last_message_id": None if last is None else str(last),
        "flags": _FORUM_TAG_REQUIRED if channel.requires_tag else 0,
    }
    if channel.user is not None:
        return body | {"recipients": [user_json(channel.user)]}
    body |= {"name": channel.name, "guild_id": str(channel.guild.id) if channel.guild else None}
    return body | (_thread(channel) if channel.is_thread else _place(channel))


def _place(channel: Channel) -> Json:
    overwrites = [
        {"id": str(who), "type": int(not _is_role(channel, who)), "allow": str(allow), "deny": str(deny)}
        for who, (allow, deny) in channel.overwrites.items()
    ]
    body: Json = {
        "position": 0,
        "parent_id": None,
        "topic": None,
        "nsfw": False,
        "rate_limit_per_user": 0,
        "permission_overwrites": overwrites,
    }
    if channel.type == FORUM:
        tags = [
            {"id": str(number), "name": name, "moderated": False, "emoji_id": None, "emoji_name": None}
            for number, name in channel.tags.items()
        ]
        body |= {"available_tags": tags, "default_reaction_emoji": None, "default_sort_order": None}
    return body


def _is_role(channel: Channel, number: int) -> bool:
    return channel.guild is not None and number in channel.guild.roles


def _thread(channel: Channel) -> Json:
    return {
        "parent_id": str(channel.parent.id) if channel.parent else None,
        "owner_id": str(channel.owner_id),
        "message_count": len(channel.messages),
        "member_count": 1,
        "total_message_sent": len(channel.messages),
        "rate_limit_per_user": 0,
        "applied_tags": [str(tag) for tag in channel.applied_tags],
        "thread_metadata": {
            "archived": channel.archived,
            "locked": channel.locked,
            "auto_archive_duration": channel.auto_archive,
            "archive_timestamp": born(channel.id),
            "create_timestamp": born(channel.id),
        },
    }


def message_json(channel: Channel, message: Message, users: Mapping[int, User], app: User) -> Json:
    """A message object."""
    body: Json = {
        "id": str(message.id),
        "channel_id": str(message.channel_id),
        "type": 0 if message.interaction_id is None else 20,
        "author": user_json(message.author),
        "content": message.content,
        "timestamp": iso(message.at),
        "edited_timestamp": None if message.edited is None else iso(message.edited),
        "tts": False,
        "mention_everyone": message.pings.everyone,
        "mentions": [user_json(users[number]) for number in message.pings.users],
        "mention_roles": [str(number) for number in message.pings.roles],
        "attachments": list(message.files),
        "embeds": list(message.embeds),
        "components": list(message.components),
        "pinned": False,
        "flags": message.flags,
    }
    if message.nonce is not None:
        body["nonce"] = message.nonce
    if message.interaction_id is not None:
        body |= {"application_id": str(app.id), "webhook_id": str(app.id)}
    if message.reply_to is not None:
        body |= _reply(channel, message)
    return body


def _reply(channel: Channel, message: Message) -> Json:
    reference: Json = {"type": 0, "message_id": str(message.reply_to), "channel_id": str(channel.id)}
    if channel.guild is not None:
        reference["guild_id"] = str(channel.guild.id)
    return {"type": 19, "message_reference": reference}


def partial_channel_json(channel: Channel, bits: int) -> Json:
    """The channel of an interaction, with the permissions of its user."""
    body = channel_json(channel) | {"permissions": str(int(bits))}
    if channel.type != DM and not channel.is_thread:
        body.pop("permission_overwrites")
    return body
