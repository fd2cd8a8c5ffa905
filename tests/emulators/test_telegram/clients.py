"""The real client library, connected to the emulator."""

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.request import HTTPXRequest

from tests.emulators.telegram import TelegramEmulator

ROCKET = "🚀"


def request(read_timeout: float = 10) -> HTTPXRequest:
    """The library's own transport, without a proxy and TLS, because the emulator is on loopback."""
    return HTTPXRequest(read_timeout=read_timeout, httpx_kwargs={"trust_env": False, "verify": False})


def make_bot(tg: TelegramEmulator, read_timeout: float = 10) -> Bot:
    """A bot that uses the emulator; `read_timeout` is in seconds."""
    return Bot(
        tg.token, base_url=f"{tg.url}/bot", request=request(read_timeout), get_updates_request=request()
    )


def keyboard(*labels: str, data: str = "n:2") -> InlineKeyboardMarkup:
    """An inline keyboard with one button in each row."""
    return InlineKeyboardMarkup([[InlineKeyboardButton(label, callback_data=data)] for label in labels])
