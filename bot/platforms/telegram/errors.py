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
from scheduler.membership import TOPIC_CLOSED, TOPIC_GONE

# A flood wait and a message that leaves no later than so many seconds after it may have one cause.
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


class FloodScope:
    """Tells a flood wait of one chat from one of the whole bot, which Telegram does not.

    The limiter keeps within both limits, so one alone is taken for the chat's. What leaves for another chat
    after it tells more: if the first of it draws one as well, it is the bot that is too fast. What left
    before tells nothing. Pure: times are in monotonic seconds.
    """

    def __init__(self) -> None:
        self._address, self._at = "", NEVER

    def of(self, address: str, left: float, now: float) -> RateScope:
        """The scope of a flood wait that this address was given for a message that left at that time."""
        both = address != self._address and 0 <= left - self._at <= TOGETHER
        self._address, self._at = address, now
        return RateScope.PLATFORM if both else RateScope.CHAT

    def accepted(self, left: float) -> None:
        """A message that left at that time was accepted: the flood wait before was not the bot's."""
        if left >= self._at:
            self._at = NEVER


def send_error(error: TelegramError, scope: RateScope = RateScope.CHAT) -> SendError:
    """The error of our tree, for the most part with Telegram's own text; `scope` is that of a flood wait."""
    reason = error.message
    match error:
        case RetryAfter():
            return RateLimited(reason, retry_after=_wait(error), scope=scope)
        case ChatMigrated():
            return ChatMoved(reason, address=str(error.new_chat_id))
        case Forbidden():
            return ChatGone(reason)
        case InvalidToken():
            # Not the library's own text: that may quote the token.
            return PlatformStopped("Telegram refuses the token: check SKYWAVE_TELEGRAM_TOKEN")
        case BadRequest():
            return _bad_request(reason)
        case NeverSent():
            return Refused(reason)
        case _:
            return Ambiguous(reason)


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
    if one_of(RIGHTS):
        return ChatPaused(reason)
    return ContentRejected(reason, media=one_of(MEDIA))
