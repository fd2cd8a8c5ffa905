"""The edge of parsing: whatever goes wrong in there is that source's error."""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from content.errors import ParseError, SourceError
from content.fetch import printable

T = TypeVar("T")
Args = TypeVarTuple("Args")


def named(source: str) -> str:
    """A source's URL without its secrets, or the path of a folder, for messages."""
    return printable(source) if "://" in source else source[:200]


def guarded(source: str, function: Callable[[*Args], T], *args: *Args) -> T:
    """What `function` makes of `source`. Raises SourceError, and nothing else that is an Exception."""
    try:
        return function(*args)
    except SourceError:
        raise
    except MemoryError as exc:
        raise ParseError(
            "{source} needs too much memory to be read: make it smaller", source=named(source)
        ) from exc
    except Exception as exc:  # outside text breaks parsers, ours and others', in ways that nobody can list
        raise ParseError(
            "{source} is broken so that it cannot be read ({reason}): mend it",
            source=named(source),
            reason=type(exc).__name__,
        ) from exc
