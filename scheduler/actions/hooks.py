"""Hooks: sources that are called. Their addresses and secrets are made when they are added."""

from dataclasses import replace
from datetime import datetime

from content.errors import UsageError
from content.types import HOOK, Source
from scheduler.actions.audit import Actor, Change, record
from scheduler.ports import UnitOfWork
from scheduler.push.pushes import Push, new_secret


async def hook_of(work: UnitOfWork, source: Source) -> Push:
    """The hook of a source. Raises UsageError if it has none."""
    push = await work.pushes.of_source(source.id) if source.kind == HOOK else None
    if push is None:
        raise UsageError("{source} is not a hook", source=source.name)
    return push


async def change_secret(work: UnitOfWork, by: Actor, source: Source, now: datetime) -> Push:
    """Give a hook another secret; the old one is worth nothing from now on. Raises UsageError."""
    push = replace(await hook_of(work, source), secret=new_secret(), seen=())
    await work.pushes.save(push)
    await record(work, by, Change.HOOK_SECRET, now, source.name)
    return push
