"""How a send can fail. The dispatcher's reaction depends only on the class.

SendError
├── RateLimited       refused for now: wait as long as it says, for the chat or the whole platform
├── Refused           never reached the platform, or not processed: try again with back-off
├── Ambiguous         it may have arrived: a read time-out, a reset, a 5xx, an HTML body
├── ChatGone          blocked, kicked, deleted: deactivate the chat
├── ChatMoved         the chat has a new address: move its rows, send again once
├── ChatPaused        no rights or a closed topic: keep its deliveries, try again much later
├── ContentRejected   the platform rejects this form of the content: try a plainer one
└── PlatformStopped   the token is refused: nothing of this platform can be sent

QuotaExceeded         a person or chat has reached a quota; not an error of sending
"""

from datetime import timedelta
from enum import StrEnum

from content.errors import SkywaveError
from scheduler.types import Form, Quota


class QuotaExceeded(SkywaveError):
    """A person or chat already has `limit` of something, the most it may have."""

    def __init__(self, quota: Quota, limit: int) -> None:
        super().__init__(f"{quota}: {limit} at most")
        self.quota, self.limit = quota, limit


class SendError(SkywaveError):
    """Root of all that `Sender.send` may raise."""


class RateScope(StrEnum):
    """What a rate limit applies to."""

    CHAT = "chat"
    PLATFORM = "platform"


class RateLimited(SendError):
    """The platform asks to wait; the request was not processed."""

    def __init__(self, message: str, *, retry_after: timedelta, scope: RateScope) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.scope = scope


class Refused(SendError):
    """The request was not sent, or the platform says that it did nothing."""


class Ambiguous(SendError):
    """Nobody can know whether the message arrived."""


class ChatGone(SendError):
    """The chat cannot be written to until the platform reports that the bot is back."""


class ChatMoved(SendError):
    """The chat has a new address, `address`."""

    def __init__(self, message: str, *, address: str) -> None:
        super().__init__(message)
        self.address = address


class ChatPaused(SendError):
    """The chat exists but cannot be written to now. `topic_only`: other topics of its address can."""

    def __init__(self, message: str, *, topic_only: bool = False, **values: str | int) -> None:
        super().__init__(message, **values)
        self.topic_only = topic_only


class ContentRejected(SendError):
    """The platform rejects the content. `media`: only its picture; `final`: in any form."""

    def __init__(self, message: str, *, media: bool = False, final: bool = False) -> None:
        super().__init__(message)
        self.media, self.final = media, final

    def plainer(self, form: Form) -> Form | None:
        """The form to try after this one was rejected; None if no form may help."""
        return None if self.final else form.plainer(media=self.media)


class PlatformStopped(SendError):
    """The token is missing, wrong or revoked."""
