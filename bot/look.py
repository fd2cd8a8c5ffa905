"""How posts are presented in a chat: what the operator, the chat and the person chose."""

from zoneinfo import ZoneInfo

from bot.settings import Settings
from content.i18n import Translator, negotiate
from content.present import Look
from scheduler.types import Chat


def make_look(settings: Settings, chat: Chat, locale: str = "") -> Look:
    """How posts are presented in a chat. `locale` is the person's; the chat's own language has priority."""
    return Look(
        banner=settings.banner,
        heading=settings.heading,
        excerpt_length=settings.excerpt_length,
        translator=Translator(negotiate(chat.language, locale, settings.language)),
        timezone=ZoneInfo(chat.timezone) if chat.timezone else settings.zone,
        format=chat.format,
    )
