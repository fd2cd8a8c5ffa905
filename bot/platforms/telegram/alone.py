"""Messages that one person of a group sees alone: the Bot API calls them ephemeral, and has them since 10.2.

An app sends a command that is registered for it as such a message, and the bot may answer in the same way
within 15 s.
python-telegram-bot 22.8 does not know them, so this module reads and writes their fields.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from telegram import BotCommand, MaybeInaccessibleMessage

from bot.access import Act
from bot.commands.types import Command


@dataclass(frozen=True, slots=True)
class Alone:
    """An ephemeral message in a group: its number, and the person who sent it or sees it."""

    user_id: int
    message_id: int

    def reply_fields(self) -> Mapping[str, object]:
        """The fields of a message that answers it."""
        return {
            "ephemeral_message_parameters": {"receiver_user_id": self.user_id},
            "reply_parameters": {"ephemeral_message_id": self.message_id},
        }

    def edit_fields(self) -> Mapping[str, object]:
        """The fields of an edit that name it."""
        return {"receiver_user_id": self.user_id, "ephemeral_message_id": self.message_id}


def alone_with(user_id: int | None, message: MaybeInaccessibleMessage) -> Alone | None:
    """The message as one that only this person sees; None if others see it too."""
    number = message.api_kwargs.get("ephemeral_message_id")
    return Alone(user_id, number) if user_id is not None and isinstance(number, int) else None


def registered(command: Command, summary: str) -> BotCommand:
    """A command for the menu of groups. Nobody else sees it and its answer, if it only reads."""
    fields = {"is_ephemeral": True} if command.act is Act.READ else None
    return BotCommand(command.name, summary, api_kwargs=fields)
