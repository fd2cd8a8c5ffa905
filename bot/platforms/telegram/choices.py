"""What a chat has chosen about the look of its messages on Telegram."""

from enum import StrEnum

from scheduler.types import Chat, ChatKind


class Rich(StrEnum):
    """When a chat gets rich messages. Apps from before June 2026 show only that they are not supported."""

    OFF = "off"
    AUTO = "auto"  # for documents that gain by it
    ON = "on"


def rich_choice(chat: Chat) -> Rich:
    """The choice of a chat. A channel has to choose, because nobody knows which apps its readers have."""
    return Rich.OFF if chat.kind is ChatKind.CHANNEL else Rich.AUTO
