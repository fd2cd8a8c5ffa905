"""What a chat follows, and which sources and posts a reader may see: the one place that decides both."""

from collections.abc import Callable
from functools import cache, lru_cache

from sqlalchemy import ColumnElement, exists, false, or_, select
from sqlalchemy.orm import aliased

from content.types import PostQuery, Visibility
from storage.models import ChatRow, PostRow, SourceRow, SubscriptionRow

# The scope of a subscription to all public sources.
ALL = "all"

Sources = type[SourceRow]

# Conditions of so many chats and sources are kept. To build one takes longer than many a query.
KEPT = 100

# An alias copies all columns of its table, so each is made once.
_SPECIFIC = aliased(SubscriptionRow, name="specific")
_OTHER = aliased(SourceRow, name="other")


def scope_of(source_id: int | None) -> str:
    return ALL if source_id is None else str(source_id)


def follows_one(source_id: int, public: bool) -> ColumnElement[bool]:
    """The subscription by which a chat follows a known source: its own, else `all` if that is public."""
    own = scope_of(source_id)
    # The scopes are named so that the index on (chat, scope) finds the subscriptions of a known chat.
    scopes = [own, *([ALL] if public else [])]
    by_all = ~_overridden(_SPECIFIC.scope == own) if public else false()
    return SubscriptionRow.scope.in_(scopes) & or_(SubscriptionRow.scope == own, by_all)


@cache
def follows() -> ColumnElement[bool]:
    """The same for the sources of a query that also selects from SubscriptionRow."""
    by_all = (SubscriptionRow.scope == ALL) & (SourceRow.visibility == Visibility.PUBLIC)
    overridden = _overridden(_SPECIFIC.source_id == SourceRow.id)
    return or_(SubscriptionRow.source_id == SourceRow.id, by_all & ~overridden)


def _overridden(own: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the chat of a subscription also has a subscription to the source alone."""
    return exists(select(_SPECIFIC.id).where(_SPECIFIC.chat_id == SubscriptionRow.chat_id, own))


def before_pause() -> ColumnElement[bool]:
    """Whether a post came before its subscription was paused, if that is paused."""
    return SubscriptionRow.paused_after.is_(None) | (PostRow.id <= SubscriptionRow.paused_after)


@cache
def waits() -> ColumnElement[bool]:
    """Whether a post of a subscription waits: for its digest, or for the end of its chat's quiet hours.

    For a query that selects from both. The chat must not have the post yet.
    """
    quiet = exists().where(ChatRow.id == SubscriptionRow.chat_id, ChatRow.quiet_from <= PostRow.first_seen_at)
    return or_(SubscriptionRow.digest_id.is_not(None), quiet.correlate_except(ChatRow)) & before_pause()


def _or_examples(seen: Callable[[Sources], ColumnElement[bool]]) -> ColumnElement[bool]:
    """The sources that are seen, and the examples while no other source is."""
    others = exists(select(_OTHER.id).where(_OTHER.visibility != Visibility.EXAMPLE, seen(_OTHER)))
    return or_(seen(SourceRow), (SourceRow.visibility == Visibility.EXAMPLE) & ~others)


@lru_cache(maxsize=KEPT)
def visible_sources(chat_id: int) -> ColumnElement[bool]:
    """Public sources, those the chat follows, and the examples while it sees no other."""

    def seen(source: Sources) -> ColumnElement[bool]:
        own = exists().where(SubscriptionRow.chat_id == chat_id, SubscriptionRow.source_id == source.id)
        return or_(source.visibility == Visibility.PUBLIC, own)

    return _or_examples(seen)


@cache
def shown_sources() -> ColumnElement[bool]:
    """What the operator sees: everything but the examples, once there is something else."""
    return _or_examples(lambda source: source.visibility != Visibility.EXAMPLE)


def sources_in_scope(query: PostQuery) -> list[ColumnElement[bool]]:
    """The conditions that a query puts on sources."""
    conditions = [shown_sources() if query.chat_id is None else visible_sources(query.chat_id)]
    if query.source_id is not None:
        conditions.append(SourceRow.id == query.source_id)
    return conditions


def in_scope(query: PostQuery) -> list[ColumnElement[bool]]:
    """The conditions that a query puts on posts joined with their sources, but for its page."""
    conditions = sources_in_scope(query)
    if query.source_id is not None:
        conditions.append(PostRow.source_id == query.source_id)
    if query.anchor is not None:
        conditions.append(PostRow.id <= query.anchor)
    return conditions
