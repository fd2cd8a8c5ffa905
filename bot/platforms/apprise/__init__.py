"""Services that the library apprise reaches, such as e-mail and ntfy. This platform only sends.

A chat's name may be shown. Its URL may hold passwords, so it is only kept in the settings.
"""

import logging
import re
from collections.abc import Mapping

from pydantic import SecretStr, field_validator

from bot.platforms.apprise.limits import LIMITS, NAME
from bot.platforms.settings import PlatformSettings
from bot.platforms.types import Platform
from content.errors import SettingsError
from scheduler.ports import Sender
from scheduler.types import ChatKind, Place

# The allowed names of chats.
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# Above every level: log lines of apprise and of its HTTP libraries may contain parts of a URL.
SILENT = logging.CRITICAL + 1


class AppriseSettings(PlatformSettings):
    apprise_urls: Mapping[str, SecretStr] = {}
    """Chats that only receive, by e-mail, ntfy and others: `name=URL` for each."""

    @field_validator("apprise_urls", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [word.partition("=")[::2] for word in value.split()]
        if len(dict(pairs)) < len(pairs):
            raise ValueError("has two URLs for one name: give each chat a name of its own")
        return dict(pairs)

    @field_validator("apprise_urls")
    @classmethod
    def _are_urls_with_names(cls, value: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
        for name, url in value.items():
            if not WORD.fullmatch(name) or "://" not in url.get_secret_value():
                raise ValueError("is not in the right form: write team-mail=mailto://… for each chat")
        return value


def _make(settings: AppriseSettings) -> Sender | None:
    if not settings.apprise_urls:
        return None
    try:
        # An optional dependency, imported here because it costs memory and start-up time.
        from bot.platforms.apprise.sender import AppriseSender
    except ModuleNotFoundError as exc:
        if exc.name != "apprise":
            raise
        raise SettingsError("SKYWAVE_APPRISE_URLS needs apprise: pip install 'skywave[apprise]'") from exc
    return AppriseSender({name: url.get_secret_value() for name, url in settings.apprise_urls.items()})


PLATFORM = Platform(
    name=NAME,
    settings=AppriseSettings,
    make=_make,
    limits=lambda settings: LIMITS,
    parse=lambda word: Place(NAME, word) if WORD.fullmatch(word) else None,
    kind=lambda place: ChatKind.CHANNEL,
    examples=("apprise:team-mail",),
    loggers=dict.fromkeys(("apprise", "requests", "urllib3"), SILENT),
)
