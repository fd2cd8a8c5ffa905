"""A deployment that the tests of a file share."""

import shutil
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest
import pytest_asyncio

from tests.bot.live import Deployment, SkippingClock
from tests.emulators.base import Emulator

Running = TypeVar("Running", bound=Deployment[Any])

FAILED = pytest.StashKey[bool]()
"""Whether a test has failed."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


def in_one_loop(items: list[pytest.Item], folder: Path) -> None:
    """Run the tests of each file of a folder in one event loop, which the shared deployment belongs to."""
    for item in items:
        if item.path.is_relative_to(folder) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


class Shared(Generic[Running]):
    """One deployment and one emulator, with the same time; new ones after a test that fails or stops either.

    The program's time runs ahead of the true one with each test that skips some.
    """

    running: Running

    def __init__(
        self,
        emulator: Callable[[SkippingClock], Any],
        live: Callable[..., AbstractAsyncContextManager[Running]],
        migrated: Path,
        folders: pytest.TempPathFactory,
    ) -> None:
        self._make, self._live, self._migrated, self._folders = emulator, live, migrated, folders
        self._stack = AsyncExitStack()
        self._emulator: Emulator | None = None

    @asynccontextmanager
    async def for_a(self, test: pytest.Item) -> AsyncIterator[Running]:
        """The deployment, as new."""
        if self._emulator is None:
            await self._open()
        else:
            self._emulator.forget()
            await self.running.forget()
        yield self.running
        if test.stash.get(FAILED, False) or not (
            self._emulator and self._emulator.is_up and self.running.is_running
        ):
            await self.close()

    async def _open(self) -> None:
        folder = self._folders.mktemp("shared")
        shutil.copy(self._migrated, folder / "skywave.db")
        clock = SkippingClock()
        self._emulator = await self._stack.enter_async_context(self._make(clock))
        self.running = await self._stack.enter_async_context(self._live(self._emulator, folder, clock=clock))

    async def close(self) -> None:
        stack, self._stack = self._stack, AsyncExitStack()
        self._emulator = None
        await stack.aclose()
