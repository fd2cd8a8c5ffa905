"""The findings of `skywave doctor` about access and quotas: refusals, chats without access, usage."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from bot.access import AccessMode
from bot.cli.common import Finding, counted
from bot.engine import Engine
from content.types import UPDATES, Source, Visibility
from scheduler.actions.audit import Change
from scheduler.ports import AuditEntry
from scheduler.types import Chat, ChatAccess, Subscription

LATELY = timedelta(days=7)
SHOWN = 5


async def usage(app: Engine) -> AsyncIterator[Finding]:
    async with app.store.read() as work:
        refused = await work.audit.newest(SHOWN, since=app.clock.now() - LATELY, action=Change.REFUSED)
        sources, chats = await work.sources.all(), await work.chats.all()
        subscriptions = await work.subscriptions.all()
    if app.settings.access is AccessMode.CLOSED:
        yield _left_out(chats, subscriptions)
    private = [s for s in sources if s.visibility is Visibility.PRIVATE and s.kind != UPDATES]
    most = app.settings.private_sources
    hint = "" if len(private) < most else ": nobody can add one; raise SKYWAVE_PRIVATE_SOURCES"
    yield Finding("private sources", not hint, f"{len(private)} of {most}{hint}")
    for finding in _fullest(app, private, {chat.id: chat for chat in chats}, subscriptions):
        yield finding
    for entry in refused:
        yield Finding("refused", True, _line(entry))


def _left_out(chats: Sequence[Chat], subscriptions: Sequence[Subscription]) -> Finding:
    """Chats without access that subscribed before the bot was closed: they get posts, but no replies."""
    following = {subscription.chat_id for subscription in subscriptions}
    names = [str(c.place) for c in chats if c.access is ChatAccess.DEFAULT and c.id in following]
    return Finding(
        "access is closed",
        not names,
        f"{counted(len(names), 'chat follows', 'chats follow')} something without being allowed, such as "
        f"{', '.join(names[:SHOWN])}: "
        "skywave chats allow CHAT, or ban CHAT"
        if names
        else "all chats that follow something are allowed",
    )


def _fullest(
    app: Engine, private: Sequence[Source], chats: dict[int, Chat], subscriptions: Sequence[Subscription]
) -> list[Finding]:
    """The person and the chat with the most private sources."""
    persons = Counter(source.added_by for source in private if source.added_by)
    ids = {source.id for source in private}
    followers = Counter(chats[s.chat_id].name for s in subscriptions if s.source_id in ids)
    settings = app.settings
    return [
        Finding(what, True, f"{name}: {count} of {limit} private sources")
        for what, used, limit in (
            ("fullest person", persons, settings.person_sources),
            ("fullest chat", followers, settings.chat_sources),
        )
        for name, count in used.most_common(1)
    ]


def _line(entry: AuditEntry) -> str:
    return f"{entry.at:%Y-%m-%d %H:%M} {entry.actor}: {entry.target}"
