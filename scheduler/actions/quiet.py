"""Quiet hours of a chat: what is sent at once waits for their end."""

from dataclasses import dataclass, replace
from datetime import datetime

from scheduler.actions import chats
from scheduler.actions.audit import Actor, Change, record
from scheduler.ports import UnitOfWork
from scheduler.timetable import hours, quiet
from scheduler.timetable.hours import QuietHours
from scheduler.types import Chat

OFF = ("off", "none", "关闭", "关", "關閉", "выкл", "quitar")


@dataclass(frozen=True, slots=True)
class QuietSet:
    """The quiet hours of a chat now, None for none; `sent`: the posts that waited are sent now."""

    hours: QuietHours | None
    sent: bool


async def set_quiet_hours(
    work: UnitOfWork, by: Actor, chat: Chat, text: str, default_zone: str, now: datetime
) -> QuietSet:
    """Give a chat quiet hours like `22:00-08:00`, or none (`off`).

    Without a time zone in `text`, the chat's own counts, else `default_zone`. Raises NotUnderstood.
    """
    chat = await work.chats.get(chat.id) or chat
    wanted = None if text.strip().lower() in OFF else hours.parse(text)
    if wanted and not wanted.zone:
        wanted = replace(wanted, zone=chats.zone_of(chat, default_zone))
    sent = await quiet.settle(work, chat, wanted, now)
    if wanted is None:  # notices that wait for the end of the quiet hours
        await work.outbox.postpone_chat(chat.id, now, "")
    if wanted != hours.stored(chat.quiet):
        await record(work, by, Change.QUIET, now, str(wanted or OFF[0]), chat=chat)
    return QuietSet(wanted, sent)
