"""The unit of work, which is one transaction with all repositories, and the store that opens it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from time import monotonic
from typing import Self

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from content.errors import StoreBusy
from storage.chats import SqlChats
from storage.database import BUSY_TIMEOUT, create_engine
from storage.digests import SqlDigests, SqlDrafts
from storage.edits import SqlEdits
from storage.endings import SqlEndings
from storage.errors import store_errors
from storage.filters import SqlFilters
from storage.history import SqlHistory
from storage.index import AT_ONCE, SqlIndex
from storage.migrate import migrate
from storage.outbox import SqlOutbox
from storage.posts import SqlPosts
from storage.pushes import SqlPushes
from storage.records import SqlAudit, SqlLeases, SqlPeople, SqlQuestions, SqlSearches, SqlViews
from storage.sources import SqlSources
from storage.stories import SqlStories
from storage.subscriptions import SqlSubscriptions

# Seconds between two attempts to migrate a file that another process is migrating.
BUSY_PAUSE = 0.02


class SqlUnitOfWork:
    """One transaction with all repositories. It is rolled back unless it was committed."""

    def __init__(self, connection: AsyncConnection, searches: asyncio.Semaphore) -> None:
        self._connection = connection
        self.index = SqlIndex(connection, searches)
        self.sources = SqlSources(connection, self.index)
        self.posts = SqlPosts(connection, self.index)
        self.pushes = SqlPushes(connection)
        self.chats = SqlChats(connection)
        self.subscriptions = SqlSubscriptions(connection)
        self.filters = SqlFilters(connection)
        self.stories = SqlStories(connection)
        self.endings = SqlEndings(connection)
        self.outbox = SqlOutbox(connection)
        self.edits = SqlEdits(connection)
        self.digests = SqlDigests(connection)
        self.drafts = SqlDrafts(connection)
        self.leases = SqlLeases(connection)
        self.searches = SqlSearches(connection)
        self.views = SqlViews(connection)
        self.questions = SqlQuestions(connection)
        self.people = SqlPeople(connection)
        self.audit = SqlAudit(connection)
        self.history = SqlHistory(connection)

    async def commit(self) -> None:
        await self._connection.commit()


class SqlStore:
    """The store in one SQLite file or one PostgreSQL database; opens units of work."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._reader = engine
        self._writer = engine.execution_options(write=True)
        self._searches = asyncio.Semaphore(AT_ONCE)
        # Writers of one process wait here in order. SQLite's own lock is not fair.
        self._write_lock: AbstractAsyncContextManager[None] = (
            asyncio.Lock() if engine.dialect.name == "sqlite" else nullcontext()
        )

    @classmethod
    async def open(cls, url: str) -> Self:
        """Connect, migrate the schema and rebuild an outdated search index.

        Raises SettingsError for an invalid URL, StoreTooNew for a schema of a newer Skywave, else StoreError.
        """
        engine = create_engine(url)
        store = cls(engine)
        try:
            await _bring_up_to_date(engine)
            # After a change of the tokenizer, old tokens would not match new queries.
            async with store.write() as work:
                await work.index.ensure_current()
                await work.commit()
        except BaseException:
            await engine.dispose()
            raise
        return store

    @property
    def is_sqlite(self) -> bool:
        return self._reader.dialect.name == "sqlite"

    @asynccontextmanager
    async def read(self) -> AsyncIterator[SqlUnitOfWork]:
        with store_errors(self._reader.url):
            async with self._reader.connect() as connection:
                yield SqlUnitOfWork(connection, self._searches)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[SqlUnitOfWork]:
        with store_errors(self._reader.url):
            async with self._write_lock, self._writer.connect() as connection:
                yield SqlUnitOfWork(connection, self._searches)

    async def close(self) -> None:
        await self._reader.dispose()


async def _bring_up_to_date(engine: AsyncEngine) -> None:
    """Migrate the database. Retry while another process does the same.

    SQLite's busy time-out does not apply to the change to WAL mode, so it is repeated here.
    """
    until = monotonic() + BUSY_TIMEOUT / 1000
    while True:
        try:
            with store_errors(engine.url):
                return await migrate(engine)
        except StoreBusy:
            if monotonic() > until:
                raise
            await asyncio.sleep(BUSY_PAUSE)
