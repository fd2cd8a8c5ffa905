"""Discord: text and announcement channels, threads, forums and DMs."""

from bot.platforms.discord.limits import limits
from bot.platforms.types import Adapter, PlatformSpec
from bot.settings import Settings
from scheduler.types import ChatKind, Place


def _make(settings: Settings) -> Adapter | None:
    if settings.discord_token is None:
        return None
    # The SDK takes memory and time: only who uses it loads it.
    from bot.platforms.discord.adapter import DiscordAdapter

    token = settings.discord_token.get_secret_value()
    return DiscordAdapter(
        token,
        settings.discord_api_url,
        settings.discord_gateway_url,
        limits(settings),
        proxy=settings.proxy_url,
    )


def _kind(place: Place) -> ChatKind:
    return ChatKind.CHANNEL


SPEC = PlatformSpec("discord", _make, _kind, limits)
