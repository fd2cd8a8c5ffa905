"""The repository of leases."""

from datetime import datetime
from typing import Protocol


class LeaseRepository(Protocol):
    async def take(
        self, name: str, holder: str, now: datetime, until: datetime, *, force: bool
    ) -> int | None:
        """Take or renew a lease. Returns its epoch, which grows with each new holder; None if another has it.

        `force`: the other holder is known to be dead.
        """
        ...

    async def release(self, name: str, holder: str) -> None: ...
