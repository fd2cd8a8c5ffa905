"""Make broadcasts of new posts, and a delivery of each for every chat that follows their source."""

from collections.abc import Sequence
from datetime import datetime

from content.changes import HANDFUL
from content.types import Source
from scheduler.ports import UnitOfWork
from scheduler.types import Broadcast, BroadcastKind


async def fan_out(
    work: UnitOfWork, source: Source, posts: Sequence[int], left_out: int, now: datetime
) -> int:
    """Send the posts with these ids; returns how many deliveries were made.

    A few posts are sent one by one, more than `HANDFUL` as one edition, which names how many were `left_out`.
    """
    made = 0
    for broadcast in _broadcasts(posts, left_out):
        broadcast_id = await work.outbox.broadcast(broadcast, now)
        if broadcast_id is not None:
            made += await work.outbox.fan_out(broadcast_id, source, now)
    return made


def _broadcasts(posts: Sequence[int], left_out: int) -> list[Broadcast]:
    if len(posts) > HANDFUL:
        return [Broadcast(BroadcastKind.EDITION, tuple(posts), more=left_out)]
    return [Broadcast(BroadcastKind.POST, (post_id,)) for post_id in posts]
