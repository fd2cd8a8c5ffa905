"""The edge of parsing: every failure of a parser becomes an error of the source that it parsed."""

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from content.errors import ParseError, SourceError
from content.secrets import printable

T = TypeVar("T")
Args = TypeVarTuple("Args")


def named(source: str) -> str:
    """The name of a source in messages: its URL without secrets, or the path of its folder."""
    return printable(source) if "://" in source else source[:200]


def guarded(source: str, function: Callable[[*Args], T], *args: *Args) -> T:
    """The result of `function(*args)`. Raises SourceError for every Exception; `source` is named in it."""
    try:
        return function(*args)
    except SourceError:
        raise
    except MemoryError as exc:
        raise ParseError(
            "{source} needs too much memory to be read: make it smaller", source=named(source)
        ) from exc
    except Exception as exc:  # hostile text breaks parsers, our own and libraries, in ways nobody can list
        raise ParseError(
            "{source} is damaged and cannot be read ({reason}): repair it",
            source=named(source),
            reason=type(exc).__name__,
        ) from exc
