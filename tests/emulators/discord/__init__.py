"""Discord's REST API and gateway, emulated. `python -m tests.emulators.discord` starts them."""

from tests.emulators.discord.limits import Limits
from tests.emulators.discord.permissions import Permission
from tests.emulators.discord.records import Acknowledged, Failed, Link, Request, Shown
from tests.emulators.discord.server import DiscordEmulator
from tests.emulators.discord.types import (
    Channel,
    Guild,
    Interaction,
    Message,
    Pings,
    Role,
    User,
)

__all__ = [
    "Acknowledged",
    "Channel",
    "DiscordEmulator",
    "Failed",
    "Guild",
    "Interaction",
    "Limits",
    "Link",
    "Message",
    "Permission",
    "Pings",
    "Request",
    "Role",
    "Shown",
    "User",
]
