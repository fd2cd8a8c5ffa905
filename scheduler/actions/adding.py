"""Add a source: the one place where a URL gets its kind and its row."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from content.errors import UsageError
from content.sources import NO_CHOICE, Choice, kind_of, new_options, normalise
from content.text import storable
from content.types import HOOK, Options, Source, Validators, Visibility
from content.urls import is_web_url
from scheduler.actions import sources
from scheduler.actions.audit import Actor, Change, record
from scheduler.ports import UnitOfWork
from scheduler.push.pushes import new_hook
from scheduler.quotas import Quotas

# Characters of a URL in a list that somebody else wrote.
MAX_URL = 2_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A source to add, by its `url` in the stored form.

    `added_by`: the person for whom somebody else adds it; empty for the actor. `options` are those that a
    first read has found; without them, they are those of the choice.
    """

    url: str
    title: str
    visibility: Visibility
    tags: Sequence[str] = ()
    added_by: str = ""
    choice: Choice = NO_CHOICE
    options: Options | None = None


def listed_form(url: str) -> str:
    """The stored form of a URL in a list that somebody else wrote. Raises UsageError.

    Such a list must name no folder of this machine and no source of Skywave's own.
    """
    url = storable(url).strip()
    if len(url) > MAX_URL:
        raise UsageError("its address has more than {limit} characters", limit=MAX_URL)
    if not is_web_url(url):
        raise UsageError("it is not an http or https address")
    return normalise(url)


async def add_source(
    work: UnitOfWork, by: Actor, wanted: Wanted, now: datetime, quotas: Quotas
) -> tuple[Source, Visibility | None]:
    """The stored source, and the visibility that it had before; None if it is new.

    A known source becomes public if that is wanted, and gets the tags that it lacks, but not those of a
    person. If its kind was chosen again by its owner, it is read by the options that were found now. Raises
    QuotaExceeded when a person adds a new one.
    """
    known = await work.sources.by_url(wanted.url)
    source = known or await _new(work, by, wanted, quotas)
    changed = source
    if known and wanted.visibility is Visibility.PUBLIC:
        changed = made_public(changed)
    new_tags = () if known and by.limited else wanted.tags
    tags = dict.fromkeys((*source.tags, *map(storable, new_tags)))
    changed = replace(changed, tags=tuple(tags))
    if known and wanted.options != known.options and _is_chosen_again(known, by, wanted):
        # Without validators the next read is a whole one, whatever the server says.
        options = wanted.options or known.options
        changed = replace(changed, options=options, validators=Validators(), next_poll_at=None)
        await record(work, by, Change.SOURCE_SET, now, source.name)
    if changed != source:
        await work.sources.save(changed)
    before = known.visibility if known else None
    await sources.added(work, by, changed, before, now)
    return changed, before


def _is_chosen_again(known: Source, by: Actor, wanted: Wanted) -> bool:
    is_owner = not by.limited or known.added_by == by.person
    return is_owner and wanted.choice.kind == known.kind


def made_public(source: Source) -> Source:
    """The source for everybody, owned by the operator.

    If no chat followed it, it was not polled meanwhile: its next read counts as the first, so that the posts
    of that time are old news.
    """
    polled_at = source.polled_at if source.unfollowed_since is None else None
    return replace(
        source, visibility=Visibility.PUBLIC, polled_at=polled_at, unfollowed_since=None, added_by=""
    )


async def _new(work: UnitOfWork, by: Actor, wanted: Wanted, quotas: Quotas) -> Source:
    # Checked in the transaction that adds the source, so that two commands at once cannot exceed the quota.
    if by.limited:
        await quotas.may_add(work, by.name)
    kind = kind_of(wanted.url, wanted.choice)
    source = await work.sources.add(
        kind.name,
        wanted.url,
        storable(wanted.title),
        wanted.visibility,
        options=wanted.options or new_options(kind, wanted.choice.options),
        added_by=wanted.added_by or by.person,
    )
    if kind.name == HOOK:
        await work.pushes.add(new_hook(source.id))
    return source
