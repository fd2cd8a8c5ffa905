"""Settings that several platforms share, and the type of their secrets."""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr, field_validator


def _empty_is_none(value: object) -> object:
    return value or None


# A setting of this type never shows in a repr or a log. An empty one counts as not set.
Secret = Annotated[SecretStr | None, BeforeValidator(_empty_is_none)]


class PlatformSettings(BaseModel):
    """The settings of a platform. The text below each is its documentation, in Markdown."""

    model_config = ConfigDict(defer_build=True)  # only the class of all settings is used


class Proxied(PlatformSettings):
    """The HTTP proxy for connections to the platforms. A secret, because its URL may hold a password."""

    proxy: Secret = None
    """An HTTP proxy for Telegram and Discord, like `http://127.0.0.1:7890`."""

    @field_validator("proxy")
    @classmethod
    def _is_http_proxy(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not re.fullmatch(r"http://[^\s/]+/?", value.get_secret_value()):
            raise ValueError("is not an HTTP proxy: use one like http://127.0.0.1:7890")
        return value

    @property
    def proxy_url(self) -> str | None:
        return self.proxy.get_secret_value() if self.proxy else None
