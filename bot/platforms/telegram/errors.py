"""Maps Telegram's errors to errors of our tree.

The API has no codes for them, so their texts are compared. The texts are those of the Bot API server
(`Client.cpp`, `Query.cpp`), in lower case, because python-telegram-bot drops `Bad Request: ` and capitalises
the rest.
"""

from datetime import timedelta

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)

from bot.platforms.telegram.rights import CANNOT_POST, CANNOT_WRITE
from bot.platforms.telegram.transport import NeverSent
from scheduler.errors import (
    Ambiguous,
    ChatGone,
    ChatMoved,
    ChatPaused,
    ContentRejected,
    PlatformStopped,
    RateLimited,
    RateScope,
    Refused,
    SendError,
)
from scheduler.membership import TOPIC_CLOSED, TOPIC_GONE

# Flood waits of two chats have the same cause if the second message was sent at most this many seconds after
# the first flood wait.
TOGETHER = 1.0
NEVER = float("-inf")

GONE = ("chat not found", "user not found", "peer_id_invalid", "group chat was deactivated")
TOPIC = {
    "message thread not found": TOPIC_GONE,
    "topic_deleted": TOPIC_GONE,
    "topic_closed": TOPIC_CLOSED,
}
RIGHTS = (
    "not enough rights",
    "have no write access",
    "chat_write_forbidden",
    "have no rights to send",
    "chat_restricted",
)
CHANNEL_RIGHTS = ("need administrator rights", "chat_admin_required")
MEDIA = (
    "wrong file identifier",
    "failed to get http url content",
    "photo_invalid_dimensions",
    "webpage_",
    "wrong type of the web page content",
    "photo_ext_invalid",
    # Those of rich messages. A picture that cannot be fetched makes Telegram refuse the whole message.
    "_no_media_found",
    "photo_invalid",
    "file_id_invalid",
    "media_too_many",
    "photo_url_invalid",
    "video_url_invalid",
    "audio_url_invalid",
    "animation_url_invalid",
)
# The rights to send rich messages, and the media in one. Text has a right of its own.
RICH_RIGHTS = tuple(
    f"not enough rights to send {what} to the chat"
    for what in ("the rich message", "photos", "videos", "animations", "music", "documents", "voice notes")
)
# A server older than Bot API 10.1 does not know the method; in an edit it ignores the field.
UNKNOWN_METHOD, NO_TEXT = "method not found", "message text is empty"


class FloodScope:
    """Decides whether a flood wait concerns one chat or the whole bot; Telegram does not say which.

    The first one counts as the chat's. If the next message to another chat, sent after it, gets a flood wait
    as well, the bot as a whole is too fast. Messages sent before the flood wait prove nothing. Pure; times
    are monotonic seconds.
    """

    def __init__(self) -> None:
        self._address, self._at = "", NEVER

    def of(self, address: str, left: float, now: float) -> RateScope:
        """The scope of a flood wait for a message to `address` that was sent at the time `left`."""
        both = address != self._address and 0 <= left - self._at <= TOGETHER
        self._address, self._at = address, now
        return RateScope.PLATFORM if both else RateScope.CHAT

    def accepted(self, left: float) -> None:
        """Note that a message sent at the time `left` was accepted: an earlier flood wait was the chat's."""
        if left >= self._at:
            self._at = NEVER


def send_error(error: TelegramError, scope: RateScope = RateScope.CHAT) -> SendError:
    """The error of our tree, mostly with Telegram's own text. `scope` is used for a flood wait."""
    reason = error.message
    match error:
        case RetryAfter():
            return RateLimited(reason, retry_after=_wait(error), scope=scope)
        case ChatMigrated():
            return ChatMoved(reason, address=str(error.new_chat_id))
        case Forbidden():
            return ChatGone(reason)
        case InvalidToken():
            # Not python-telegram-bot's text, because it may contain the token.
            return PlatformStopped("Telegram refuses the token: check SKYWAVE_TELEGRAM_TOKEN")
        case BadRequest():
            return _bad_request(reason)
        case NeverSent():
            return Refused(reason)
        case _:
            return Ambiguous(reason)


def is_unknown_to_server(error: TelegramError) -> bool:
    """Whether the server answered a rich message as one does that is too old for it."""
    match error:
        case InvalidToken():  # python-telegram-bot's class for any 404
            return UNKNOWN_METHOD in error.message.lower()
        case BadRequest():
            return NO_TEXT in error.message.lower()
        case _:
            return False


def _wait(error: RetryAfter) -> timedelta:
    wait = error.retry_after
    return wait if isinstance(wait, timedelta) else timedelta(seconds=wait)


def _bad_request(reason: str) -> SendError:
    text = reason.lower()

    def one_of(parts: tuple[str, ...]) -> bool:
        return any(part in text for part in parts)

    for part, meaning in TOPIC.items():
        if part in text:
            return ChatPaused(meaning, topic_only=True)
    if one_of(GONE):
        return ChatGone(reason)
    if one_of(RICH_RIGHTS):
        return ContentRejected(reason, media=True)
    if one_of(CHANNEL_RIGHTS):
        return ChatPaused(CANNOT_POST)
    if one_of(RIGHTS):
        return ChatPaused(CANNOT_WRITE)
    return ContentRejected(reason, media=one_of(MEDIA))
