"""The tables. Enumerations are stored as their values, times as UTC, structured values as JSON."""

from storage.models.base import Base, UtcDateTime, tables
from storage.models.chats import AbsenceRow, ChatRow
from storage.models.outbox import (
    BroadcastPostRow,
    BroadcastRow,
    DeliveryRow,
    DraftRow,
    EditRow,
    LedgerRow,
    PartRow,
    RenderingRow,
)
from storage.models.people import ManagedRow, PersonRow, QuestionRow, SearchRow, ViewRow
from storage.models.posts import PostRow, StoryWordRow, TombstoneRow, UnindexedRow, WordRow
from storage.models.records import AuditRow, LeaseRow, MetaRow
from storage.models.sources import PushRow, SourceRow
from storage.models.subscriptions import (
    DigestRow,
    EndingRow,
    FilteredRow,
    FilterRow,
    PastRow,
    SubscriptionRow,
)

__all__ = [
    "AbsenceRow",
    "AuditRow",
    "Base",
    "BroadcastPostRow",
    "BroadcastRow",
    "ChatRow",
    "DeliveryRow",
    "DigestRow",
    "DraftRow",
    "EditRow",
    "EndingRow",
    "FilterRow",
    "FilteredRow",
    "LeaseRow",
    "LedgerRow",
    "ManagedRow",
    "MetaRow",
    "PartRow",
    "PastRow",
    "PersonRow",
    "PostRow",
    "PushRow",
    "QuestionRow",
    "RenderingRow",
    "SearchRow",
    "SourceRow",
    "StoryWordRow",
    "SubscriptionRow",
    "TombstoneRow",
    "UnindexedRow",
    "UtcDateTime",
    "ViewRow",
    "WordRow",
    "tables",
]
