"""The tables. Enumerations are stored as their values, times as UTC, structured values as JSON."""

from storage.tables.base import METADATA, UtcDateTime, for_migrations
from storage.tables.chats import ABSENCES, CHATS
from storage.tables.outbox import (
    BROADCAST_POSTS,
    BROADCASTS,
    DELIVERIES,
    DRAFTS,
    EDITS,
    LEDGER,
    PARTS,
    RENDERINGS,
)
from storage.tables.people import MANAGED, PEOPLE, QUESTIONS, SEARCHES, VIEWS
from storage.tables.posts import POSTS, STORY_WORDS, TOMBSTONES, UNINDEXED, WORDS
from storage.tables.records import AUDIT, LEASES, META
from storage.tables.sources import PUSHES, SOURCES, Sources
from storage.tables.subscriptions import (
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
    "for_migrations",
]
