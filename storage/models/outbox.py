"""Broadcasts, their deliveries, and what each chat has been sent."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.types import BroadcastKind, DeliveryState, DraftState, Form, LedgerState, PartState
from storage.models.base import CHOICES, NEVER, Base, Id, partial
from storage.models.chats import ChatRow
from storage.models.posts import PostRow
from storage.models.subscriptions import DigestRow


class DraftRow(Base):
    __tablename__ = "drafts"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey(ChatRow.id, ondelete="CASCADE"))
    actor: Mapped[str]
    text: Mapped[str]
    everywhere: Mapped[bool]  # for all chats that follow updates, not only for its own
    state: Mapped[DraftState] = mapped_column(index=True)
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=NEVER)


class BroadcastRow(Base):
    __tablename__ = "broadcasts"
    # A slot of a digest runs once, also after a crash or with two processes.
    __table_args__ = (UniqueConstraint("digest_id", "slot"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[BroadcastKind]
    title: Mapped[str] = mapped_column(default="")
    more: Mapped[int] = mapped_column(default=0)  # posts that were left out
    body: Mapped[str] = mapped_column(default="")  # a notice: its msgid; `body_values` fill the fields
    body_values: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    digest_id: Mapped[int | None] = mapped_column(ForeignKey(DigestRow.id, ondelete="SET NULL"))
    slot: Mapped[datetime | None]
    created_at: Mapped[datetime]


class BroadcastPostRow(Base):
    __tablename__ = "broadcast_posts"
    __table_args__ = (Index(None, "post_id"),)

    broadcast_id: Mapped[int] = mapped_column(
        ForeignKey(BroadcastRow.id, ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey(PostRow.id, ondelete="CASCADE"))


class RenderingRow(Base):
    __tablename__ = "renderings"
    __table_args__ = (Index(None, "broadcast_id"),)

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(ForeignKey(BroadcastRow.id, ondelete="CASCADE"))
    messages: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class DeliveryRow(Base):
    __tablename__ = "deliveries"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(ForeignKey(BroadcastRow.id, ondelete="CASCADE"))
    chat_id: Mapped[int] = mapped_column(ForeignKey(ChatRow.id, ondelete="CASCADE"))
    platform: Mapped[str]  # a copy of the chat's, so that a claim reads only rows of its platform
    state: Mapped[DeliveryState] = mapped_column(default=DeliveryState.PENDING)
    form: Mapped[Form] = mapped_column(default=Form.RICH)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    epoch: Mapped[int] = mapped_column(default=0)  # of the lease under which it was claimed
    reason: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None]
    choices: Mapped[dict[str, Any] | None] = mapped_column(CHOICES)  # a copy of the subscription's

    # Most deliveries have ended, so the queries of the outbox use indexes over the few that have not.
    __table_args__ = (
        UniqueConstraint("broadcast_id", "chat_id"),
        partial("ix_deliveries_due", "state = 'pending'", "platform", "due_at", "id"),
        partial("ix_deliveries_again", "state = 'pending' AND reason <> ''", "platform", "due_at", "id"),
        partial("ix_deliveries_open", "state IN ('pending', 'claimed')", "chat_id", "id"),
        partial("ix_deliveries_claimed", "state = 'claimed'", "platform"),
        {"sqlite_autoincrement": True},
    )


class PartRow(Base):
    __tablename__ = "delivery_parts"

    delivery_id: Mapped[int] = mapped_column(ForeignKey(DeliveryRow.id, ondelete="CASCADE"), primary_key=True)
    form: Mapped[Form] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[PartState]
    posts: Mapped[list[int]] = mapped_column(JSON)
    sent: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    fingerprint: Mapped[str] = mapped_column(String(64))  # the key of its rendering
    unknowns: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(default="")
    begun_at: Mapped[datetime | None]  # when it was first written ahead


class EditRow(Base):
    """That a delivery's messages were edited, or are being edited, after its posts had changed."""

    __tablename__ = "edits"
    __table_args__ = (Index(None, "chat_id", "at"),)

    delivery_id: Mapped[int] = mapped_column(ForeignKey(DeliveryRow.id, ondelete="CASCADE"), primary_key=True)
    version: Mapped[datetime] = mapped_column(primary_key=True)  # when its posts had last changed
    chat_id: Mapped[int] = mapped_column(ForeignKey(ChatRow.id, ondelete="CASCADE"))
    at: Mapped[datetime]
    shown: Mapped[list[str]] = mapped_column(JSON)  # a hash of each message that shows this version
    done: Mapped[bool]
    reason: Mapped[str]  # why its messages cannot be edited any more


class LedgerRow(Base):
    __tablename__ = "ledger"
    __table_args__ = (Index(None, "delivery_id"), Index(None, "post_id"))

    chat_id: Mapped[int] = mapped_column(ForeignKey(ChatRow.id, ondelete="CASCADE"), primary_key=True)
    post_key: Mapped[str] = mapped_column(String(64), primary_key=True)
    post_id: Mapped[int | None] = mapped_column(ForeignKey(PostRow.id, ondelete="SET NULL"))
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey(DeliveryRow.id, ondelete="SET NULL"))
    state: Mapped[LedgerState]
    reason: Mapped[str] = mapped_column(default="")
