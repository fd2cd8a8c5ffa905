"""The terminal that `skywave` runs in."""

import sys

from bot.platforms.terminal.adapter import ACTOR, TerminalAdapter
from bot.platforms.terminal.limits import limits
from bot.platforms.types import Adapter, PlatformSpec
from bot.settings import Settings
from scheduler.types import ChatKind, Place


def _make(settings: Settings) -> Adapter | None:
    return TerminalAdapter(limits(settings)) if sys.stdin.isatty() and sys.stdout.isatty() else None


def _kind(place: Place) -> ChatKind:
    return ChatKind.TERMINAL


SPEC = PlatformSpec("terminal", _make, _kind, limits)

__all__ = ["ACTOR", "SPEC"]
