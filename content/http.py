"""Fetch a URL with a conditional request, guarded against private addresses, limited in size and time."""

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from io import BytesIO
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from content.address import Network, RefusedConnection, guarded_sockets
from content.errors import AddressRefused, FetchError, NoSuchServer, SourceError, SourceGone, Unreachable
from content.fetch import LARGE, Fetched, LargeBody, ServerBusy
from content.hints import HINTING, header_hints
from content.secrets import printable
from content.types import NO_HINTS, Hints, Validators
from content.urls import is_web_url

USER_AGENT = "Skywave (feed reader)"
ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, "
    "application/json;q=0.9, text/xml;q=0.9, */*;q=0.5"
)
MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
MAX_HEADER = 1000  # characters of a header that is stored; validators and media types are far shorter
_LONGEST_WAIT = timedelta(days=1)  # a longer Retry-After is cut to this


def _now() -> datetime:
    return datetime.now(UTC)


class HttpFetcher:
    """Fetches over one aiohttp session, which the first call opens and `close` closes.

    `allowed_networks` may be connected to although they are private. `max_bytes` limits the decompressed
    body, `timeout` a whole call with all redirects. `resolver` looks addresses up; None is the system's.
    """

    def __init__(
        self,
        allowed_networks: Iterable[Network] = (),
        user_agent: str = USER_AGENT,
        max_bytes: int = 10 * 1024 * 1024,
        timeout: timedelta = timedelta(seconds=20),
        connect_timeout: timedelta = timedelta(seconds=10),
        resolver: AbstractResolver | None = None,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._allowed = tuple(allowed_networks)
        self._user_agent = user_agent
        self._max_bytes = max_bytes
        self._timeout = timeout
        self._connect_timeout = connect_timeout
        self._resolver = resolver
        self._now = now
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, url: str, validators: Validators, *, large: bool = False) -> Fetched:
        """See Fetcher. Raises FetchError and its subclasses, and AddressRefused."""
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                return await self._follow(url, validators, large)
        except SourceError:
            raise
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as exc:
            raise self._explain(url, exc) from exc

    async def ask(
        self, url: str, headers: Mapping[str, str], body: bytes | None = None, *, max_bytes: int = LARGE
    ) -> Fetched:
        """See Fetcher. Raises FetchError and its subclasses, and AddressRefused."""
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                return await self._ask(url, headers, body, max_bytes)
        except SourceError:
            raise
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as exc:
            raise self._explain(url, exc) from exc

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    socket_factory=guarded_sockets(self._allowed), resolver=self._resolver
                ),
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=self._connect_timeout.total_seconds()
                ),  # `fetch` limits the total time
                headers={
                    "User-Agent": self._user_agent,
                    "Accept": ACCEPT,
                    "Accept-Encoding": "gzip, deflate",
                },
                cookie_jar=aiohttp.DummyCookieJar(),  # sources must not share cookies
                trust_env=False,  # through a proxy, the guard would not see the address of the source
            )
        return self._session

    async def _follow(self, url: str, validators: Validators, large: bool) -> Fetched:
        # Redirects are followed here, not by aiohttp, so that each URL is checked and permanent ones are
        # known. `moved` is the last target that only permanent redirects have led to.
        target, moved, is_permanent = url, "", True
        for _ in range(MAX_REDIRECTS + 1):
            _check(target)
            async with self._open().get(
                URL(target), headers=_conditions(validators), allow_redirects=False
            ) as response:
                location = response.headers.get("Location")
                if response.status not in _REDIRECTS or not location:
                    return await self._fetched(response, validators, large, moved)
                target = str(response.url.join(URL(location)))
                is_permanent = is_permanent and response.status in (301, 308)
                moved = target if is_permanent else moved
        raise _too_many_redirects(url)

    async def _ask(self, url: str, headers: Mapping[str, str], body: bytes | None, max_bytes: int) -> Fetched:
        # Of a POST, only 307 and 308 repeat the method and the body (RFC 9110, section 15.4).
        method, followed = ("GET", _REDIRECTS) if body is None else ("POST", (307, 308))
        target, moved, is_permanent = url, "", True
        for _ in range(MAX_REDIRECTS + 1):
            _check(target)
            async with self._open().request(
                method, URL(target), data=body, headers=headers, allow_redirects=False
            ) as response:
                location = response.headers.get("Location")
                if response.status in followed and location:
                    target = str(response.url.join(URL(location)))
                    is_permanent = is_permanent and response.status in (301, 308)
                    moved = target if is_permanent else moved
                    continue
                if not 200 <= response.status < 300:
                    raise _refusal(response, self._now())
                answer = await _limited(response, max_bytes)
                answered = _header(response.headers.get("Content-Type", ""))
                return Fetched(str(response.url), answer, answered, Validators(), moved)
        raise _too_many_redirects(url)

    async def _fetched(
        self, response: aiohttp.ClientResponse, validators: Validators, large: bool, moved: str
    ) -> Fetched:
        hints = _hints(response, self._now)
        unchanged = Fetched(str(response.url), None, "", validators, moved, hints)
        if response.status == 304:
            return unchanged
        if response.status != 200:
            raise _refusal(response, self._now())
        body = await self._body(response, large)
        # Many servers send neither ETag nor Last-Modified: then equal bytes mean that nothing has changed.
        # Of a large body that takes 10 ms, so it is done in a thread.
        content_hash = await asyncio.to_thread(_hash, body) if large else _hash(body)
        if content_hash == validators.content_hash:
            return unchanged
        headers = response.headers
        return Fetched(
            url=str(response.url),
            body=body,
            content_type=_header(headers.get("Content-Type", "")),
            validators=Validators(
                _header(headers.get("ETag", "")), _header(headers.get("Last-Modified", "")), content_hash
            ),
            moved=moved,
            hints=hints,
        )

    async def _body(self, response: aiohttp.ClientResponse, large: bool) -> bytes:
        try:
            return await _limited(response, self._max_bytes if large else min(LARGE, self._max_bytes))
        except LargeBody as exc:
            if not large and self._max_bytes > LARGE:
                raise
            raise FetchError(
                "{url} is larger than {kib} KiB: look for a feed with fewer posts",
                url=printable(str(response.url)),
                kib=self._max_bytes // 1024,
            ) from exc

    def _explain(self, url: str, exc: Exception) -> SourceError:
        """The error of our tree for an exception of aiohttp, with what to do about it."""
        shown = printable(url)
        host = exc.host if isinstance(exc, aiohttp.ClientConnectorError) else urlsplit(url).hostname or ""
        # Errors of DNS and TLS are subclasses of ClientConnectorError, so that one comes last.
        match exc:
            case aiohttp.ClientConnectorError(os_error=RefusedConnection() as refused):
                return AddressRefused(
                    "{host}: {address} is not a public address; "
                    "to allow it, add its network to SKYWAVE_ALLOWED_NETWORKS",
                    host=host,
                    address=refused.address,
                )
            case TimeoutError():
                return Unreachable(
                    "{url} did not answer within {seconds} s: it is tried again later",
                    url=shown,
                    seconds=f"{self._timeout.total_seconds():g}",
                )
            case aiohttp.ClientConnectorDNSError():
                return NoSuchServer(
                    "{url}: no address is known for {host}: check the host name", url=shown, host=host
                )
            case aiohttp.ClientSSLError():
                return NoSuchServer(
                    "{url}: no secure connection to {host}: check its certificate", url=shown, host=host
                )
            case aiohttp.ClientConnectorError():
                return Unreachable(
                    "{url}: cannot connect to {host}: it is tried again later", url=shown, host=host
                )
            case aiohttp.InvalidURL() | ValueError():
                return FetchError("{url} is not a usable URL: check the address", url=shown)
            case _:
                return Unreachable(
                    "{url}: the answer broke off or is not HTTP: it is tried again later", url=shown
                )


