"""What `scheduler` needs from outside: the store, the platforms and the clock.

`storage` implements the store, `bot.platforms` the platforms; the tests implement all of them by hand.
"""

from scheduler.ports.chats import ChatRepository
from scheduler.ports.clock import Clock
from scheduler.ports.digests import DigestRepository, DraftRepository
from scheduler.ports.edits import Edit, EditLimits, EditRepository, Stale
from scheduler.ports.leases import LeaseRepository
from scheduler.ports.outbox import Closed, DeliveryFilter, OutboxRepository, Outcome, PartEnded, Postponed
from scheduler.ports.people import Asked, AuditEntry, AuditRepository, PersonRepository, QuestionRepository
from scheduler.ports.posts import Batch, PostRepository
from scheduler.ports.searches import Found, SearchRepository, Shown, ViewRepository
from scheduler.ports.senders import Edits, HasRichForm, Publishes, Recalls, Sender
from scheduler.ports.sources import SourceRepository
from scheduler.ports.store import Store, UnitOfWork
from scheduler.ports.subscriptions import EndingRepository, FilterRepository, SubscriptionRepository

__all__ = [
    "Asked",
    "AuditEntry",
    "AuditRepository",
    "Batch",
    "ChatRepository",
    "Clock",
    "Closed",
    "DeliveryFilter",
    "DigestRepository",
    "DraftRepository",
    "Edit",
    "EditLimits",
    "EditRepository",
    "Edits",
    "EndingRepository",
    "FilterRepository",
    "Found",
    "HasRichForm",
    "LeaseRepository",
    "OutboxRepository",
    "Outcome",
    "PartEnded",
    "PersonRepository",
    "PostRepository",
    "Postponed",
    "Publishes",
    "QuestionRepository",
    "Recalls",
    "SearchRepository",
    "Sender",
    "Shown",
    "SourceRepository",
    "Stale",
    "Store",
    "SubscriptionRepository",
    "UnitOfWork",
    "ViewRepository",
]
