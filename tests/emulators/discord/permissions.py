"""Computes permissions in channels.

The bits and the order (roles, then overwrites of @everyone, of roles, of the member) are those of Discord's
page on permissions.
"""

from enum import IntFlag

from tests.emulators.discord.faults import refusal
from tests.emulators.discord.types import Channel, Guild


class Permission(IntFlag):
    """The permissions that matter to a bot that posts."""

    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38


ALL = (1 << 53) - 1
READ = Permission.VIEW_CHANNEL | Permission.READ_MESSAGE_HISTORY
WRITE = (
    Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.CREATE_PUBLIC_THREADS
)
EVERYONE = READ | WRITE | Permission.MENTION_EVERYONE | Permission.USE_APPLICATION_COMMANDS
"""What @everyone may do in a new guild."""
_ADMIN, _VIEW = int(Permission.ADMINISTRATOR), int(Permission.VIEW_CHANNEL)


def base_permissions(guild: Guild, user_id: int) -> int:
    """The member's permissions without channel overwrites; 0 for people who are not members."""
    if user_id not in guild.members:
        return 0
    if user_id == guild.owner.id:
        return ALL
    bits = guild.everyone.permissions
    for role in guild.members[user_id]:
        bits |= guild.roles[role].permissions
    return ALL if bits & _ADMIN else bits


def permissions(channel: Channel, user_id: int) -> int:
    """The permissions of the person or the bot in the channel; in a DM, all."""
    guild = channel.guild
    if guild is None:
        return ALL
    bits = base_permissions(guild, user_id)
    if bits == ALL:
        return ALL
    overwrites = (channel.parent if channel.is_thread and channel.parent else channel).overwrites
    if overwrites:
        bits = _overwritten(bits, overwrites, guild, user_id)
    return bits if bits & _VIEW else 0


def _overwritten(bits: int, overwrites: dict[int, tuple[int, int]], guild: Guild, user_id: int) -> int:
    allow, deny = overwrites.get(guild.id, (0, 0))
    bits = bits & ~deny | allow
    allow = deny = 0
    for role in guild.members.get(user_id, ()):
        more, less = overwrites.get(role, (0, 0))
        allow |= more
        deny |= less
    bits = bits & ~deny | allow
    allow, deny = overwrites.get(user_id, (0, 0))
    return bits & ~deny | allow


def sees(channel: Channel, user_id: int) -> bool:
    """Whether the person or the bot can see the channel."""
    return bool(permissions(channel, user_id) & _VIEW)


def demand(channel: Channel, user_id: int, needed: int) -> None:
    """Raise 50001 if the bot cannot see the channel, 50013 if a permission is missing."""
    if channel.guild is not None and not channel.guild.has_bot:
        raise refusal(50001)
    bits = permissions(channel, user_id)
    if not bits & _VIEW:
        raise refusal(50001)
    if needed & ~bits:
        raise refusal(50013)
