"""The tables. Enumerations are stored as their values, times as UTC, structured values as JSON."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from content.types import Rung, SourceState, Visibility
from scheduler.push.pushes import PushKind, PushState
from scheduler.types import (
    BroadcastKind,
    ChatAccess,
    ChatKind,
    ChatState,
    DeliveryState,
    DraftState,
    Form,
    LedgerState,
    OnUnknown,
    PartState,
    Rest,
    WhenEmpty,
)


class UtcDateTime(TypeDecorator[datetime]):
    """A UTC-aware datetime on both databases. SQLite stores it without the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """One function instead of SQLAlchemy's three: a claim converts thousands of values."""
        return _from_sqlite if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _from_sqlite(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value + "+00:00")


class Word(TypeDecorator[StrEnum]):
    """An enumeration, stored as its values. SQLAlchemy's own calls two functions for each value read."""

    impl = String
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__(16)
        self.kind = kind

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        return None if value is None else str(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], StrEnum | None]:
        words: dict[str | None, StrEnum | None] = {word.value: word for word in self.kind}
        return (words | {None: None}).__getitem__


# The default that a migration gives to existing rows before it sets their real value.
NEVER = "1970-01-01 00:00:00"

# What was chosen about the format of posts; NULL: nothing.
CHOICES = JSON(none_as_null=True)

# Sources of earlier versions have no options.
NO_OPTIONS = '{"version": 1, "values": {}}'

Id = BigInteger().with_variant(Integer, "sqlite")

# Text that both databases order by its code points, so that a range finds what begins with a prefix.
InOrder = Text().with_variant(Text(collation="C"), "postgresql")

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def partial(name: str, where: str, *columns: str) -> Index:
    """An index over the rows that match `where`, which are few."""
    return Index(name, *columns, sqlite_where=text(where), info={"where": where})


def tables() -> MetaData:
    """All tables, as migrations compare them with a database.

    Only they need the conditions of indexes for PostgreSQL, whose dialect is slow to load.
    """
    for table in Base.metadata.tables.values():
        for index in table.indexes:
            if "where" in index.info:
                index.dialect_options["postgresql"]["where"] = text(index.info["where"])
    return Base.metadata


# The enumerations that have columns.
WORDS = (
    BroadcastKind,
    ChatAccess,
    ChatKind,
    ChatState,
    DeliveryState,
    DraftState,
    Form,
    LedgerState,
    OnUnknown,
    PartState,
    PushKind,
    PushState,
    Rest,
    Rung,
    SourceState,
    Visibility,
    WhenEmpty,
)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar[dict[Any, TypeEngine[Any]]] = {
        datetime: UtcDateTime(),
        str: Text(),
        **{kind: Word(kind) for kind in WORDS},
    }


class SourceRow(Base):
    __tablename__ = "sources"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str]
    url: Mapped[str] = mapped_column(unique=True)
    post_count: Mapped[int] = mapped_column(default=0, server_default="0")  # of its posts that are stored
    title: Mapped[str] = mapped_column(default="")
    tags: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    visibility: Mapped[Visibility]
    state: Mapped[SourceState] = mapped_column(default=SourceState.ACTIVE)
    etag: Mapped[str] = mapped_column(default="")
    last_modified: Mapped[str] = mapped_column(default="")
    content_hash: Mapped[str] = mapped_column(default="")
    options: Mapped[dict[str, Any]] = mapped_column(JSON, server_default=NO_OPTIONS)
    next_poll_at: Mapped[datetime | None]
    polled_at: Mapped[datetime | None]
    starts_after: Mapped[int] = mapped_column(Id, default=0)
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    trouble_told: Mapped[bool] = mapped_column(default=False, server_default=false())
    last_error: Mapped[str] = mapped_column(default="")
    added_by: Mapped[str] = mapped_column(default="", server_default="")
    read_seconds: Mapped[float] = mapped_column(default=0.0, server_default="0")
    warning: Mapped[str] = mapped_column(default="", server_default="")
    unread: Mapped[list[dict[str, str]]] = mapped_column(JSON, default=list, server_default="[]")
    rhythm: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    unfollowed_since: Mapped[datetime | None]
    moved_to: Mapped[str] = mapped_column(default="", server_default="")
    moved_since: Mapped[datetime | None]
    pushed_until: Mapped[datetime | None]  # until then a push tells of its posts, so it is polled less


