"""The terminal in which `skywave` runs, as a platform. It needs no settings."""

import sys

from pydantic import BaseModel

from bot.platforms.terminal.limits import HERE, LIMITS, NAME
from bot.platforms.types import Platform
from scheduler.ports import Sender
from scheduler.types import ChatKind, Place


def _make(settings: BaseModel) -> Sender | None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    from bot.platforms.terminal.adapter import TerminalAdapter

    return TerminalAdapter(LIMITS)


def _parse(word: str) -> Place | None:
    address, _, topic = word.partition("/")
    return Place(NAME, address, topic) if address else None


PLATFORM = Platform(
    name=NAME,
    settings=BaseModel,
    make=_make,
    limits=lambda settings: LIMITS,
    parse=_parse,
    kind=lambda place: ChatKind.TERMINAL,
    examples=(str(HERE),),
    here=HERE,
)
