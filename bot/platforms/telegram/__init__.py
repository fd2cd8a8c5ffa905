"""Telegram: private chats, groups, channels and forum topics."""

import logging
import re

from bot.platforms.settings import Proxied, Secret
from bot.platforms.telegram.limits import NAME, limits
from bot.platforms.types import Platform, numbered
from scheduler.ports import Sender
from scheduler.types import ChatKind, Limits, Place


class TelegramSettings(Proxied):
    telegram_token: Secret = None
    """BotFather's token; without it Telegram is off."""
    telegram_api_url: str = "https://api.telegram.org"
    """The address of the Bot API server, without `/bot`."""
    telegram_paid_broadcast: bool = False
    """Send up to 1000 messages a second, for which Telegram charges Stars."""


def _make(settings: TelegramSettings) -> Sender | None:
    if settings.telegram_token is None:
        return None
    # Imported here, because the SDK costs memory and start-up time that other deployments do not need.
    from bot.platforms.telegram.adapter import TelegramAdapter

    return TelegramAdapter(
        settings.telegram_token.get_secret_value(),
        settings.telegram_api_url,
        _limits(settings),
        paid=settings.telegram_paid_broadcast,
        proxy=settings.proxy_url,
    )


def _limits(settings: TelegramSettings) -> Limits:
    return limits(paid=settings.telegram_paid_broadcast)


def _kind(place: Place) -> ChatKind:
    return ChatKind.GROUP if place.address.startswith("-") else ChatKind.PRIVATE


PLATFORM = Platform(
    name=NAME,
    settings=TelegramSettings,
    make=_make,
    limits=_limits,
    parse=numbered(NAME),
    kind=_kind,
    examples=("telegram:-100123", "telegram:-100123/7 for a topic"),
    loggers={"telegram": logging.WARNING, "httpx": logging.WARNING, "httpcore": logging.WARNING},
    # A bot's token, which Telegram's URLs contain.
    secret=re.compile(r"\d{5,}:[\w-]{10,}"),
)
