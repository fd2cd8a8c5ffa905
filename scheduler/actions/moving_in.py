"""Chats move in from another bot, with what they follow there.

Nothing that the other bot has sent is sent again: a subscription starts after the newest post, and the first
read of a new source sends nothing. What a chat has already chosen here stays as it is, so doing it twice
changes nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from content.errors import UsageError
from content.formats import NOTHING, Format
from content.i18n import supported
from content.text import storable
from content.types import Failure, Source, Visibility
from scheduler.actions import chats, following
from scheduler.actions.adding import Wanted, add_source, listed_form
from scheduler.actions.audit import Actor, Change, record
from scheduler.ports import UnitOfWork
from scheduler.quotas import Quotas
from scheduler.types import Chat, ChatAccess, ChatKind, Place

# Characters of what another bot has stored.
MAX_TITLE = 200

OPERATORS = (
    "it is a private source of the operator: to let the chat follow it, run "
    "skywave subscriptions add {place} --source {number}"
)
BANNED = "it is banned here: to lift the ban, run skywave chats allow {place}"


@dataclass(frozen=True, slots=True)
class OldSubscription:
    """What a chat follows in another bot: the URL of a feed, as it is stored there.

    `paused`: it was switched off there.
    """

    url: str
    title: str = ""
    tags: tuple[str, ...] = ()
    choices: Format = NOTHING
    paused: bool = False


@dataclass(frozen=True, slots=True)
class OldChat:
    """A chat of another bot. `language` is a tag like `zh-Hans`; what is empty is not known.

    `owner` is the person who answers for its feeds, like telegram:123. Feeds of people reach public addresses
    only.
    """

    place: Place
    kind: ChatKind
    subscriptions: tuple[OldSubscription, ...] = ()
    title: str = ""
    owner: str = ""
    language: str = ""
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class MovedIn:
    """What is new by a chat's move. `refused` names what was not taken over, each with the reason."""

    chat: Chat
    new: bool = False
    followed: tuple[Source, ...] = ()
    added: tuple[Source, ...] = ()
    refused: tuple[Failure, ...] = ()


async def move_in(work: UnitOfWork, by: Actor, old: OldChat, now: datetime, quotas: Quotas) -> MovedIn:
    """Let a chat of another bot follow here what it follows there. Nothing is read from the network."""
    known = await work.chats.find(old.place)
    if known and known.access is ChatAccess.BANNED:
        return MovedIn(known, refused=(Failure(str(old.place), BANNED.format(place=old.place)),))
    title = "" if known else storable(old.title)[:MAX_TITLE]
    arrived = await chats.add(work, by, old.place, old.kind, now, title)
    chat = await _with_settings(work, by, old, arrived.chat, now)
    moved = MovedIn(chat, arrived.new)
    for subscription in old.subscriptions:
        moved = await _follow(work, by, moved, old.owner or str(old.place), subscription, now, quotas)
    if moved.followed:
        what = f"{len(moved.followed)} subscriptions"
        await record(work, by, Change.MOVED_IN, now, what, chat=chat)
    return moved


async def _with_settings(work: UnitOfWork, by: Actor, old: OldChat, chat: Chat, now: datetime) -> Chat:
    """Give a chat the language and the time zone that it had, unless it has chosen here."""
    language = "" if chat.language else supported(old.language)
    settings = chats.Settings(language=language or None)
    chat = await chats.change(work, by, chat, settings, now) or chat
    if chat.timezone or not old.timezone:
        return chat
    try:
        return await chats.change(work, by, chat, chats.Settings(timezone=old.timezone), now) or chat
    except UsageError:
        return chat  # a name that is no time zone says nothing


async def _follow(
    work: UnitOfWork,
    by: Actor,
    moved: MovedIn,
    owner: str,
    old: OldSubscription,
    now: datetime,
    quotas: Quotas,
) -> MovedIn:
    """Take over one subscription; `moved` is what was taken over before."""
    try:
        url = listed_form(old.url)
    except UsageError as exc:
        return replace(moved, refused=(*moved.refused, Failure(old.url[:MAX_TITLE], str(exc))))
    known, chat = await work.sources.by_url(url), moved.chat
    if known and known.visibility is Visibility.PRIVATE and not known.added_by:
        # It may be inside the operator's network, where people's feeds never reach.
        followed = {one.source_id for one in await work.subscriptions.of(chat.id)}
        reason = OPERATORS.format(place=chat.place, number=known.id)
        refused = () if known.id in followed else (Failure(known.name, reason),)
        return replace(moved, refused=(*moved.refused, *refused))
    # A public source keeps the folders that the operator gave it.
    tags = () if known and known.visibility is not Visibility.PRIVATE else old.tags
    wanted = Wanted(url, old.title[:MAX_TITLE], Visibility.PRIVATE, tags, added_by=owner)
    source, before = await add_source(work, by, wanted, now, quotas)
    added = moved.added if before else (*moved.added, source)
    if not await following.follow(work, by, chat, source, now, quotas):
        return replace(moved, added=added)
    if old.choices.chosen:
        await work.subscriptions.set_choices(chat.id, source.id, old.choices)
    if old.paused:
        await following.pause(work, by, chat, source, None, now)
    return replace(moved, added=added, followed=(*moved.followed, source))
