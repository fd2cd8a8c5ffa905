"""Structured logs on standard error: one line per event, for people or as JSON.

Secrets are masked in both, and characters that a terminal would interpret are replaced.
"""

import logging
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import structlog

from bot.platforms import PLATFORMS
from bot.visible import visible
from content.secrets import without_secrets

# Keys whose values may have several lines: tracebacks.
TRACES = ("exception", "stack")
# Libraries that log every step at INFO; only their warnings are logged.
NOISY = ("apscheduler", "aiosqlite", "alembic")


class Redactor:
    """Masks secrets in events: known secrets, text in the form of a platform's secret, and those in URLs."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = [secret for secret in secrets if secret]
        self._shapes = [platform.secret for platform in PLATFORMS if platform.secret]

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        return {key: self._clean(value) for key, value in event.items()}

    def _clean(self, value: Any) -> Any:
        match value:
            case None | bool() | int() | float():
                return value
            case Mapping():
                return {self._cut(str(key)): self._clean(item) for key, item in value.items()}
            case list() | tuple():
                return [self._clean(item) for item in value]
            case _:  # text, or an object (exception, path) that the renderer would turn into text later
                return self._cut(str(value))

    def _cut(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        for shape in self._shapes:
            text = shape.sub("***", text)
        return visible(without_secrets(text))


def one_line(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Keep each value on one line, so that outside text cannot imitate another event."""
    return {
        key: value.replace("\n", " ") if isinstance(value, str) and key not in TRACES else value
        for key, value in event.items()
    }


def configure(
    log_format: str, secrets: Sequence[str], *, level: str = "INFO", observers: Sequence[Any] = ()
) -> None:
    """Configure logging for our own events and for those of the libraries.

    `observers` are structlog processors that get every event of ours, whatever its level.
    """
    to_text: list[Any] = (
        [
            structlog.processors.format_exc_info,
            Redactor(secrets),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
        if log_format == "json"
        else [
            structlog.processors.format_exc_info,
            Redactor(secrets),
            one_line,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ]
    )
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *observers,
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[remove, *to_text])
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    for platform in PLATFORMS:
        for name, least in platform.loggers.items():
            logging.getLogger(name).setLevel(least)
