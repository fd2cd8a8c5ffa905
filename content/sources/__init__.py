"""The kinds of source. A new kind is one module in this package and one entry in KINDS."""

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import cast

from content.errors import SourceError, UsageError
from content.secrets import printable
from content.sources.kinds import (
    NO_CHOICE,
    Choice,
    Hashes,
    Parser,
    Read,
    ReadContext,
    SourceKind,
    Taking,
    new_options,
    upgraded,
)
from content.types import ParsedSource, Source

__all__ = [
    "HYPHENS",
    "KINDS",
    "NO_CHOICE",
    "Choice",
    "Hashes",
    "Parser",
    "Read",
    "ReadContext",
    "SourceKind",
    "choice_of",
    "kind_of",
    "new_options",
    "normalise",
    "read_source",
    "take_pushed",
    "upgraded",
]


class _Kinds(Mapping[str, SourceKind]):
    """Loads a kind when it is first asked for: most commands need none, and parsers are slow to load."""

    def __init__(self, classes: Mapping[str, str]) -> None:
        self._classes = classes
        self._made: dict[str, SourceKind] = {}

    def __getitem__(self, name: str) -> SourceKind:
        if name not in self._made:
            module, _, made = self._classes[name].partition(".")
            self._made[name] = cast(SourceKind, getattr(import_module(f"{__name__}.{module}"), made)())
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)


# The class of each kind. In this order they are asked whether a URL is theirs. What admins write is no kind,
# because it is not read.
KINDS: Mapping[str, SourceKind] = _Kinds(
    {
        "hook": "hooks.HookKind",
        "markdown": "markdown.MarkdownKind",
        "git": "git.GitKind",
        "telegram": "telegram.TelegramKind",
        "feed": "feed.FeedKind",
        "listing": "listing.ListingKind",
    }
)

HYPHENS = "-\u2013\u2014"  # telephones turn two hyphens into a dash


def choice_of(words: Iterable[str]) -> Choice:
    """What a person chose with words like `--listing` and `--branch=main`. Raises UsageError.

    A word without hyphens goes on with the value of the option before it.
    """
    kind, options, name = "", dict[str, str](), ""
    for word in words:
        if options.get(name) and not word.startswith(tuple(HYPHENS)):
            options[name] += f" {word}"
            continue
        name, _, value = word.lstrip(HYPHENS).partition("=")
        if word == name or not name:
            raise UsageError(
                "“{text}” is not an option: options look like {example}",
                text=word[:50],
                example="--name=value",
            )
        if name in KINDS:
            kind = name
        else:
            options[name] = value
    return Choice(kind, options)


def kind_of(url: str, choice: Choice = NO_CHOICE) -> SourceKind:
    """The kind of a new source at `url`: the one that was chosen, or the first that accepts it.

    Raises UsageError.
    """
    if choice.kind:
        return KINDS[choice.kind]
    for kind in KINDS.values():
        if kind.accepts(url.strip()):
            return kind
    raise UsageError(
        "“{text}” is not a source: "
        "give the URL of a feed (https://example.org/feed.xml) or the path of a folder (./posts)",
        text=printable(url.strip())[:200],
    )


def normalise(url: str, choice: Choice = NO_CHOICE) -> str:
    """`url` in the form in which it is stored. Raises UsageError if it names no source."""
    return kind_of(url, choice).normalise(url.strip())


async def read_source(source: Source, context: ReadContext) -> Read:
    """Read a stored source as its kind does. Raises SourceError, also for a kind of a newer version."""
    kind = KINDS.get(source.kind)
    if kind is None:
        raise SourceError(
            "this version of Skywave cannot read a source of kind {kind}: install a newer one",
            kind=source.kind,
        )
    return await kind.read(source.url, upgraded(kind, source.options), source.validators, context)


async def take_pushed(source: Source, body: bytes, content_type: str, context: ReadContext) -> ParsedSource:
    """What a source has sent by itself, as its kind parses it. Raises SourceError."""
    kind: object = KINDS.get(source.kind)
    if not isinstance(kind, Taking):
        raise SourceError("a source of kind {kind} sends nothing by itself", kind=source.kind)
    return await kind.take(source.url, body, content_type, context)
