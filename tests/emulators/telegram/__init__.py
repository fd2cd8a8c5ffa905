"""An emulated Telegram Bot API server. `python -m tests.emulators.telegram` starts it."""

from tests.emulators.telegram.limits import Latency, Limits
from tests.emulators.telegram.server import TelegramEmulator
from tests.emulators.telegram.types import Chat, Entity, Message, Press, PressAnswer, Request, Shown, User

__all__ = [
    "Chat",
    "Entity",
    "Latency",
    "Limits",
    "Message",
    "Press",
    "PressAnswer",
    "Request",
    "Shown",
    "TelegramEmulator",
    "User",
]