class PushRow(Base):
    """How a source tells of its posts: by a hub, or by a hook. Without a source: to be ended."""

    __tablename__ = "pushes"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    source_id: Mapped[int | None] = mapped_column(ForeignKey(SourceRow.id, ondelete="SET NULL"), unique=True)
    kind: Mapped[PushKind]
    token: Mapped[str] = mapped_column(unique=True)
    secret: Mapped[str]
    hub: Mapped[str]
    topic: Mapped[str]
    state: Mapped[PushState]
    next_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    last_at: Mapped[datetime | None]
    seen: Mapped[list[str]] = mapped_column(JSON)  # hashes of the last bodies
    failures: Mapped[int]
    reason: Mapped[str]


class PostRow(Base):
    __tablename__ = "posts"
    __table_args__ = (
        UniqueConstraint("source_id", "guid"),
        Index(None, "key"),
        Index(None, "published_at", "id"),
        Index(None, "source_id", "published_at", "id"),
        partial("ix_posts_changed", "changed_at IS NOT NULL", "changed_at"),
        partial("ix_posts_story", "story IS NOT NULL", "story"),
        # A post id must never be reused: pages and subscriptions refer to positions by it.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey(SourceRow.id, ondelete="CASCADE"))
    guid: Mapped[str]
    key: Mapped[str]  # the same for the same post of another source
    url: Mapped[str]
    title: Mapped[str]
    author: Mapped[str]
    published_at: Mapped[datetime]
    updated_at: Mapped[datetime | None]
    first_seen_at: Mapped[datetime]
    html: Mapped[str]
    text: Mapped[str]
    language: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(JSON)
    media: Mapped[list[dict[str, str]]] = mapped_column(JSON)
    content_hash: Mapped[str]
    old_news: Mapped[bool] = mapped_column(default=False, server_default=false())
    changed_at: Mapped[datetime | None]  # when what people see of it last changed
    changes: Mapped[int] = mapped_column(default=0, server_default="0")  # how often it has
    # The first post of the story that it tells, if another source told that before; see `stories.py`.
    story: Mapped[int | None] = mapped_column(Id)
    withdrawn_at: Mapped[datetime | None]
    raw_hash: Mapped[str] = mapped_column(default="", server_default="")  # of the item as it was read


class StoryWordRow(Base):
    """A word by which a title of the last days is found, as a number."""

    __tablename__ = "story_words"
    __table_args__ = ({"sqlite_with_rowid": False},)

    word: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    post_id: Mapped[int] = mapped_column(
        ForeignKey(PostRow.id, ondelete="CASCADE"), primary_key=True, index=True
    )


class UnindexedRow(Base):
    """A post that waits to be indexed for searching."""

    __tablename__ = "unindexed"

    post_id: Mapped[int] = mapped_column(ForeignKey(PostRow.id, ondelete="CASCADE"), primary_key=True)


class TombstoneRow(Base):
    __tablename__ = "tombstones"

    source_id: Mapped[int] = mapped_column(ForeignKey(SourceRow.id, ondelete="CASCADE"), primary_key=True)
    guid: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str]
    seen_at: Mapped[datetime] = mapped_column(server_default=NEVER)  # when the source last had it


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


