"""What a chat follows, and which sources and posts a reader may see: the one place that decides both."""

from collections.abc import Callable
from functools import cache, lru_cache

from sqlalchemy import ColumnElement, exists, false, or_, select

from content.types import PostQuery, Visibility
from storage.tables import CHATS, POSTS, SOURCES, SUBSCRIPTIONS, Sources

# The scope of a subscription to all public sources.
ALL = "all"

# Conditions of so many chats and sources are kept. To build one takes longer than many a query.
KEPT = 100

# An alias copies all columns of its table, so each is made once.
_SPECIFIC = SUBSCRIPTIONS.alias("specific")
_OTHER = SOURCES.alias("other")


def scope_of(source_id: int | None) -> str:
    return ALL if source_id is None else str(source_id)


def follows_one(source_id: int, public: bool) -> ColumnElement[bool]:
    """The subscription by which a chat follows a known source: its own, else `all` if that is public."""
    own = scope_of(source_id)
    # The scopes are named so that the index on (chat, scope) finds the subscriptions of a known chat.
    scopes = [own, *([ALL] if public else [])]
    by_all = ~_overridden(_SPECIFIC.c.scope == own) if public else false()
    return SUBSCRIPTIONS.c.scope.in_(scopes) & or_(SUBSCRIPTIONS.c.scope == own, by_all)


@cache
def follows() -> ColumnElement[bool]:
    """The same for the sources of a query that also selects from SUBSCRIPTIONS."""
    by_all = (SUBSCRIPTIONS.c.scope == ALL) & (SOURCES.c.visibility == Visibility.PUBLIC)
    overridden = _overridden(_SPECIFIC.c.source_id == SOURCES.c.id)
    return or_(SUBSCRIPTIONS.c.source_id == SOURCES.c.id, by_all & ~overridden)


def _overridden(own: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the chat of a subscription also has a subscription to the source alone."""
    return exists(select(_SPECIFIC.c.id).where(_SPECIFIC.c.chat_id == SUBSCRIPTIONS.c.chat_id, own))


def before_pause() -> ColumnElement[bool]:
    """Whether a post came before its subscription was paused, if that is paused."""
    return SUBSCRIPTIONS.c.paused_after.is_(None) | (POSTS.c.id <= SUBSCRIPTIONS.c.paused_after)


@cache
def waits() -> ColumnElement[bool]:
    """Whether a post of a subscription waits: for its digest, or for the end of its chat's quiet hours.

    For a query that selects from both. The chat must not have the post yet.
    """
    quiet = exists().where(CHATS.c.id == SUBSCRIPTIONS.c.chat_id, CHATS.c.quiet_from <= POSTS.c.first_seen_at)
    return or_(SUBSCRIPTIONS.c.digest_id.is_not(None), quiet.correlate_except(CHATS)) & before_pause()


def _or_examples(seen: Callable[[Sources], ColumnElement[bool]]) -> ColumnElement[bool]:
    """The sources that are seen, and the examples while no other source is."""
    others = exists(select(_OTHER.c.id).where(_OTHER.c.visibility != Visibility.EXAMPLE, seen(_OTHER.c)))
    return or_(seen(SOURCES.c), (SOURCES.c.visibility == Visibility.EXAMPLE) & ~others)


@lru_cache(maxsize=KEPT)
def visible_sources(chat_id: int) -> ColumnElement[bool]:
    """Public sources, those the chat follows, and the examples while it sees no other."""

    def seen(source: Sources) -> ColumnElement[bool]:
        own = exists().where(SUBSCRIPTIONS.c.chat_id == chat_id, SUBSCRIPTIONS.c.source_id == source.id)
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
        conditions.append(SOURCES.c.id == query.source_id)
    return conditions


def in_scope(query: PostQuery) -> list[ColumnElement[bool]]:
    """The conditions that a query puts on posts joined with their sources, but for its page."""
    conditions = sources_in_scope(query)
    if query.source_id is not None:
        conditions.append(POSTS.c.source_id == query.source_id)
    if query.anchor is not None:
        conditions.append(POSTS.c.id <= query.anchor)
    return conditions
