"""The tables. Enumerations are stored as their values, times as UTC, structured values as JSON."""

from storage.models.base import METADATA, UtcDateTime, tables
from storage.models.chats import ABSENCES, CHATS
from storage.models.outbox import (
    BROADCAST_POSTS,
    BROADCASTS,
    DELIVERIES,
    DRAFTS,
    EDITS,
    LEDGER,
    PARTS,
    RENDERINGS,
)
from storage.models.people import MANAGED, PEOPLE, QUESTIONS, SEARCHES, VIEWS
from storage.models.posts import POSTS, STORY_WORDS, TOMBSTONES, UNINDEXED, WORDS
from storage.models.records import AUDIT, LEASES, META
from storage.models.sources import PUSHES, SOURCES, Sources
from storage.models.subscriptions import (
    DIGESTS,
    ENDINGS,
    FILTERED,
    FILTERS,
    PAST,
    SUBSCRIPTIONS,
)

__all__ = [
    "ABSENCES",
    "AUDIT",
    "BROADCASTS",
    "BROADCAST_POSTS",
    "CHATS",
    "DELIVERIES",
    "DIGESTS",
    "DRAFTS",
    "EDITS",
    "ENDINGS",
    "FILTERED",
    "FILTERS",
    "LEASES",
    "LEDGER",
    "MANAGED",
    "META",
    "METADATA",
    "PARTS",
    "PAST",
    "PEOPLE",
    "POSTS",
    "PUSHES",
    "QUESTIONS",
    "RENDERINGS",
    "SEARCHES",
    "SOURCES",
    "STORY_WORDS",
    "SUBSCRIPTIONS",
    "TOMBSTONES",
    "UNINDEXED",
    "VIEWS",
    "WORDS",
    "Sources",
    "UtcDateTime",
    "tables",
]
