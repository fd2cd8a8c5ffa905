"""Structured logs on standard error: one line per event, for people or as JSON.

Secrets are masked in both, and characters that a terminal would interpret are replaced.
"""

import logging
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from functools import cached_property
from typing import Any

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


class Lines(logging.Formatter):
    """Formats events as text or JSON. structlog is loaded with the first: most commands log nothing."""

    def __init__(self, log_format: str, secrets: Sequence[str]) -> None:
        super().__init__()
        self._json, self._redactor = log_format == "json", Redactor(secrets)

    def format(self, record: logging.LogRecord) -> str:
        return self._formatter.format(record)

    @cached_property
    def _formatter(self) -> logging.Formatter:
        import structlog

        from scheduler.events import STAMPS

        to_text: list[Any] = (
            [structlog.processors.JSONRenderer(ensure_ascii=False)]
            if self._json
            else [one_line, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        )
        remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
        return structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=STAMPS,
            processors=[remove, structlog.processors.format_exc_info, self._redactor, *to_text],
        )


def configure(
    log_format: str, secrets: Sequence[str], *, level: str = "INFO", observers: Sequence[Any] = ()
) -> None:
    """Configure logging for our own events and for those of the libraries.

    `observers` are structlog processors that get every event of ours, whatever its level.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(log_format, secrets))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    for platform in PLATFORMS:
        for name, least in platform.loggers.items():
            logging.getLogger(name).setLevel(least)
    if observers:
        from scheduler.events import hand_over

        hand_over(observers)
