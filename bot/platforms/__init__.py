"""The platforms, one package each. To add one, write its package and list it in `PLATFORMS`."""

from typing import Any

from bot.platforms import apprise, discord, telegram, terminal
from bot.platforms.types import Platform

PLATFORMS: tuple[Platform[Any], ...] = (
    telegram.PLATFORM,
    discord.PLATFORM,
    apprise.PLATFORM,
    terminal.PLATFORM,
)
