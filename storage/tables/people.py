"""What people were shown and asked, and which chats are theirs."""

from datetime import datetime

from sqlalchemy import JSON, Column, ForeignKey, Integer, Named, Table, Text, TypedColumns, UniqueConstraint

from content.types import Rung
from storage.tables.base import METADATA, Id, UtcDateTime, Word
from storage.tables.chats import CHATS


class Searches(TypedColumns):
    id: Named[int] = Column(Id, primary_key=True)
    query: Named[str] = Column(Text)
    ids: Named[list[int]] = Column(JSON)
    total: Named[int] = Column(Integer)
    created_at: Named[datetime] = Column(UtcDateTime)
    chat_id: Named[int | None] = Column(Id)  # None in rows of versions without this column
    rung: Named[Rung] = Column(Word(Rung), server_default=Rung.ALL)
    exact: Named[int] = Column(Integer, server_default="0")
    corrections: Named[list[tuple[str, str]]] = Column(JSON, server_default="[]")


SEARCHES = Table("searches", METADATA, Searches)


class Views(TypedColumns):
    """The page that a chat was shown last, for commands that refer to it."""

    chat_id: Named[int] = Column(Id, ForeignKey(CHATS.c.id, ondelete="CASCADE"), primary_key=True)
    view: Named[str] = Column(Text)
    pages: Named[int] = Column(Integer)
    ids: Named[list[int]] = Column(JSON)


VIEWS = Table("views", METADATA, Views)


class Questions(TypedColumns):
    """A question of a button. `message` is the one that asks it, "" for the button itself."""

    id: Named[int] = Column(Id, primary_key=True)
    chat_id: Named[int] = Column(Id, ForeignKey(CHATS.c.id, ondelete="CASCADE"))
    message: Named[str] = Column(Text)
    data: Named[str] = Column(Text)
    actor: Named[str] = Column(Text)  # who has to answer the message
    prompt: Named[str] = Column(Text)
    placeholder: Named[str] = Column(Text)
    asked_at: Named[datetime] = Column(UtcDateTime, index=True)


QUESTIONS = Table("questions", METADATA, Questions, UniqueConstraint("chat_id", "message", "data"))


class People(TypedColumns):
    """A person, and the private chat whose language is theirs."""

    actor: Named[str] = Column(Text, primary_key=True)
    chat_id: Named[int] = Column(Id, ForeignKey(CHATS.c.id, ondelete="CASCADE"), index=True)


PEOPLE = Table("people", METADATA, People)


class Managed(TypedColumns):
    """The chat that a person manages from another chat."""

    actor: Named[str] = Column(Text, primary_key=True)
    chat_id: Named[int] = Column(Id, ForeignKey(CHATS.c.id, ondelete="CASCADE"), primary_key=True, index=True)
    target_id: Named[int] = Column(Id, ForeignKey(CHATS.c.id, ondelete="CASCADE"), index=True)


MANAGED = Table("managed", METADATA, Managed)
