"""Leases: only one process at a time listens, sends and runs periodic jobs.

The epoch of a lease grows with every new holder; the store refuses writes with an older epoch.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from scheduler.ports import Clock, Store

# A dead process is replaced after TERM at the latest; a live one renews three times in that period.
TERM = timedelta(seconds=10)
RENEWAL = TERM / 3
# How often a waiting process checks whether a lease is free.
LOOK = timedelta(seconds=1)


class Leases:
    """The leases of one process, the `holder`. `at_once`: take them over; no other process can be alive."""

    def __init__(self, store: Store, clock: Clock, holder: str, *, at_once: bool) -> None:
        self._store, self._clock, self._holder, self._at_once = store, clock, holder, at_once

    async def acquire(self, names: Sequence[str]) -> Mapping[str, int]:
        """Wait until this process holds all of them; returns their epochs by name."""
        while (epochs := await self.renew(names)) is None:
            await self._clock.sleep(LOOK.total_seconds())
        return epochs

    async def renew(self, names: Sequence[str]) -> Mapping[str, int] | None:
        """Take or renew the leases; None, and nothing is taken, if another process holds one of them."""
        now = self._clock.now()
        epochs: dict[str, int] = {}
        async with self._store.write() as work:
            for name in names:
                epoch = await work.leases.take(name, self._holder, now, now + TERM, force=self._at_once)
                if epoch is None:
                    return None
                epochs[name] = epoch
            await work.commit()
        return epochs

    async def release(self, names: Sequence[str]) -> None:
        """Release the leases, so that the next process can take over at once."""
        async with self._store.write() as work:
            for name in names:
                await work.leases.release(name, self._holder)
            await work.commit()
