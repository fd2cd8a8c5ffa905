"""Who may listen, send and tick: a lease gives each of them to one process at a time.

Its epoch grows with every new holder; whatever an older one still tries to write is refused.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from scheduler.ports import Clock, Store

# A holder that died is replaced after this long at the latest; a living one renews three times meanwhile.
TERM = timedelta(seconds=10)
RENEWAL = TERM / 3
# How often somebody who waits for a lease looks whether it is free.
LOOK = timedelta(seconds=1)


class Leases:
    """The leases of one process, the `holder`. `at_once`: no other process can be alive, so take over."""

    def __init__(self, store: Store, clock: Clock, holder: str, *, at_once: bool) -> None:
        self._store, self._clock, self._holder, self._at_once = store, clock, holder, at_once

    async def acquire(self, names: Sequence[str]) -> Mapping[str, int]:
        """Wait until all are ours; their epochs by name."""
        while (epochs := await self.renew(names)) is None:
            await self._clock.sleep(LOOK.total_seconds())
        return epochs

    async def renew(self, names: Sequence[str]) -> Mapping[str, int] | None:
        """Take or prolong the leases; None, and nothing taken, if another process holds one of them."""
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
        """Let the next process take over at once."""
        async with self._store.write() as work:
            for name in names:
                await work.leases.release(name, self._holder)
            await work.commit()
