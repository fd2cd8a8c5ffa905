"""The kinds of source. A new kind is one module here and one line in KINDS; the first that accepts wins."""

from content.errors import UsageError
from content.secrets import printable
from content.sources.feed import FeedKind
from content.sources.kinds import Parser, Read, ReadContext, SourceKind
from content.sources.markdown import MarkdownKind
from content.sources.updates import UpdatesKind

__all__ = ["KINDS", "Parser", "Read", "ReadContext", "SourceKind", "kind_named", "kind_of", "normalise"]

KINDS: tuple[SourceKind, ...] = (UpdatesKind(), MarkdownKind(), FeedKind())


def kind_of(url: str) -> SourceKind:
    """The kind of source that `url` names. Raises UsageError."""
    for kind in KINDS:
        if kind.accepts(url.strip()):
            return kind
    raise UsageError(
        "“{text}” is not a source: "
        "give the URL of a feed (https://example.org/feed.xml) or the path of a folder (./posts)",
        text=printable(url.strip())[:200],
    )


def kind_named(name: str) -> SourceKind:
    """The kind of a stored source."""
    return next(kind for kind in KINDS if kind.name == name)


def normalise(url: str) -> str:
    """`url` in the form in which it is stored. Raises UsageError when it names no source."""
    return kind_of(url).normalise(url.strip())
