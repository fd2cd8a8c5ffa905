"""Which sources, and so which posts, a reader may see."""

from collections.abc import Callable

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import aliased

from content.types import PostQuery, Visibility
from storage.models import PostRow, SourceRow, SubscriptionRow

Sources = type[SourceRow]


def _or_examples(seen: Callable[[Sources], ColumnElement[bool]]) -> ColumnElement[bool]:
    """The sources that are seen, and the examples while no other source is."""
    other = aliased(SourceRow)
    others = exists(select(other.id).where(other.visibility != Visibility.EXAMPLE, seen(other)))
    return or_(seen(SourceRow), (SourceRow.visibility == Visibility.EXAMPLE) & ~others)


def visible_sources(chat_id: int) -> ColumnElement[bool]:
    """Public sources, those the chat follows, and the examples while it sees no other."""

    def seen(source: Sources) -> ColumnElement[bool]:
        followed = exists().where(SubscriptionRow.chat_id == chat_id, SubscriptionRow.source_id == source.id)
        return or_(source.visibility == Visibility.PUBLIC, followed)

    return _or_examples(seen)


def shown_sources() -> ColumnElement[bool]:
    """What the operator sees: everything but the examples, once there is something else."""
    return _or_examples(lambda source: source.visibility != Visibility.EXAMPLE)


def in_scope(query: PostQuery) -> list[ColumnElement[bool]]:
    """The conditions that a query puts on posts joined with their sources, but for its page."""
    conditions = [shown_sources() if query.chat_id is None else visible_sources(query.chat_id)]
    if query.source_id is not None:
        conditions.append(PostRow.source_id == query.source_id)
    if query.anchor is not None:
        conditions.append(PostRow.id <= query.anchor)
    return conditions
