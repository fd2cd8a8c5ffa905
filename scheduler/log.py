"""The loggers of all modules."""

from typing import Any


class Logger:
    """Logs events with values: `log.info("digest.run", digest=1)`.

    structlog is loaded with the first event, because it loads rich: together they take a tenth of a start,
    and most commands log nothing.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, level: str) -> Any:
        import structlog

        import scheduler.events  # noqa: F401  # says what becomes of them

        method = getattr(structlog.get_logger(self._name), level)
        setattr(self, level, method)  # so that this is asked once
        return method
