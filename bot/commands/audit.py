"""/audit: who changed what in this chat."""

from bot.commands.types import Button, Reply, Request, Services
from bot.numbers import number
from content import present
from content.text import excerpt
from scheduler.ports import AuditEntry

AUDIT = "wa"  # prefix of its buttons; the number of the page follows
ENTRIES = 10  # on a page
LENGTH = 80  # characters of what was changed


async def audit(request: Request, services: Services) -> Reply:
    """Show the newest changes."""
    return await _page(1, request, services)


async def turn_audit(data: str, request: Request, services: Services) -> Reply | None:
    """Show the page that a button names."""
    page = number(data.partition(":")[2])
    return await _page(page, request, services) if page else None


async def _page(page: int, request: Request, services: Services) -> Reply:
    t, offset = request.translator.t, (page - 1) * ENTRIES
    async with services.store.read() as work:
        found = await work.audit.newest(ENTRIES + 1, offset=offset, place=request.chat.place)
    lines = [_line(entry, request) for entry in found[:ENTRIES]] or [t("No changes yet.")]
    row = [Button(t("Newer"), f"{AUDIT}:{page - 1}")] if page > 1 else []
    if len(found) > ENTRIES:
        row.append(Button(t("Older"), f"{AUDIT}:{page + 1}"))
    rows = (tuple(row),) if row else ()
    return Reply(present.lines(t("Changes in this chat"), lines), rows, private=not row)


def _line(entry: AuditEntry, request: Request) -> str:
    look = request.look
    what = entry.target.removeprefix(str(request.chat.place)).strip()
    done = " ".join(filter(None, (entry.action, excerpt(what, LENGTH))))
    return f"{look.translator.date(entry.at, look.timezone)} · {entry.actor}: {done}"
