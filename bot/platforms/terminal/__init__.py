"""The terminal in which `skywave` runs, as a platform. It needs no settings."""

import sys

from pydantic import BaseModel

from bot.platforms.terminal.adapter import HERE, NAME, TerminalAdapter
from bot.platforms.terminal.limits import LIMITS
from bot.platforms.types import Platform
from scheduler.ports import Sender
from scheduler.types import ChatKind, Place


def _make(settings: BaseModel) -> Sender | None:
    return TerminalAdapter(LIMITS) if sys.stdin.isatty() and sys.stdout.isatty() else None


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
