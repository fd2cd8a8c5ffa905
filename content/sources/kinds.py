"""What a kind of source is: it recognises its URLs, brings them into one form, and reads them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ParamSpec, Protocol, TypeVar, TypeVarTuple, runtime_checkable

from content.edge import guarded
from content.errors import SourceError, UsageError
from content.fetch import Fetcher, LargeBody
from content.types import NO_HINTS, Hints, Options, ParsedSource, Validators

P = ParamSpec("P")
T = TypeVar("T")
Args = TypeVarTuple("Args")

Values = Mapping[str, object]

LISTING = "listing"  # the kind of web pages that list posts but have no feed
FULL_TEXT = "full-text"  # the option to get the articles that posts link to, see content/articles.py


Hashes = Mapping[str, str]
NO_HASHES: Hashes = {}


async def no_hashes() -> Hashes:
    """Those of a source without stored posts."""
    return NO_HASHES


class Run(Protocol):
    """Calls a function outside the event loop, for instance in a thread."""

    async def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...


async def in_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function in a thread. asyncio is loaded late: processes that only parse do without it."""
    import asyncio

    return await asyncio.to_thread(function, *args, **kwargs)


def _lock() -> AbstractAsyncContextManager[None]:
    import asyncio

    return asyncio.Lock()


class Parser(Protocol):
    """Calls a function on untrusted text in a process that can be killed."""

    async def call(self, source: str, function: Callable[[*Args], T], *args: *Args) -> T:
        """The result of `function(*args)`; `source` is named in errors. Raises SourceError."""
        ...


@dataclass(frozen=True, slots=True)
class ReadContext:
    """What every kind needs to read a source: the network, and a place for slow work.

    `run` does work that takes more than a millisecond. Untrusted text is parsed by `parser`; without one, by
    `run`. `max_posts` is the most posts that one read returns, the newest. `large` is held while a large body
    is in memory, so that only one is at a time. `now` is the time that "3 days ago" counts from.
    `hashes` tells the raw hashes of the stored posts of the source that is read, by guid: what has not
    changed since need not be parsed.
    """

    fetcher: Fetcher
    run: Run = in_thread
    max_posts: int = 500
    parser: Parser | None = None
    large: AbstractAsyncContextManager[None] = field(default_factory=_lock)
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    hashes: Callable[[], Awaitable[Hashes]] = no_hashes

    async def parse(self, source: str, function: Callable[[*Args], T], *args: *Args) -> T:
        """The result of `function(*args)`. Raises SourceError for any failure of the parser."""
        if self.parser is None:
            return await self.run(lambda: guarded(source, function, *args))
        return await self.parser.call(source, function, *args)

    async def one_large_at_a_time(self, read: Callable[[bool], Awaitable[T]]) -> T:
        """`read(False)`; if a body is too large for that, `read(True)` when no other large body is in memory.

        Raises what `read(True)` raises, and SourceError.
        """
        with suppress(LargeBody):
            return await read(False)
        # The error is gone by now. It held what had arrived of the body, and many may wait here.
        async with self.large:
            return await read(True)


@dataclass(frozen=True, slots=True)
class Read:
    """The result of reading a source: `parsed` is None if the source has not changed.

    `moved` is the URL, in its stored form, of a permanent redirect; empty without one. `hints` are those of
    the answer and, if it has changed, of the source itself. `found` are options that
    the source itself told, besides those that were chosen; a new source is stored with them.
    """

    parsed: ParsedSource | None
    validators: Validators
    moved: str = ""
    hints: Hints = NO_HINTS
    found: Values | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """How a new source is to be read: its kind, empty for what its URL tells, and its options as typed."""

    kind: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


NO_CHOICE = Choice()


class SourceKind(Protocol):
    """One kind of source. It keeps no state: everything about one source is in the arguments."""

    @property
    def name(self) -> str:
        """The word for this kind in the database and on the command line."""
        ...

    @property
    def upgrades(self) -> Sequence[Callable[[Values], Values]]:
        """One function for each version of the options but the newest: it returns the values of the next one.

        A kind whose options have never changed has none, and the version of its options is 1.
        """
        ...

    def accepts(self, url: str) -> bool:
        """Whether `url`, as a person typed it, is a source of this kind.

        Asked once, when it is added, and only if the person chose no kind.
        """
        ...

    def chosen(self, given: Mapping[str, str]) -> Values:
        """The options of a new source, from those that a person typed. Raises UsageError."""
        ...

    def normalise(self, url: str) -> str:
        """The form in which `url` is stored; `accepts` must have been true."""
        ...

    async def read(self, url: str, options: Options, validators: Validators, context: ReadContext) -> Read:
        """Read the source; `options` are those of the newest version. Raises SourceError."""
        ...


@runtime_checkable
class Taking(Protocol):
    """A kind whose sources may send their posts by themselves."""

    async def take(self, url: str, body: bytes, content_type: str, context: ReadContext) -> ParsedSource:
        """Parse what a source has sent. Raises SourceError."""
        ...


def no_options(kind: str, given: Mapping[str, str]) -> Values:
    """The options of a kind that has none. Raises UsageError if any are given."""
    for name in given:
        raise UsageError("a {kind} source has no option {name}: leave it out", kind=kind, name=name[:50])
    return {}


def is_yes(name: str, text: str) -> bool:
    """Whether an option that is yes or no was typed as yes; a flag without a value is. Raises UsageError."""
    match text.strip().lower():
        case "" | "yes" | "on" | "true" | "1":
            return True
        case "no" | "off" | "false" | "0":
            return False
    raise UsageError(
        "“{text}” is not a value of {name}: choose one of {values}",
        text=text[:50],
        name=name,
        values="yes, no",
    )


def new_options(kind: SourceKind, given: Mapping[str, str] | None = None) -> Options:
    """The options of a new source of this kind, in the newest version. Raises UsageError."""
    return Options(len(kind.upgrades) + 1, kind.chosen(given or {}))


def upgraded(kind: SourceKind, options: Options) -> Options:
    """`options` in the newest version of `kind`. Raises SourceError for a version that it does not know."""
    newest = len(kind.upgrades) + 1
    if not 1 <= options.version <= newest:
        raise SourceError(
            "this version of Skywave does not know version {version} of the options of a {kind} source: "
            "install a newer one",
            version=options.version,
            kind=kind.name,
        )
    if options.version == newest:
        return options
    values = options.values
    for upgrade in kind.upgrades[options.version - 1 :]:
        values = upgrade(values)
    return Options(newest, values)
