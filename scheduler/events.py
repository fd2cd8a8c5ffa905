"""What becomes of the events that are logged: structlog hands them over to the standard library's logging."""

from collections.abc import Sequence

import structlog
from structlog.typing import Processor

# What an event gets when it is logged. Those of libraries get it when they are formatted.
STAMPS: tuple[Processor, ...] = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


# Loggers keep this list when they are first used: to look for it at each event takes longer than the event.
_PROCESSORS: list[Processor] = []


def hand_over(observers: Sequence[Processor] = ()) -> None:
    """Hand events over to `logging`. `observers` get each of them before, whatever its level."""
    _PROCESSORS[:] = [
        *observers,
        structlog.stdlib.filter_by_level,
        *STAMPS,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ]


structlog.configure(
    processors=_PROCESSORS,
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
hand_over()
