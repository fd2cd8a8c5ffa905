"""What a kind of source is: it recognises URLs, brings them into one form, and reads them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ParamSpec, Protocol, TypeVar, TypeVarTuple

from content.edge import guarded
from content.fetch import Fetcher
from content.types import ParsedSource, Validators

P = ParamSpec("P")
T = TypeVar("T")
Args = TypeVarTuple("Args")


class Run(Protocol):
    """Calls a function away from the event loop."""

    async def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...


class Parser(Protocol):
    """Calls a function on outside text where it can be killed."""

    async def call(self, source: str, function: Callable[[*Args], T], *args: *Args) -> T:
        """What `function` makes of `source`. Raises SourceError."""
        ...


@dataclass(frozen=True, slots=True)
class ReadContext:
    """What a kind needs to read: the network, and a place for work that takes more than a millisecond.

    `large` is held by who has a large body in memory, so that many of them at once do not fill it.
    `max_posts` is how many posts one read gives at most, the newest. Without a `parser`, `run` parses too.
    """

    fetcher: Fetcher
    run: Run = asyncio.to_thread
    max_posts: int = 500
    parser: Parser | None = None
    large: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def parse(self, source: str, function: Callable[[*Args], T], *args: *Args) -> T:
        """What `function` makes of `source`. Raises SourceError, whatever goes wrong in there."""
        if self.parser is None:
            return await self.run(lambda: guarded(source, function, *args))
        return await self.parser.call(source, function, *args)


@dataclass(frozen=True, slots=True)
class Read:
    """One read of a source: `parsed` is None when nothing has changed; `url` is that after redirects.

    `moved` is the URL, in its stored form, that the server names for good; empty if it names none.
    """

    parsed: ParsedSource | None
    validators: Validators
    url: str
    moved: str = ""


class SourceKind(Protocol):
    @property
    def name(self) -> str:
        """The word in the store and in commands."""
        ...

    def accepts(self, url: str) -> bool:
        """Whether `url`, as a person typed it, names a source of this kind."""
        ...

    def normalise(self, url: str) -> str:
        """The one form in which `url`, which is accepted, is stored."""
        ...

    async def read(self, url: str, validators: Validators, context: ReadContext) -> Read:
        """Reads the source. Raises SourceError."""
        ...
