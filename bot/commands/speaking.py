"""In which language people are answered.

What a group reads is all in one language: its own, or that of the deployment. What one person alone sees is
in the language of that person's private chat; without one in that of the group, then of the person's app.
"""

from dataclasses import replace

from bot.commands.types import Call, Request, Services
from content.formats import Answers
from content.i18n import Translator
from content.present import Look
from scheduler.types import Chat, ChatKind


def look_of(call: Call, chat: Chat, own: str, services: Services) -> Look:
    """How the answer to a call looks. `own` is the language of the person, if it is known."""
    return _persons(call, chat, own, services) if _is_seen_alone(call, chat) else services.look(chat, "")


def whispered(request: Request, services: Services) -> Request:
    """The request for an answer that is marked private, which the platform may show to the person alone."""
    call = request.call
    look = _persons(call, request.chat, request.own, services) if call.whispers else request.look
    return replace(request, look=look)


def _persons(call: Call, chat: Chat, own: str, services: Services) -> Look:
    look = services.look(chat, call.locale)
    return replace(look, translator=Translator(own)) if own else look


def _is_seen_alone(call: Call, chat: Chat) -> bool:
    if call.kind in (ChatKind.PRIVATE, ChatKind.TERMINAL):
        return True
    return call.alone and chat.format.answers is Answers.PRIVATE
