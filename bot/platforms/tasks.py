"""Tasks that a platform starts and that its end waits for."""

import asyncio

from scheduler.log import Logger

log = Logger(__name__)


class TaskSet:
    """Keeps tasks alive until they are done: the event loop itself holds only weak references."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self, patience: float) -> None:
        """Wait at most `patience` seconds for all tasks, then cancel the unfinished ones."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)
        if left := set(self._tasks):
            log.warning("end.cut_off", what="answers", count=len(left))
            for task in left:
                task.cancel()
            await asyncio.wait(left)
