"""What was when a post came: which filter decided about it, and whether the chat was there.

A row is written when a filter changes, a subscription ends, or a chat goes, and none when posts come.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import (
    ColumnElement,
    Insert,
    Update,
    bindparam,
    case,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.types import Source, Visibility
from scheduler.types import ChatAccess, ChatState
from storage.scope import ALL, scope_of
from storage.tables import ABSENCES, CHATS, FILTERED, PAST, POSTS, SUBSCRIPTIONS

# Rows hold all but the present part of a subscription's life.
STILL = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Life:
    """A chat followed something with one filter (None: with none) from the post after `after` to `up_to`."""

    after: int
    up_to: int
    filter_id: int | None


@dataclass(frozen=True, slots=True)
class Lives:
    """The lives of a chat's subscriptions by scope, in order, and what their filters said of some posts."""

    by_scope: Mapping[str, Sequence[Life]]
    verdicts: Mapping[tuple[int | None, int], str]

    def followed(self, source: Source, post_id: int) -> bool:
        """Whether the chat followed a source when a post of it came."""
        return self._of(source, post_id) is not None

    def rejected(self, source: Source, post_id: int) -> str:
        """The condition that a post failed when the chat's filter decided about it, or nothing."""
        life = self._of(source, post_id)
        return self.verdicts.get((life.filter_id, post_id), "") if life else ""

    def fails(self, source_id: int | None, post_id: int) -> str:
        """The condition of a present subscription's filter that a post fails, or nothing."""
        return self.verdicts.get((self.by_scope[scope_of(source_id)][-1].filter_id, post_id), "")

    def _of(self, source: Source, post_id: int) -> Life | None:
        scopes = [scope_of(source.id), *([ALL] if source.visibility is Visibility.PUBLIC else [])]
        lives = (life for scope in scopes for life in self.by_scope.get(scope, ()))
        return next((life for life in lives if life.after < post_id <= life.up_to), None)


# Built once: for one answer, to build them takes longer than to run them.
_ABSENCES = select(ABSENCES.c.after, ABSENCES.c.up_to).where(ABSENCES.c.chat_id == bindparam("chat"))
_PAST = (
    select(PAST.c.scope, PAST.c.after, PAST.c.up_to, PAST.c.filter_id)
    .where(PAST.c.chat_id == bindparam("chat"))
    .order_by(PAST.c.up_to, PAST.c.id)
)
_PRESENT = select(SUBSCRIPTIONS.c.scope, SUBSCRIPTIONS.c.began_after, SUBSCRIPTIONS.c.filter_id).where(
    SUBSCRIPTIONS.c.chat_id == bindparam("chat")
)
_VERDICTS = select(FILTERED.c.filter_id, FILTERED.c.post_id, FILTERED.c.why).where(
    FILTERED.c.post_id.in_(bindparam("posts", expanding=True)),
    FILTERED.c.filter_id.in_(bindparam("filters", expanding=True)),
)


def decided() -> ColumnElement[int]:
    """The last post that a subscription has decided about; its filter of later on decides about the others.

    Posts that wait for a digest or for the end of quiet hours are undecided, and so are those of a pause.
    """
    newest = (
        select(POSTS.c.id)
        .join_from(POSTS, CHATS, CHATS.c.id == SUBSCRIPTIONS.c.chat_id)
        .where(or_(CHATS.c.quiet_from.is_(None), POSTS.c.first_seen_at < CHATS.c.quiet_from))
        .order_by(POSTS.c.id.desc())
        .limit(1)
        .correlate(SUBSCRIPTIONS)
        .scalar_subquery()
    )
    return case(
        (SUBSCRIPTIONS.c.digest_id.is_not(None), SUBSCRIPTIONS.c.starts_after),
        (SUBSCRIPTIONS.c.paused_after < newest, SUBSCRIPTIONS.c.paused_after),
        else_=newest,
    )


async def remember(connection: AsyncConnection, which: ColumnElement[bool]) -> None:
    """Record what subscriptions are; call it before their filter changes, or before they end."""
    life = select(
        SUBSCRIPTIONS.c.chat_id,
        SUBSCRIPTIONS.c.scope,
        SUBSCRIPTIONS.c.began_after,
        decided(),
        SUBSCRIPTIONS.c.filter_id,
    ).where(which, SUBSCRIPTIONS.c.began_after < decided())
    columns = ["chat_id", "scope", "after", "up_to", "filter_id"]
    await connection.execute(insert(PAST).from_select(columns, life))


async def note_absence(connection: AsyncConnection, chat_id: int) -> None:
    """Record since which post a chat gets nothing, or that it is back; call it after that has changed."""
    begin, end = _absence()
    await connection.execute(begin, {"chat": chat_id})
    await connection.execute(end, {"chat": chat_id})


@cache
def _absence() -> tuple[Insert, Update]:
    """The statements that begin the absence of a chat that is away, and end that of one that is back."""
    chat, absence = CHATS.c, ABSENCES
    newest = select(func.coalesce(func.max(POSTS.c.id), 0)).scalar_subquery()
    lasting = (absence.c.chat_id == bindparam("chat")) & absence.c.up_to.is_(None)
    away = or_(chat.state == ChatState.GONE, chat.access == ChatAccess.BANNED)
    begun = select(chat.id, newest).where(chat.id == bindparam("chat"), away, ~exists().where(lasting))
    back = exists().where(chat.id == bindparam("chat"), ~away)
    return (
        insert(absence).from_select(["chat_id", "after"], begun),
        update(absence).where(lasting, back).values(up_to=newest),
    )


async def absences(connection: AsyncConnection, chat_id: int) -> Sequence[tuple[int, int]]:
    """After which post a chat was gone or banned, and up to which one, each time that it has come back."""
    rows = await connection.execute(_ABSENCES, {"chat": chat_id})
    return [(after, up_to) for after, up_to in rows if up_to is not None]


async def lives(connection: AsyncConnection, chat_id: int, posts: Collection[int]) -> Lives:
    """How a chat's subscriptions decided, with the verdicts about some posts."""
    # Of two with the same end the first decided, and the second is empty.
    by_scope: dict[str, list[Life]] = defaultdict(list)
    for scope, after, up_to, filter_id in await connection.execute(_PAST, {"chat": chat_id}):
        by_scope[scope].append(Life(after, up_to, filter_id))
    for scope, after, filter_id in await connection.execute(_PRESENT, {"chat": chat_id}):
        by_scope[scope].append(Life(after, STILL, filter_id))
    filters = {life.filter_id for of_scope in by_scope.values() for life in of_scope}
    given = {"posts": list(posts), "filters": list(filters - {None})}
    verdicts: dict[tuple[int | None, int], str] = {
        (number, post_id): why for number, post_id, why in await connection.execute(_VERDICTS, given)
    }
    return Lives(by_scope, verdicts)
