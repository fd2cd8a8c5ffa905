"""All that is stored about a chat, for its people to keep before it is erased."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from content.secrets import printable
from content.types import Visibility
from scheduler import membership
from scheduler.ports import UnitOfWork
from scheduler.types import Place

# Entries of the audit that are exported, the newest.
ENTRIES = 10_000


async def exported(work: UnitOfWork, place: Place) -> Sequence[dict[str, object]]:
    """The data of a chat, and without a topic also of its topics: rows of each table, and what they name.

    URLs of sources that others added may hold secrets, which are left out.
    """
    found: list[dict[str, object]] = []
    for chat in await membership.named(work, place):
        stored = await work.history.stored(chat.id)
        audit = [asdict(one) for one in await work.audit.newest(ENTRIES, place=chat.place)]
        sources = list(map(_without_secrets, stored["sources"]))
        found.append({"place": str(chat.place), **stored, "sources": sources, "audit": audit})
    return found


def _without_secrets(source: Mapping[str, object]) -> Mapping[str, object]:
    own = source["visibility"] is Visibility.PRIVATE
    return source if own else {**source, "url": printable(str(source["url"]))}
