"""The terminal that `skywave` runs in."""

import sys

from pydantic import BaseModel

from bot.platforms.terminal.adapter import HERE, NAME, TerminalAdapter
from bot.platforms.terminal.limits import LIMITS
from bot.platforms.types import Platform
from scheduler.delivery.limits import Limits
from scheduler.ports import Sender
from scheduler.types import ChatKind, Place


def _make(settings: BaseModel) -> Sender | None:
    return TerminalAdapter(LIMITS) if sys.stdin.isatty() and sys.stdout.isatty() else None


def _limits(settings: BaseModel) -> Limits:
    return LIMITS


def _parse(word: str) -> Place | None:
    address, _, topic = word.partition("/")
    return Place(NAME, address, topic) if address else None


def _kind(place: Place) -> ChatKind:
    return ChatKind.TERMINAL


PLATFORM = Platform(
    name=NAME,
    settings=BaseModel,
    make=_make,
    limits=_limits,
    parse=_parse,
    kind=_kind,
    examples=(str(HERE),),
    here=HERE,
)
