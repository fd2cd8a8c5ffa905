"""Chats, and when they got nothing."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Named, Table, Text, TypedColumns, UniqueConstraint, false

from scheduler.types import ChatAccess, ChatKind, ChatState, OnUnknown
from storage.tables.base import CHOICES, METADATA, Id, UtcDateTime, Word, partial


class Chats(TypedColumns):
    id: Named[int] = Column(Id, primary_key=True)
    platform: Named[str] = Column(Text)
    address: Named[str] = Column(Text)
    topic: Named[str] = Column(Text, default="")
    title: Named[str] = Column(Text, default="")
    kind: Named[ChatKind] = Column(Word(ChatKind))
    language: Named[str] = Column(Text, default="")
    timezone: Named[str] = Column(Text, default="")
    on_unknown: Named[OnUnknown] = Column(Word(OnUnknown), default=OnUnknown.RESEND)
    crosspost: Named[bool] = Column(Boolean, default=False, server_default=false())
    state: Named[ChatState] = Column(Word(ChatState), default=ChatState.ACTIVE)
    reason: Named[str] = Column(Text, default="")
    access: Named[ChatAccess] = Column(Word(ChatAccess), default=ChatAccess.DEFAULT, server_default="default")
    choices: Named[dict[str, Any] | None] = Column(CHOICES)
    quiet: Named[str] = Column(Text, default="", server_default="")  # its quiet hours, like 22:00-08:00
    quiet_from: Named[datetime | None] = Column(UtcDateTime)  # posts seen since then wait until `quiet_until`
    quiet_until: Named[datetime | None] = Column(UtcDateTime)


CHATS = Table(
    "chats",
    METADATA,
    Chats,
    UniqueConstraint("platform", "address", "topic"),
    partial("ix_chats_quiet", "quiet_until IS NOT NULL", "quiet_until"),
    partial("ix_chats_chosen", "choices IS NOT NULL", "id"),
)


class Absences(TypedColumns):
    """Posts that came while a chat was gone or banned: those after `after`, to `up_to`; None while it is."""

    id: Named[int] = Column(Id, primary_key=True)
    chat_id: Named[int] = Column(Id, ForeignKey(CHATS.c.id, ondelete="CASCADE"), index=True)
    after: Named[int] = Column(Id)
    up_to: Named[int | None] = Column(Id)


ABSENCES = Table("absences", METADATA, Absences)
