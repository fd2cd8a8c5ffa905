"""Telegram: private chats, groups, channels and forum topics."""

from bot.platforms.types import Adapter, PlatformSpec
from bot.settings import Settings
from scheduler.types import ChatKind, Place


def _make(settings: Settings) -> Adapter | None:
    if settings.telegram_token is None:
        return None
    # The SDK takes memory and time: only who uses it loads it.
    from bot.platforms.telegram.adapter import TelegramAdapter

    return TelegramAdapter(settings.telegram_token.get_secret_value(), settings.telegram_api_url)


def _kind(place: Place) -> ChatKind:
    return ChatKind.GROUP if place.address.startswith("-") else ChatKind.PRIVATE


SPEC = PlatformSpec("telegram", _make, _kind)
