"""Broadcasts, their deliveries, and what each chat has been sent."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Named,
    String,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
)

from scheduler.types import BroadcastKind, DeliveryState, DraftState, Form, LedgerState, PartState
from storage.tables.base import CHOICES, METADATA, NEVER, Id, UtcDateTime, Word, partial
from storage.tables.chats import CHATS
from storage.tables.posts import POSTS
from storage.tables.subscriptions import DIGESTS


class Drafts(TypedColumns):
    id: Named[int] = Column(Id, primary_key=True)
    chat_id: Named[int] = Column(Id, ForeignKey(CHATS.c.id, ondelete="CASCADE"))
    actor: Named[str] = Column(Text)
    text: Named[str] = Column(Text)
    everywhere: Named[bool] = Column(Boolean)  # for all chats that follow updates, not only for its own
    state: Named[DraftState] = Column(Word(DraftState), index=True)
    due_at: Named[datetime | None] = Column(UtcDateTime)
    created_at: Named[datetime] = Column(UtcDateTime, server_default=NEVER)


DRAFTS = Table("drafts", METADATA, Drafts)


class Broadcasts(TypedColumns):
    id: Named[int] = Column(Id, primary_key=True)
    kind: Named[BroadcastKind] = Column(Word(BroadcastKind))
    title: Named[str] = Column(Text, default="")
    more: Named[int] = Column(Integer, default=0)  # posts that were left out
    body: Named[str] = Column(Text, default="")  # a notice: its msgid; `body_values` fill the fields
    body_values: Named[dict[str, Any]] = Column(JSON, default=dict, server_default="{}")
    digest_id: Named[int | None] = Column(Id, ForeignKey(DIGESTS.c.id, ondelete="SET NULL"))
    slot: Named[datetime | None] = Column(UtcDateTime)
    created_at: Named[datetime] = Column(UtcDateTime)


BROADCASTS = Table(
    "broadcasts",
    METADATA,
    Broadcasts,
    # A slot of a digest runs once, also after a crash or with two processes.
    UniqueConstraint("digest_id", "slot"),
)


class BroadcastPosts(TypedColumns):
    broadcast_id: Named[int] = Column(Id, ForeignKey(BROADCASTS.c.id, ondelete="CASCADE"), primary_key=True)
    position: Named[int] = Column(Integer, primary_key=True)
    post_id: Named[int] = Column(Id, ForeignKey(POSTS.c.id, ondelete="CASCADE"))


BROADCAST_POSTS = Table("broadcast_posts", METADATA, BroadcastPosts, Index(None, "post_id"))


class Renderings(TypedColumns):
    key: Named[str] = Column(String(64), primary_key=True)
    broadcast_id: Named[int] = Column(Id, ForeignKey(BROADCASTS.c.id, ondelete="CASCADE"))
    messages: Named[list[dict[str, Any]]] = Column(JSON)


RENDERINGS = Table("renderings", METADATA, Renderings, Index(None, "broadcast_id"))


class Deliveries(TypedColumns):
    id: Named[int] = Column(Id, primary_key=True)
    broadcast_id: Named[int] = Column(Id, ForeignKey(BROADCASTS.c.id, ondelete="CASCADE"))
    chat_id: Named[int] = Column(Id, ForeignKey(CHATS.c.id, ondelete="CASCADE"))
    # A copy of the chat's, so that a claim reads only rows of its platform.
    platform: Named[str] = Column(Text)
    state: Named[DeliveryState] = Column(Word(DeliveryState), default=DeliveryState.PENDING)
    form: Named[Form] = Column(Word(Form), default=Form.RICH)
    attempts: Named[int] = Column(Integer, default=0)
    due_at: Named[datetime] = Column(UtcDateTime)
    epoch: Named[int] = Column(Integer, default=0)  # of the lease under which it was claimed
    reason: Named[str] = Column(Text, default="")
    ended_at: Named[datetime | None] = Column(UtcDateTime)
    choices: Named[dict[str, Any] | None] = Column(CHOICES)  # a copy of the subscription's


DELIVERIES = Table(
    "deliveries",
    METADATA,
    Deliveries,
    # Most deliveries have ended, so the queries of the outbox use indexes over the few that have not.
    UniqueConstraint("broadcast_id", "chat_id"),
    partial("ix_deliveries_due", "state = 'pending'", "platform", "due_at", "id"),
    partial("ix_deliveries_again", "state = 'pending' AND reason <> ''", "platform", "due_at", "id"),
    partial("ix_deliveries_open", "state IN ('pending', 'claimed')", "chat_id", "id"),
    partial("ix_deliveries_claimed", "state = 'claimed'", "platform"),
    sqlite_autoincrement=True,
)


class Parts(TypedColumns):
    delivery_id: Named[int] = Column(Id, ForeignKey(DELIVERIES.c.id, ondelete="CASCADE"), primary_key=True)
    form: Named[Form] = Column(Word(Form), primary_key=True)
    n: Named[int] = Column(Integer, primary_key=True)
    state: Named[PartState] = Column(Word(PartState))
    posts: Named[list[int]] = Column(JSON)
    sent: Named[dict[str, Any] | None] = Column(JSON)
    fingerprint: Named[str] = Column(String(64))  # the key of its rendering
    unknowns: Named[int] = Column(Integer, default=0)
    reason: Named[str] = Column(Text, default="")
    begun_at: Named[datetime | None] = Column(UtcDateTime)  # when it was first written ahead


PARTS = Table("delivery_parts", METADATA, Parts)


class Edits(TypedColumns):
    """That a delivery's messages were edited, or are being edited, after its posts had changed."""

    delivery_id: Named[int] = Column(Id, ForeignKey(DELIVERIES.c.id, ondelete="CASCADE"), primary_key=True)
    version: Named[datetime] = Column(UtcDateTime, primary_key=True)  # when its posts had last changed
    chat_id: Named[int] = Column(Id, ForeignKey(CHATS.c.id, ondelete="CASCADE"))
    at: Named[datetime] = Column(UtcDateTime)
    shown: Named[list[str]] = Column(JSON)  # a hash of each message that shows this version
    done: Named[bool] = Column(Boolean)
    reason: Named[str] = Column(Text)  # why its messages cannot be edited any more


EDITS = Table("edits", METADATA, Edits, Index(None, "chat_id", "at"))


class Ledger(TypedColumns):
    chat_id: Named[int] = Column(Id, ForeignKey(CHATS.c.id, ondelete="CASCADE"), primary_key=True)
    post_key: Named[str] = Column(String(64), primary_key=True)
    post_id: Named[int | None] = Column(Id, ForeignKey(POSTS.c.id, ondelete="SET NULL"))
    delivery_id: Named[int | None] = Column(Id, ForeignKey(DELIVERIES.c.id, ondelete="SET NULL"))
    state: Named[LedgerState] = Column(Word(LedgerState))
    reason: Named[str] = Column(Text, default="")


LEDGER = Table("ledger", METADATA, Ledger, Index(None, "delivery_id"), Index(None, "post_id"))
