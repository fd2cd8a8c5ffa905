"""Asks Telegram which chats a person administers."""

from functools import partial

from telegram import Bot, ChatMember
from telegram.error import BadRequest, Forbidden, TelegramError

from bot.platforms.roles import Roles
from bot.platforms.telegram.errors import send_error
from bot.platforms.telegram.limits import NAME
from scheduler.types import Place


class Reach:
    """The rights of one person in the chats that the bot is in."""

    def __init__(self, bot: Bot, roles: Roles, user_id: int) -> None:
        self._bot, self._roles, self._user_id = bot, roles, user_id

    async def administers(self, place: Place) -> bool:
        """Whether the person is an admin of a chat, or it is their private one. Raises SendError."""
        if place.address == str(self._user_id):
            return True
        ask = partial(self._ask, place.address)
        return await self._roles.administers(f"{NAME}:{self._user_id}", place.address, ask)

    async def find(self, name: str) -> Place | None:
        """A channel or group by its public name, `@channel`, or a chat by its number. Raises SendError."""
        if not name.startswith("@"):
            return Place(NAME, name) if name.removeprefix("-").isdecimal() else None
        try:
            chat = await self._bot.get_chat(name)
        except (BadRequest, Forbidden):
            return None
        except TelegramError as exc:
            raise send_error(exc) from exc
        return Place(NAME, str(chat.id))

    async def _ask(self, address: str) -> bool:
        try:
            member = await self._bot.get_chat_member(int(address), self._user_id)
        except (BadRequest, Forbidden):
            return False  # the bot is not in the chat, or sees no member of that number
        except TelegramError as exc:
            raise send_error(exc) from exc
        return member.status in (ChatMember.OWNER, ChatMember.ADMINISTRATOR)
