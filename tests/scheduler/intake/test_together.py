"""What several reads need of the database is done together, and each gets its own result."""

import asyncio
from collections.abc import Sequence

import pytest

from content.errors import StoreBusy, StoreRejected
from scheduler.intake.together import Together

MOST = 3


class Groups:
    """Records the groups; each waits until the test lets it go on. A negative job is a bad one."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []
        self.go = asyncio.Semaphore(0)
        self.error: Exception | None = None

    async def __call__(self, jobs: Sequence[int]) -> Sequence[str]:
        self.seen.append(list(jobs))
        await self.go.acquire()
        if self.error:
            raise self.error
        if any(job < 0 for job in jobs):
            raise StoreRejected("a bad value")
        return [f"result of {job}" for job in jobs]

    def let(self, groups: int = 99) -> None:
        for _ in range(groups):
            self.go.release()


async def begun(together: Together[int, str], *jobs: int) -> list[asyncio.Task[str]]:
    tasks = [asyncio.create_task(together(job)) for job in jobs]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def test_while_one_group_is_done_the_next_one_collects() -> None:
    groups = Groups()
    together = Together(groups, MOST)
    first = await begun(together, 1)
    others = await begun(together, 2, 3, 4, 5)
    groups.let()
    assert await asyncio.gather(*first, *others) == [f"result of {n}" for n in (1, 2, 3, 4, 5)]
    assert groups.seen == [[1], [2, 3, 4], [5]]


async def test_a_bad_job_fails_alone() -> None:
    groups = Groups()
    together = Together(groups, MOST)
    tasks = await begun(together, 1) + await begun(together, 2, -3, 4)
    groups.let()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(result, StoreRejected) for result in results] == [False, False, True, False]
    assert results[3] == "result of 4"


async def test_if_the_database_fails_each_is_tried_alone_once() -> None:
    groups = Groups()
    groups.error = StoreBusy("locked")
    together = Together(groups, MOST)
    tasks = await begun(together, 1) + await begun(together, 2, 3)
    groups.let()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, StoreBusy) for result in results)
    assert groups.seen == [[1], [2, 3], [2], [3]]


async def test_who_is_cancelled_undoes_nothing_of_the_others() -> None:
    groups = Groups()
    together = Together(groups, MOST)
    first = await begun(together, 1)
    gone, stays = await begun(together, 2, 3)
    gone.cancel()
    first[0].cancel()
    groups.let()
    await together.settled()
    assert groups.seen == [[1], [3]], "what was begun is finished, what waited is left out"
    assert await stays == "result of 3"


async def test_nobody_waits_for_work_that_was_cancelled() -> None:
    groups = Groups()
    together = Together(groups, MOST)
    tasks = await begun(together, 1, 2)
    for task in asyncio.all_tasks() - {asyncio.current_task(), *tasks}:
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.gather(*tasks)
