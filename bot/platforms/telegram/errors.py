"""What an error of Telegram means for sending.

The texts are those of the Bot API server (`Client.cpp`, `Query.cpp`); python-telegram-bot drops
`Bad Request: ` and capitalises, so they are compared in lower case.
"""

from datetime import timedelta

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

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

GONE = ("chat not found", "user not found", "peer_id_invalid", "group chat was deactivated")
TOPIC = ("message thread not found", "topic_closed", "topic_deleted")
RIGHTS = (
    "not enough rights",
    "need administrator rights",
    "have no write access",
    "chat_write_forbidden",
    "have no rights to send",
    "chat_restricted",
    "chat_admin_required",
)
MEDIA = (
    "wrong file identifier",
    "failed to get http url content",
    "photo_invalid_dimensions",
    "webpage_",
    "wrong type of the web page content",
    "photo_ext_invalid",
)


def send_error(error: TelegramError) -> SendError:
    """The error of our tree, whose text is Telegram's own."""
    reason = error.message
    match error:
        case RetryAfter():
            # A flood wait is the chat's: the limiter keeps the bot as a whole below its limit.
            return RateLimited(reason, retry_after=_wait(error), scope=RateScope.CHAT)
        case ChatMigrated():
            return ChatMoved(reason, address=str(error.new_chat_id))
        case Forbidden():
            return ChatGone(reason)
        case InvalidToken():
            return PlatformStopped(f"Telegram refuses the token ({reason}): check SKYWAVE_TELEGRAM_TOKEN")
        case BadRequest():
            return _bad_request(reason)
        case NeverSent():
            return Refused(reason)
        case NetworkError():
            return Ambiguous(reason)
        case _:
            return Ambiguous(reason)


def _wait(error: RetryAfter) -> timedelta:
    wait = error.retry_after
    return wait if isinstance(wait, timedelta) else timedelta(seconds=wait)


def _bad_request(reason: str) -> SendError:
    text = reason.lower()

    def one_of(parts: tuple[str, ...]) -> bool:
        return any(part in text for part in parts)

    if one_of(TOPIC):
        return ChatPaused(reason, topic_only=True)
    if one_of(GONE):
        return ChatGone(reason)
    if one_of(RIGHTS):
        return ChatPaused(reason)
    return ContentRejected(reason, media=one_of(MEDIA))
