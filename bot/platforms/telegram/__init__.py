"""Telegram: private chats, groups, channels and forum topics."""

from bot.platforms.telegram.limits import limits
from bot.platforms.types import Adapter, PlatformSpec
from bot.settings import Settings
from scheduler.types import ChatKind, Place


def _make(settings: Settings) -> Adapter | None:
    if settings.telegram_token is None:
        return None
    # The SDK takes memory and time: only who uses it loads it.
    from bot.platforms.telegram.adapter import TelegramAdapter

    token = settings.telegram_token.get_secret_value()
    paid, proxy = settings.telegram_paid_broadcast, settings.proxy_url
    return TelegramAdapter(token, settings.telegram_api_url, limits(settings), paid=paid, proxy=proxy)


def _kind(place: Place) -> ChatKind:
    return ChatKind.GROUP if place.address.startswith("-") else ChatKind.PRIVATE


SPEC = PlatformSpec("telegram", _make, _kind, limits)
