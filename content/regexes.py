"""Regular expressions that people write: those of RE2, whose time grows with the text and not faster.

Upper and lower case are the same, and so are traditional and simplified characters. The sizes of patterns and
texts are limited, so that a search takes milliseconds.
"""

from functools import lru_cache
from typing import Protocol

import re2

from content.search import typed
from content.tokens import simplified

# Of title and of text each, that a pattern is looked for in.
MAX_READ = 10_000  # characters
# RE2 may try each instruction of a pattern at each byte of the text: this many take some 50 ms at worst.
MAX_INSTRUCTIONS = 2_000
# Of one pattern, in bytes, and patterns that are kept: together at most 64 MB, and rarely more than 5.
MAX_MEMORY = 1 << 18
KEPT = 256

_OPTIONS = {"max_mem": MAX_MEMORY, "log_errors": False, "case_sensitive": False, "never_capture": True}

# Patterns that can be what somebody meant, from one that is not valid; the escaped one is the last.
_CLOSING = ("{}\\", "{})", "{}]", "{}])", "\\{}")


class InvalidPattern(Exception):
    """Not a pattern of RE2, or too large a one."""


class _Compiled(Protocol):
    programsize: int

    def search(self, text: str) -> object | None: ...


def searchable(text: str) -> str:
    """A text as patterns are looked for in it."""
    return simplified(typed(text, MAX_READ))


def found(pattern: str, text: str) -> bool:
    """Whether a valid pattern matches anywhere in a `searchable` text."""
    return _compiled(pattern).search(text) is not None


def check(pattern: str) -> None:
    """Raises InvalidPattern."""
    _compiled(pattern)


def is_valid(pattern: str) -> bool:
    try:
        check(pattern)
    except InvalidPattern:
        return False
    return True


def nearest(pattern: str) -> str:
    """A valid pattern like one that is not: with what is missing at its end, else matched as it stands."""
    closed = (form.format(pattern) for form in _CLOSING)
    return next(filter(is_valid, closed), "") or escaped(pattern)


def escaped(text: str) -> str:
    """The pattern that finds just this text; cut, so that it is not too large."""
    return "".join(f"\\{sign}" if sign.isascii() and not sign.isalnum() else sign for sign in text[:64])


@lru_cache(maxsize=KEPT)
def _compiled(pattern: str) -> _Compiled:
    options = re2.Options()
    for name, value in _OPTIONS.items():
        setattr(options, name, value)
    try:
        compiled: _Compiled = re2.compile(simplified(pattern), options)
    except re2.error as exc:
        raise InvalidPattern from exc
    if compiled.programsize > MAX_INSTRUCTIONS:
        raise InvalidPattern
    return compiled
