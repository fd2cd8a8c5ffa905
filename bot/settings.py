"""The settings of a deployment: types, defaults and limits. `bot/loading.py` says where they come from."""

from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import timedelta
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from bot.access import AccessMode
from content.i18n import LANGUAGES, SOURCE_LANGUAGE, named
from content.urls import is_web_url
from scheduler.quotas import Quotas
from scheduler.rhythm import Bounds


class Settings(BaseModel):
    """The settings of a deployment, without those of the platforms. The text below each is its documentation.

    Secrets never show in a repr or a log.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, defer_build=True)

    database_url: str = "sqlite:///skywave.db"
    """The database; for PostgreSQL `postgresql://user:password@host/name`."""
    operators: frozenset[str] = frozenset()
    """Who may use every command in every chat, like `telegram:123,discord:456`."""
    poll_interval: int = Field(300, ge=1, le=2_592_000)
    """Shortest time in seconds between two reads of a source."""
    poll_longest: int = Field(21600, ge=1, le=604800)
    """Longest time, for sources that post rarely; the shortest counts if it is longer."""
    edits: bool = True
    """Whether messages are edited when their posts change."""
    page_size: int = Field(11, ge=1, le=50)
    """Posts on a page, 1 to 50."""
    excerpt_length: int = Field(350, ge=20, le=2000)
    """Characters of a post on a page, 20 to 2000."""
    language: str = SOURCE_LANGUAGE
    """The language of chats that have none of their own: `en`, `zh`, `zh_Hant`, `ru` or `es`."""
    timezone: str = "UTC"
    """The zone of chats that have none of their own, like `Asia/Shanghai`."""
    banner: str = "INCOMING TRANSMISSION"
    """The first line of a page; the default is translated."""
    heading: str = "LATEST UPDATES"
    """The second line, likewise."""
    allowed_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Private networks in which operators' sources may be, like `192.168.0.0/16`."""
    rsshub_url: str = ""
    """The RSSHub instance for `rsshub://` and `rsshub.app` addresses, like `https://rsshub.example.org`."""
    metrics_port: int | None = Field(None, ge=0, le=65535)
    """The port of `/metrics`, `/healthz`, `/readyz`, `/hooks` and `/websub`; without it nothing is served."""
    metrics_host: str = "127.0.0.1"
    """The address of that port."""
    public_url: str = ""
    """Where the Internet reaches `/hooks` and `/websub`, like `https://bot.example.org`; for WebSub."""
    watchdog: Literal["report", "end"] = "report"
    """When the process hangs for 30 seconds, `report` logs it and `end` also ends it."""
    access: AccessMode = AccessMode.OPEN
    """Who may use the bot: `open`, `curated` or `closed`."""
    chat_sources: int = Field(30, ge=0)
    """Private sources that a chat may follow."""
    person_sources: int = Field(50, ge=0)
    """Private sources that a person may add."""
    private_sources: int = Field(2000, ge=0)
    """Private sources in all."""
    commands_per_minute: int = Field(20, ge=1)
    """Commands and presses of a person; more are refused, then ignored for 30 seconds."""
    posts_per_day: int = Field(50, ge=0)
    """Updates that a person may write a day."""
    post_length: int = Field(20_000, ge=100)
    """Characters of an update."""
    source_posts: int = Field(500, ge=1)
    """Posts that one read takes at most, the newest first."""
    keep_posts: int = Field(730, ge=0)
    """Days until a post is deleted, 0 for never; the newest 500 of a source stay."""
    keep_of_source: int = Field(20_000, ge=500)
    """Posts that are kept of a source at most; beyond them the oldest are deleted, whatever their age."""
    keep_deliveries: int = Field(30, ge=1)
    """Days until a sent or cancelled delivery is deleted."""
    keep_searches: int = Field(7, ge=1)
    """Days for which the page buttons of a search work."""
    keep_drafts: int = Field(90, ge=1)
    """Days until a draft that is not scheduled is deleted."""
    keep_audit: int = Field(365, ge=1)
    """Days for which the audit log is kept."""
    keep_tombstones: int = Field(365, ge=1)
    """Days for which a deleted post is remembered, so that it does not come back as new."""
    log_format: Literal["console", "json"] = "console"
    """`console` or `json`."""

    @property
    def secrets(self) -> list[str]:
        """The values of all secret settings, so that logs can mask them."""
        given = [secret for _, value in self for secret in _values(value) if isinstance(secret, SecretStr)]
        return [secret.get_secret_value() for secret in given]

    @property
    def quotas(self) -> Quotas:
        return Quotas(**{limit.name: getattr(self, limit.name) for limit in fields(Quotas)})

    @property
    def bounds(self) -> Bounds:
        shortest = timedelta(seconds=self.poll_interval)
        return Bounds(shortest, max(shortest, timedelta(seconds=self.poll_longest)))

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        if value != "UTC" and value not in _zones():
            raise ValueError("is not a valid time zone: use one like Asia/Shanghai")
        return value

    @field_validator("rsshub_url")
    @classmethod
    def _is_web_url(cls, value: str) -> str:
        if value and not is_web_url(value):
            raise ValueError("is not an http or https URL: use one like https://rsshub.example.org")
        return value

    @field_validator("language")
    @classmethod
    def _is_language(cls, value: str) -> str:
        if language := named(value):
            return language
        raise ValueError(f"is not a language of Skywave: use one of {', '.join(LANGUAGES)}")

    @field_validator("public_url")
    @classmethod
    def _is_public_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (not is_web_url(value) or parts.query or parts.fragment or parts.username):
            raise ValueError("is not a URL: write it like https://bot.example.org")
        return value.rstrip("/")

    @field_validator("operators", mode="before")
    @classmethod
    def _words(cls, value: object) -> object:
        return value.replace(",", " ").split() if isinstance(value, str) else value

    @field_validator("operators")
    @classmethod
    def _are_people(cls, value: frozenset[str]) -> frozenset[str]:
        for one in value:
            platform, _, person = one.partition(":")
            if not (platform.isalpha() and person):
                raise ValueError(f"{one!r} names nobody: write it like telegram:123")
        return value

    @field_validator("allowed_networks", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        words = value.replace(",", " ").split() if isinstance(value, str) else value
        return [ip_network(word, strict=False) for word in words] if isinstance(words, list) else words


@cache
def _zones() -> Collection[str]:
    """The time zones of this system: finding them takes 20 ms."""
    return available_timezones()


def _values(value: object) -> Collection[object]:
    return list(value.values()) if isinstance(value, Mapping) else [value]
