"""What people were shown and asked, and which chats are theirs."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from content.types import Rung
from storage.models.base import Base, Id
from storage.models.chats import ChatRow


class SearchRow(Base):
    __tablename__ = "searches"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    query: Mapped[str]
    ids: Mapped[list[int]] = mapped_column(JSON)
    total: Mapped[int]
    created_at: Mapped[datetime]
    chat_id: Mapped[int | None] = mapped_column(Id)  # None in rows of versions without this column
    rung: Mapped[Rung] = mapped_column(server_default=Rung.ALL)
    exact: Mapped[int] = mapped_column(server_default="0")
    corrections: Mapped[list[tuple[str, str]]] = mapped_column(JSON, server_default="[]")


class ViewRow(Base):
    """The page that a chat was shown last, for commands that refer to it."""

    __tablename__ = "views"

    chat_id: Mapped[int] = mapped_column(ForeignKey(ChatRow.id, ondelete="CASCADE"), primary_key=True)
    view: Mapped[str]
    pages: Mapped[int]
    ids: Mapped[list[int]] = mapped_column(JSON)


class QuestionRow(Base):
    """A question of a button. `message` is the one that asks it, "" for the button itself."""

    __tablename__ = "questions"
    __table_args__ = (UniqueConstraint("chat_id", "message", "data"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey(ChatRow.id, ondelete="CASCADE"))
    message: Mapped[str]
    data: Mapped[str]
    actor: Mapped[str]  # who has to answer the message
    prompt: Mapped[str]
    placeholder: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(index=True)


class PersonRow(Base):
    """A person, and the private chat whose language is theirs."""

    __tablename__ = "people"

    actor: Mapped[str] = mapped_column(primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey(ChatRow.id, ondelete="CASCADE"), index=True)


class ManagedRow(Base):
    """The chat that a person manages from another chat."""

    __tablename__ = "managed"

    actor: Mapped[str] = mapped_column(primary_key=True)
    chat_id: Mapped[int] = mapped_column(
        ForeignKey(ChatRow.id, ondelete="CASCADE"), primary_key=True, index=True
    )
    target_id: Mapped[int] = mapped_column(ForeignKey(ChatRow.id, ondelete="CASCADE"), index=True)
