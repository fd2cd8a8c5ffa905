"""Which right of Telegram the bot lacks in a chat, and where to give it."""

from telegram import ChatMember, ChatMemberAdministrator, ChatMemberRestricted

from content.i18n import Msgid
from scheduler.errors import ChatPaused
from scheduler.types import ChatKind

CANNOT_POST = Msgid(
    "the bot may not post in the channel: in the channel's settings, open Administrators, choose the bot, "
    "and switch on Post Messages"
)
CANNOT_WRITE = Msgid(
    "the bot may not write in the group: in the group's settings, open Permissions and allow Send Messages, "
    "or make the bot an administrator"
)


def hindrance(me: ChatMember, kind: ChatKind) -> ChatPaused | None:
    """Why the bot cannot write to a chat where it is `me`, with the next step; None if it can."""
    if kind is ChatKind.CHANNEL:
        may_post = isinstance(me, ChatMemberAdministrator) and me.can_post_messages
        return None if may_post else ChatPaused(CANNOT_POST)
    if isinstance(me, ChatMemberRestricted) and not me.can_send_messages:
        return ChatPaused(CANNOT_WRITE)
    return None
