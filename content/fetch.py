"""The port to the web: what a fetch returns and raises. `content/http.py` implements it with aiohttp."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from content.errors import FetchError, NoSuchServer, Unreachable
from content.types import NO_HINTS, Hints, Validators

if TYPE_CHECKING:
    from content.address import Network
    from content.http import HttpFetcher

LARGE = 1024 * 1024  # bytes of a decompressed body; nearly all feeds are smaller


@dataclass(frozen=True, slots=True)
class Fetched:
    """A response: `url` after redirects, `body` decompressed, `content_type` as the server sent it.

    `moved` is the target of permanent redirects (301, 308), empty without one. `body` is None if the content
    has not changed since it had the validators of the request. `hints` are those of the headers.
    """

    url: str
    body: bytes | None
    content_type: str
    validators: Validators
    moved: str = ""
    hints: Hints = NO_HINTS


class ServerBusy(FetchError):
    """The server answered 429 or 5xx. `retry_after` is the wait that it asks for, None if it names none."""

    def __init__(self, message: str, /, retry_after: timedelta | None = None, **values: str | int) -> None:
        super().__init__(message, **values)
        self.retry_after = retry_after


class LargeBody(FetchError):
    """A body is larger than LARGE. The caller may fetch it again when no other large body is in memory."""


class NotGiven(FetchError):
    """The server does not give what was asked for, and says why."""


def is_passing(error: Exception) -> bool:
    """Whether trying again may help: the server is busy or silent, but its name and certificate are valid."""
    return isinstance(error, Unreachable | ServerBusy) and not isinstance(error, NoSuchServer)


class Fetcher(Protocol):
    async def fetch(self, url: str, validators: Validators, *, large: bool = False) -> Fetched:
        """The resource at `url`, without its body if it has not changed since it had these `validators`.

        Raises SourceError; LargeBody if the body is larger than LARGE and `large` is false.
        """
        ...

    async def ask(
        self, url: str, headers: Mapping[str, str], body: bytes | None = None, *, max_bytes: int = LARGE
    ) -> Fetched:
        """The answer to a GET, or to a POST of `body`, with these headers and a 2xx status.

        Raises SourceError; LargeBody if the answer is larger than `max_bytes`.
        """
        ...


class LateFetcher:
    """Makes an HttpFetcher at the first fetch: most commands fetch nothing, and loading aiohttp is slow."""

    def __init__(self, allowed_networks: Iterable["Network"] = ()) -> None:
        self._allowed = tuple(allowed_networks)
        self._made: HttpFetcher | None = None

    async def fetch(self, url: str, validators: Validators, *, large: bool = False) -> Fetched:
        """See Fetcher."""
        return await self._fetcher().fetch(url, validators, large=large)

    async def ask(
        self, url: str, headers: Mapping[str, str], body: bytes | None = None, *, max_bytes: int = LARGE
    ) -> Fetched:
        """See Fetcher."""
        return await self._fetcher().ask(url, headers, body, max_bytes=max_bytes)

    def _fetcher(self) -> "HttpFetcher":
        if self._made is None:
            from content.http import HttpFetcher

            self._made = HttpFetcher(self._allowed)
        return self._made

    async def close(self) -> None:
        if self._made is not None:
            await self._made.close()
