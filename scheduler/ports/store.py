"""The store: units of work with all repositories."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from content.search import SearchIndex
from scheduler.history import HistoryRepository
from scheduler.ports.chats import ChatRepository
from scheduler.ports.digests import DigestRepository, DraftRepository
from scheduler.ports.edits import EditRepository
from scheduler.ports.leases import LeaseRepository
from scheduler.ports.outbox import OutboxRepository
from scheduler.ports.people import AuditRepository, PersonRepository, QuestionRepository
from scheduler.ports.posts import PostRepository
from scheduler.ports.searches import SearchRepository, ViewRepository
from scheduler.ports.sources import SourceRepository
from scheduler.ports.subscriptions import EndingRepository, FilterRepository, SubscriptionRepository
from scheduler.push.pushes import PushRepository
from scheduler.stories import StoryRepository


class UnitOfWork(Protocol):
    """One transaction, rolled back unless it is committed."""

    @property
    def sources(self) -> SourceRepository: ...

    @property
    def posts(self) -> PostRepository: ...

    @property
    def pushes(self) -> PushRepository: ...

    @property
    def index(self) -> SearchIndex: ...

    @property
    def chats(self) -> ChatRepository: ...

    @property
    def subscriptions(self) -> SubscriptionRepository: ...

    @property
    def filters(self) -> FilterRepository: ...

    @property
    def stories(self) -> StoryRepository: ...

    @property
    def endings(self) -> EndingRepository: ...

    @property
    def outbox(self) -> OutboxRepository: ...

    @property
    def edits(self) -> EditRepository: ...

    @property
    def digests(self) -> DigestRepository: ...

    @property
    def drafts(self) -> DraftRepository: ...

    @property
    def leases(self) -> LeaseRepository: ...

    @property
    def searches(self) -> SearchRepository: ...

    @property
    def views(self) -> ViewRepository: ...

    @property
    def questions(self) -> QuestionRepository: ...

    @property
    def people(self) -> PersonRepository: ...

    @property
    def audit(self) -> AuditRepository: ...

    @property
    def history(self) -> HistoryRepository: ...

    async def commit(self) -> None: ...


class Store(Protocol):
    """Opens units of work. None may stay open across network I/O."""

    def read(self) -> AbstractAsyncContextManager[UnitOfWork]: ...

    def write(self) -> AbstractAsyncContextManager[UnitOfWork]:
        """A unit of work that may write; writers of one SQLite file queue for it."""
        ...