class DigestRow(Base):
    __tablename__ = "digests"
    __table_args__ = (UniqueConstraint("chat_id", "name"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey(ChatRow.id, ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(server_default="1")
    recurrence: Mapped[str]
    timezone: Mapped[str]
    title: Mapped[str]
    max_posts: Mapped[int]
    rest: Mapped[Rest] = mapped_column(server_default=Rest.NEVER)
    when_empty: Mapped[WhenEmpty]
    next_run_at: Mapped[datetime] = mapped_column(index=True)
    last_run_at: Mapped[datetime | None]
    paused: Mapped[bool] = mapped_column(default=False, server_default=false())


class FilterRow(Base):
    """A filter in its normal text, which any number of subscriptions share."""

    __tablename__ = "filters"
    # Buttons refer to filters by their ids.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    text: Mapped[str] = mapped_column(unique=True)
    used_at: Mapped[datetime]  # when it was last tried, chosen or given up


class SubscriptionRow(Base):
    __tablename__ = "subscriptions"
    __table_args__ = (
        UniqueConstraint("chat_id", "scope"),
        Index(None, "source_id"),
        partial("ix_subscriptions_filtered", "filter_id IS NOT NULL", "filter_id", "source_id"),
        partial("ix_subscriptions_chosen", "choices IS NOT NULL", "source_id"),
        partial("ix_subscriptions_paused", "paused_until IS NOT NULL", "paused_until"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey(ChatRow.id, ondelete="CASCADE"))
    scope: Mapped[str]  # 'all' or the source's id; a unique constraint would not compare NULLs
    source_id: Mapped[int | None] = mapped_column(ForeignKey(SourceRow.id, ondelete="CASCADE"))
    starts_after: Mapped[int] = mapped_column(Id)  # the chat gets posts with higher ids only
    # As `starts_after` was at first: digests move that one on.
    began_after: Mapped[int] = mapped_column(Id, default=0, server_default="0")
    choices: Mapped[dict[str, Any] | None] = mapped_column(CHOICES)
    # None: its posts are sent at once.
    digest_id: Mapped[int | None] = mapped_column(ForeignKey(DigestRow.id))
    paused_after: Mapped[int | None] = mapped_column(Id)  # a paused one gets no posts with higher ids
    paused_until: Mapped[datetime | None]
    filter_id: Mapped[int | None] = mapped_column(ForeignKey(FilterRow.id))


class PastRow(Base):
    """What a subscription was for the posts from `after` to `up_to`, until its filter changed or it ended."""

    __tablename__ = "past"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey(ChatRow.id, ondelete="CASCADE"), index=True)
    scope: Mapped[str]
    after: Mapped[int] = mapped_column(Id)
    up_to: Mapped[int] = mapped_column(Id, index=True)
    filter_id: Mapped[int | None] = mapped_column(ForeignKey(FilterRow.id), index=True)


class AbsenceRow(Base):
    """Posts that came while a chat was gone or banned: those after `after`, to `up_to`; None while it is."""

    __tablename__ = "absences"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey(ChatRow.id, ondelete="CASCADE"), index=True)
    after: Mapped[int] = mapped_column(Id)
    up_to: Mapped[int | None] = mapped_column(Id)


class FilteredRow(Base):
    """A post that did not pass a filter, and the condition that it failed."""

    __tablename__ = "filtered"
    __table_args__ = (Index(None, "filter_id"),)

    post_id: Mapped[int] = mapped_column(ForeignKey(PostRow.id, ondelete="CASCADE"), primary_key=True)
    filter_id: Mapped[int] = mapped_column(ForeignKey(FilterRow.id, ondelete="CASCADE"), primary_key=True)
    why: Mapped[str]


class EndingRow(Base):
    """Subscriptions that a chat ended at once, as they were, so that this can be undone for a while."""

    __tablename__ = "endings"
    # Buttons refer to endings by their ids.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey(ChatRow.id, ondelete="CASCADE"), index=True)
    ended_at: Mapped[datetime] = mapped_column(index=True)
    rows: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


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


class LeaseRow(Base):
    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    epoch: Mapped[int] = mapped_column(Id)
    until: Mapped[datetime]


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


class WordRow(Base):
    """A word of the search index, for finding the word that a misspelt one stands for."""

    __tablename__ = "search_words"

    word: Mapped[str] = mapped_column(InOrder, primary_key=True)
    backwards: Mapped[str] = mapped_column(InOrder, index=True)
    posts: Mapped[int]


class AuditRow(Base):
    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    target: Mapped[str]


class MetaRow(Base):
    """Facts about the database itself, such as the version of the tokenizer that built its index."""

    __tablename__ = "meta"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