async def _limited(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The decompressed body. Raises LargeBody if it has more than `most` bytes."""
    # Counted while it arrives: a Content-Length may be missing, wrong, or that of the compressed body.
    body = BytesIO()
    async for chunk in response.content.iter_any():
        body.write(chunk)
        if body.tell() > most:
            response.close()
            raise LargeBody(
                "{url} is larger than {kib} KiB", url=printable(str(response.url)), kib=most // 1024
            )
    return body.getvalue()  # without a copy


def _hash(body: bytes) -> str:
    return blake2b(body, digest_size=16).hexdigest()


def _check(url: str) -> None:
    """Raises FetchError for a URL of another scheme, which a redirect may lead to."""
    if not is_web_url(url):
        raise FetchError("{url} is not an http or https URL: check the address", url=printable(url))


def _too_many_redirects(url: str) -> FetchError:
    return FetchError(
        "{url} redirects more than {count} times: check the address", url=printable(url), count=MAX_REDIRECTS
    )


def _conditions(validators: Validators) -> dict[str, str]:
    """The headers of a conditional request (RFC 9110, section 13.1)."""
    pairs = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
    return {name: value for name, value in pairs.items() if _header(value)}


def _header(value: str) -> str:
    """A header's value if it can be stored and sent back, else an empty text.

    aiohttp decodes bytes that are not UTF-8 as surrogates, which no database stores.
    """
    return value if len(value) <= MAX_HEADER and value.isprintable() else ""


def _hints(response: aiohttp.ClientResponse, now: Callable[[], datetime]) -> Hints:
    headers = {name: ", ".join(response.headers.getall(name)) for name in HINTING if name in response.headers}
    return header_hints(headers, str(response.url), now()) if headers else NO_HINTS


def _refusal(response: aiohttp.ClientResponse, now: datetime) -> FetchError:
    """The error of a status that is neither 200 nor 304, with what to do about it."""
    status, url = response.status, printable(str(response.url))
    wait = _retry_after(response.headers.get("Retry-After", ""), now)
    if status in (429, 503) or (status == 403 and wait is not None):
        return ServerBusy(
            "{url} answered {status}: the server is busy, it is tried again later",
            wait,
            url=url,
            status=status,
        )
    if status in (401, 403, 407):
        return FetchError(
            "{url} answered {status}: access is refused, check whether the feed is public",
            url=url,
            status=status,
        )
    if status == 410:
        return SourceGone(
            "{url} answered {status}: it is gone for good, look for its new address", url=url, status=status
        )
    if status >= 500:
        return ServerBusy(
            "{url} answered {status}: the server has a problem, it is tried again later",
            wait,
            url=url,
            status=status,
        )
    return FetchError("{url} answered {status}: check the address", url=url, status=status)


def _retry_after(value: str, now: datetime) -> timedelta | None:
    """The wait of a Retry-After header, seconds or a date (RFC 9110, section 10.2.3), between 0 and a day."""
    try:
        if value.strip().isdecimal():
            wait = timedelta(seconds=min(math.ceil(float(value)), _LONGEST_WAIT.total_seconds()))
        else:
            wait = parsedate_to_datetime(value).astimezone(UTC) - now
    except (ValueError, OverflowError):
        return None
    return min(max(wait, timedelta()), _LONGEST_WAIT)
