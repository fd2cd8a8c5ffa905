"""Updates that people write themselves: written, scheduled, discarded. `Drafts` makes them posts."""

from datetime import datetime

from content.errors import UsageError
from scheduler.actions.audit import Actor, Change, record
from scheduler.ports import UnitOfWork
from scheduler.quotas import Quotas
from scheduler.types import Chat, ChatAccess, Draft, DraftState


class NoText(UsageError):
    """An update has to say something."""


async def write(
    work: UnitOfWork,
    by: Actor,
    chat: Chat,
    text: str,
    due_at: datetime | None,
    now: datetime,
    quotas: Quotas,
) -> Draft:
    """A new update of a chat, which is sent only once it is scheduled or published. `due_at` None: at once.

    A time without a text is for what the person wrote last in the chat and has neither sent nor discarded:
    its first time could not be read. Raises NoText, UsageError for a banned chat, QuotaExceeded.
    """
    earlier: Draft | None = None
    if due_at and not text.strip():
        earlier = await work.drafts.last_preview(chat.id, by.name)
        text = earlier.text if earlier else ""
    if not text.strip():
        raise NoText("There is no text.")
    if chat.access is ChatAccess.BANNED:
        raise UsageError(
            "{chat} is banned: to lift the ban, run skywave chats allow {place}",
            chat=chat.name,
            place=str(chat.place),
        )
    if by.limited:
        await quotas.may_write(work, by.name, text, now)
    if earlier:
        await work.drafts.set_state(earlier.id, DraftState.DISCARDED)
    return await work.drafts.add(Draft(0, chat.id, by.name, text, False, DraftState.PREVIEW, due_at, now))


async def of_chat(work: UnitOfWork, chat: Chat, draft_id: int) -> Draft | None:
    """An update that was written in a chat; those of others do not exist for it."""
    draft = await work.drafts.get(draft_id)
    return draft if draft and draft.chat_id == chat.id else None


async def schedule(
    work: UnitOfWork, by: Actor, chat: Chat, draft: Draft, now: datetime, *, everywhere: bool
) -> bool:
    """Let an update be sent when it is due, to its chat or to all that follow updates.

    False if it was scheduled, published or discarded before.
    """
    if not await work.drafts.set_state(draft.id, DraftState.SCHEDULED, everywhere=everywhere):
        return False
    await record(work, by, Change.UPDATE_SCHEDULED, now, named(draft.id, everywhere), chat=chat)
    return True


async def discard(work: UnitOfWork, by: Actor, draft_id: int, now: datetime) -> bool:
    """Let an update never be sent. False if it was published or discarded before, or does not exist."""
    draft = await work.drafts.get(draft_id)
    if draft is None or not await work.drafts.set_state(draft_id, DraftState.DISCARDED):
        return False
    chat = await work.chats.get(draft.chat_id)
    await record(work, by, Change.UPDATE_DISCARDED, now, named(draft_id, draft.everywhere), chat=chat)
    return True


def named(draft_id: int, everywhere: bool) -> str:
    """What the audit calls an update."""
    return f"draft {draft_id}" + (" to all" if everywhere else "")
