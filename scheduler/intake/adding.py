"""Add a source: the one place where a URL gets its kind and its row."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from content.sources import kind_of, new_options
from content.text import storable
from content.types import Source, Visibility
from scheduler.intake.source_state import made_public
from scheduler.ports import UnitOfWork
from scheduler.quotas import Quotas


@dataclass(frozen=True, slots=True)
class Wanted:
    """A source that somebody adds, by its `url` in the stored form.

    `added_by` is a person, like telegram:123; it is empty for an operator or the command line.
    """

    url: str
    title: str
    visibility: Visibility
    added_by: str = ""
    tags: Sequence[str] = ()


async def add_source(work: UnitOfWork, wanted: Wanted, quotas: Quotas) -> tuple[Source, Visibility | None]:
    """The stored source, and the visibility that it had before; None if it is new.

    A known source becomes public if that is wanted, and gets the tags that it lacks. Raises QuotaExceeded
    when a person adds a new one.
    """
    known = await work.sources.by_url(wanted.url)
    source = known or await _new(work, wanted, quotas)
    changed = source
    if known and wanted.visibility is Visibility.PUBLIC:
        changed = made_public(changed)
    tags = dict.fromkeys((*source.tags, *map(storable, wanted.tags)))
    changed = replace(changed, tags=tuple(tags))
    if changed != source:
        await work.sources.save(changed)
    return changed, known.visibility if known else None


async def _new(work: UnitOfWork, wanted: Wanted, quotas: Quotas) -> Source:
    # Checked in the transaction that adds the source, so that two commands at once cannot exceed the quota.
    if wanted.added_by:
        await quotas.may_add(work, wanted.added_by)
    kind = kind_of(wanted.url)
    return await work.sources.add(
        kind.name,
        wanted.url,
        storable(wanted.title),
        wanted.visibility,
        options=new_options(kind),
        added_by=wanted.added_by,
    )
