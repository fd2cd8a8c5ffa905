"""Settings that several platforms share, and what their secrets are written as."""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, SecretStr, field_validator


def _empty_is_none(value: object) -> object:
    return value or None


# A setting of this type is in no representation and in no log.
Secret = Annotated[SecretStr | None, BeforeValidator(_empty_is_none)]


class Proxied(BaseModel):
    """An HTTP proxy, through which the platforms are reached; its URL may hold a password."""

    proxy: Secret = None

    @field_validator("proxy")
    @classmethod
    def _is_http_proxy(cls, value: SecretStr | None) -> SecretStr | None:
        if value and not re.fullmatch(r"http://[^\s/]+/?", value.get_secret_value()):
            raise ValueError("is not an HTTP proxy: use one like http://127.0.0.1:7890")
        return value

    @property
    def proxy_url(self) -> str | None:
        return self.proxy.get_secret_value() if self.proxy else None
