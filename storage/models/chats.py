"""Chats, and when they got nothing."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from scheduler.types import ChatAccess, ChatKind, ChatState, OnUnknown
from storage.models.base import CHOICES, Base, Id, partial


class ChatRow(Base):
    __tablename__ = "chats"
    __table_args__ = (
        UniqueConstraint("platform", "address", "topic"),
        partial("ix_chats_quiet", "quiet_until IS NOT NULL", "quiet_until"),
        partial("ix_chats_chosen", "choices IS NOT NULL", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    platform: Mapped[str]
    address: Mapped[str]
    topic: Mapped[str] = mapped_column(default="")
    title: Mapped[str] = mapped_column(default="")
    kind: Mapped[ChatKind]
    language: Mapped[str] = mapped_column(default="")
    timezone: Mapped[str] = mapped_column(default="")
    on_unknown: Mapped[OnUnknown] = mapped_column(default=OnUnknown.RESEND)
    crosspost: Mapped[bool] = mapped_column(default=False, server_default=false())
    state: Mapped[ChatState] = mapped_column(default=ChatState.ACTIVE)
    reason: Mapped[str] = mapped_column(default="")
    access: Mapped[ChatAccess] = mapped_column(default=ChatAccess.DEFAULT, server_default="default")
    choices: Mapped[dict[str, Any] | None] = mapped_column(CHOICES)
    quiet: Mapped[str] = mapped_column(default="", server_default="")  # its quiet hours, like 22:00-08:00
    quiet_from: Mapped[datetime | None]  # posts seen since then wait until `quiet_until`
    quiet_until: Mapped[datetime | None]


class AbsenceRow(Base):
    """Posts that came while a chat was gone or banned: those after `after`, to `up_to`; None while it is."""

    __tablename__ = "absences"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey(ChatRow.id, ondelete="CASCADE"), index=True)
    after: Mapped[int] = mapped_column(Id)
    up_to: Mapped[int | None] = mapped_column(Id)
