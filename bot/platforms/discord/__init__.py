"""Discord: text and announcement channels, threads, forums and DMs."""

import logging

from bot.platforms.discord.limits import LIMITS, NAME
from bot.platforms.settings import Proxied, Secret
from bot.platforms.types import Platform, numbered
from scheduler.ports import Sender
from scheduler.types import ChatKind


class DiscordSettings(Proxied):
    discord_token: Secret = None
    """The bot's token; without it Discord is off."""
    discord_api_url: str = "https://discord.com/api/v10"
    """The address of the API."""
    discord_gateway_url: str = ""
    """Another gateway; empty for that of discord.py."""


def _make(settings: DiscordSettings) -> Sender | None:
    if settings.discord_token is None:
        return None
    # Imported here, because the SDK costs memory and start-up time that other deployments do not need.
    from bot.platforms.discord.adapter import DiscordAdapter

    return DiscordAdapter(
        settings.discord_token.get_secret_value(),
        settings.discord_api_url,
        settings.discord_gateway_url,
        LIMITS,
        proxy=settings.proxy_url,
    )


PLATFORM = Platform(
    name=NAME,
    settings=DiscordSettings,
    make=_make,
    limits=lambda settings: LIMITS,
    parse=numbered(NAME),
    kind=lambda place: ChatKind.CHANNEL,
    examples=("discord:456",),
    publishes=True,
    loggers={"discord": logging.WARNING},
)
