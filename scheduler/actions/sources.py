"""Sources: found by name, added, paused, resumed, removed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from content.errors import NotFound, UsageError
from content.i18n import Msgid
from content.sources import KINDS, new_options, normalise, upgraded
from content.sources.kinds import no_options
from content.types import Options, Source, SourceState, Validators, Visibility
from scheduler.actions.audit import Actor, Change, record
from scheduler.batches import batches
from scheduler.ports import Store, UnitOfWork
from scheduler.quotas import Quotas
from scheduler.types import Chat

UNKNOWN = Msgid("No source is called “{name}”.")
# Why a delivery is cancelled.
REMOVED = Msgid("the source was removed")
# Posts that are looked for at once.
ROWS = 500


class UnknownSource(NotFound):
    """No source has that name. `names` are those that come near, or else those that exist."""

    def __init__(self, name: str, names: Sequence[str] = ()) -> None:
        super().__init__(UNKNOWN, name=name)
        self.names = names


async def named(work: UnitOfWork, name: str) -> Source:
    """Any source, by its URL, its title or its number. Raises UnknownSource."""
    for source in await work.sources.all():
        if name in (source.url, str(source.id)) or name.casefold() == source.name.casefold():
            return source
    try:
        found = await work.sources.by_url(normalise(name))
    except UsageError:
        found = None
    if found is None:
        raise UnknownSource(name)
    return found


async def visible_named(work: UnitOfWork, chat: Chat, name: str) -> Source:
    """A source that a chat may see, by its URL or its name, or by a part of the name that no other has.

    Raises UnknownSource.
    """
    wanted = name.strip().casefold()
    visible = await work.sources.visible_to(chat.id)
    exact = [s for s in visible if wanted in (s.name.casefold(), s.url.casefold())]
    similar = [s for s in visible if wanted in s.name.casefold()]
    if exact or len(similar) == 1:
        return (exact or similar)[0]
    raise UnknownSource(name.strip()[:60], [source.name for source in similar or visible])


async def known_at(
    work: UnitOfWork, by: Actor, chat: Chat, urls: Iterable[str], quotas: Quotas, *, may_add: bool
) -> Source | None:
    """The source at the first of some URLs, in their stored form, that a chat may see; None to add one.

    A private source of other chats counts as new: that it is known is nobody's business. Raises UsageError
    if the person may add no source, QuotaExceeded if there are too many.
    """
    visible = {one.url: one for one in await work.sources.visible_to(chat.id)}
    if known := next((visible[url] for url in urls if url in visible), None):
        return known
    if not may_add:
        raise UsageError(
            "Only operators of this bot add sources: ask one of them to add this feed. "
            "/sources lists the existing ones."
        )
    if by.limited:
        await quotas.may_follow(work, chat.id, None)
        await quotas.may_add(work, by.name)
    return None


async def added(
    work: UnitOfWork, by: Actor, source: Source, before: Visibility | None, now: datetime
) -> None:
    """Record that a source was added; `before` is its visibility if it was known, and may now be public."""
    if before is None:
        await record(work, by, Change.SOURCE_ADDED, now, source.name)
    elif before is not source.visibility:
        await record(work, by, Change.SOURCE_PUBLISHED, now, source.name)


async def pause(work: UnitOfWork, by: Actor, source: Source, now: datetime) -> None:
    """Read a source no more."""
    await work.sources.set_state(source.id, SourceState.PAUSED)
    await record(work, by, Change.SOURCE_PAUSED, now, source.name)


async def resume(work: UnitOfWork, by: Actor, source: Source, now: datetime) -> None:
    """Read a paused or failing source again, at once."""
    await work.sources.set_state(source.id, SourceState.ACTIVE)
    await record(work, by, Change.SOURCE_RESUMED, now, source.name)


def with_options(source: Source, given: Mapping[str, str]) -> Options:
    """The options of a source with those that a person typed; the others stay. Raises SkywaveError."""
    kind = KINDS.get(source.kind)
    if kind is None:  # what admins write
        return Options(values=no_options(source.kind, given))
    kept = {name: value for name, value in upgraded(kind, source.options).values.items() if name not in given}
    chosen = new_options(kind, given)
    return replace(chosen, values={**kept, **chosen.values})


async def set_options(
    work: UnitOfWork, by: Actor, source: Source, given: Mapping[str, str], now: datetime
) -> Source:
    """Change how a source is read, and read it again at once. Raises SkywaveError."""
    options = with_options(source, given)
    if options == source.options:
        return source
    # Without validators the next read is a whole one, whatever the server says.
    changed = replace(source, options=options, validators=Validators(), next_poll_at=None)
    await work.sources.save(changed)
    told = " ".join(f"{name}={value}" for name, value in given.items())
    await record(work, by, Change.SOURCE_SET, now, f"{source.name} {told}")
    return changed


async def remove(
    store: Store, by: Actor, source_id: int, now: datetime, *, only_unfollowed: bool = False
) -> int | None:
    """Remove a source with its posts and cancel its deliveries, in short transactions; returns how many.

    None if it no longer exists, or if it is followed again although only an unfollowed one was to go.
    """
    async with store.write() as work:
        source = await work.sources.get(source_id)
        if source is None or (only_unfollowed and source.unfollowed_since is None):
            return None
        newest = await work.posts.newest_id()
        cancelled = await work.outbox.cancel(REMOVED, now, source_id=source_id)
        # From now on none of its posts is sent, and it is not read.
        await work.sources.save(replace(source, starts_after=newest))
        await work.sources.set_state(source_id, SourceState.PAUSED)
        await record(work, by, Change.SOURCE_REMOVED, now, source.name)
        await work.commit()
    while await _remove_posts(store, source_id, newest):
        pass
    async with store.write() as work:
        # A read that had begun before may have brought more.
        cancelled += await work.outbox.cancel(REMOVED, now, source_id=source_id)
        await work.sources.remove(source_id)
        await work.commit()
    return cancelled


async def _remove_posts(store: Store, source_id: int, newest: int) -> int:
    """Remove some of a source's posts; returns how many."""
    async with store.read() as work:
        some = await work.posts.of_source(source_id, newest, ROWS)
    for batch in batches(some, lambda post: post[1]):
        async with store.write() as work:
            await work.posts.remove([post_id for post_id, _ in batch])
            await work.commit()
    return len(some)
