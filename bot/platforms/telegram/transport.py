"""HTTP for python-telegram-bot on aiohttp, in place of its default, which collapses under concurrency.

What went wrong is told apart by whether the request can have been processed: `NeverSent` when it did not
leave, `Uncertain` when nobody can know. Both are python-telegram-bot's errors, so that it passes them on.
"""

import json
from collections.abc import Mapping
from typing import TypeVar

import aiohttp
from telegram import Bot
from telegram._utils.types import ODVInput
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData
from telegram.request._requestparameter import RequestParameter

# The server holds a request silently for up to 8 s before it admits a flood wait, and then still sends it.
READ_TIMEOUT = 25.0
CONNECT_TIMEOUT = 10.0
WRITE_TIMEOUT = 20.0
CONNECTIONS = 128
KEEPALIVE = 60.0

T = TypeVar("T")


class NeverSent(NetworkError):
    """The request did not leave: no connection could be had."""


class Uncertain(TimedOut):
    """The request may have been processed: a read time-out, a reset, a 5xx, a body that is not JSON."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


def _given(value: ODVInput[float], default: float) -> float:
    return value if isinstance(value, int | float) else default


class AiohttpRequest(BaseRequest):
    """One pool of connections; sends and long polls each get their own. `read_timeout` is in seconds.

    `proxy` is the URL of an HTTP proxy; variables of the environment are not looked at.
    """

    def __init__(
        self,
        *,
        connections: int = CONNECTIONS,
        read_timeout: float = READ_TIMEOUT,
        proxy: str | None = None,
    ) -> None:
        self._connections, self._read_timeout, self._proxy = connections, read_timeout, proxy
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        return self._read_timeout

    async def initialize(self) -> None:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=KEEPALIVE)
            self._session = aiohttp.ClientSession(connector=connector, trust_env=False)

    async def shutdown(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        write_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        connect_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        pool_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """One HTTP request. Raises NeverSent and Uncertain."""
        if self._session is None:
            raise NeverSent("the connection to Telegram is closed")
        connect = _given(connect_timeout, CONNECT_TIMEOUT)
        until_connected = connect + _given(pool_timeout, CONNECT_TIMEOUT)
        read = _given(read_timeout, self._read_timeout)
        timeout = aiohttp.ClientTimeout(
            # aiohttp has no limit of its own for writing.
            total=until_connected + _given(write_timeout, WRITE_TIMEOUT) + read,
            connect=until_connected,
            sock_connect=connect,
            sock_read=read,
        )
        try:
            # Telegram redirects nobody; a portal that does is no place for a token.
            async with self._session.request(
                method,
                url,
                data=_body(request_data),
                timeout=timeout,
                allow_redirects=False,
                proxy=self._proxy,
            ) as response:
                payload = await response.read()
        except aiohttp.ClientProxyConnectionError as exc:
            raise NeverSent("the proxy of SKYWAVE_PROXY cannot be reached: check that it runs") from exc
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as exc:
            raise NeverSent(f"Telegram cannot be reached: {type(exc).__name__}") from exc
        except aiohttp.ClientHttpProxyError as exc:
            raise NeverSent(f"the proxy of SKYWAVE_PROXY refuses Telegram with {exc.status}") from exc
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            # The exception's text may hold the URL, and so the token: its type has to do.
            raise Uncertain(f"the connection to Telegram broke: {type(exc).__name__}") from exc
        if response.status >= 500 or not _is_answer(response.status, payload):
            raise Uncertain(f"Telegram answered {response.status} without a result")
        return response.status, payload


async def call(bot: Bot, method: str, given: Mapping[str, object]) -> object:
    """Call a method of the Bot API; returns the result as it comes. Raises TelegramError."""
    parameters = [RequestParameter.from_input(k, v) for k, v in given.items() if v is not None]
    return await bot.request.post(f"{bot.base_url}/{method}", RequestData(parameters))


def _is_answer(status: int, payload: bytes) -> bool:
    """Whether Telegram wrote it: a proxy or portal on the way may answer in its place."""
    try:
        answer = json.loads(payload)
    except ValueError:
        return False
    return isinstance(answer, dict) and (status != 200 or "result" in answer)


def _body(request_data: RequestData | None) -> aiohttp.FormData | dict[str, str] | None:
    if request_data is None:
        return None
    if not request_data.contains_files:
        return request_data.json_parameters
    form = aiohttp.FormData(quote_fields=False)  # Telegram would show the percent signs
    for name, value in request_data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime_type) in request_data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=mime_type)
    return form
