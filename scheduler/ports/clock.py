"""What `scheduler` needs of time."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Time, so that tests can decide how it passes."""

    def now(self) -> datetime:
        """The current time, UTC-aware."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, counted from an arbitrary moment."""
        ...

    async def sleep(self, seconds: float) -> None: ...
