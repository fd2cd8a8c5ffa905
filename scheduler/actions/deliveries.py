"""Deliveries that failed or are held: tried again."""

from datetime import datetime

from scheduler.actions.audit import Actor, Change, record
from scheduler.ports import DeliveryFilter, UnitOfWork


async def retry(work: UnitOfWork, by: Actor, which: DeliveryFilter, now: datetime) -> int:
    """Open failed and held deliveries again; returns how many."""
    count = await work.outbox.retry(which, now)
    if count:
        await record(work, by, Change.DELIVERIES_RETRIED, now, str(count))
    return count
