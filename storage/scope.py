"""Which sources, and so which posts, a reader may see."""

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import aliased

from content.types import PostQuery, Visibility
from storage.models import PostRow, SourceRow, SubscriptionRow


def _is_lone_example() -> ColumnElement[bool]:
    other = aliased(SourceRow)
    others = exists(select(other.id).where(other.visibility != Visibility.EXAMPLE))
    return (SourceRow.visibility == Visibility.EXAMPLE) & ~others


def visible_sources(chat_id: int) -> ColumnElement[bool]:
    """Public sources, those the chat follows, and the examples while there is no other."""
    followed = exists().where(SubscriptionRow.chat_id == chat_id, SubscriptionRow.source_id == SourceRow.id)
    return or_(SourceRow.visibility == Visibility.PUBLIC, followed, _is_lone_example())


def shown_sources() -> ColumnElement[bool]:
    """What the operator sees: everything but the examples, once there is something else."""
    return or_(SourceRow.visibility != Visibility.EXAMPLE, _is_lone_example())


def in_scope(query: PostQuery) -> list[ColumnElement[bool]]:
    """The conditions that a query puts on posts joined with their sources, but for its page."""
    conditions = [shown_sources() if query.chat_id is None else visible_sources(query.chat_id)]
    if query.source_id is not None:
        conditions.append(PostRow.source_id == query.source_id)
    if query.anchor is not None:
        conditions.append(PostRow.id <= query.anchor)
    return conditions
