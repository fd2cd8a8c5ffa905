"""HTTP for python-telegram-bot on aiohttp. Its default, httpx, collapses under concurrency.

Errors say whether Telegram may have processed the request: not after `NeverSent`, possibly after `Uncertain`.
Both derive from python-telegram-bot's own errors, so that the library passes them on.
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

# Seconds, as all time-outs here. It is long because the server may delay a request for up to 8 s near a flood
# limit, and then still sends the message.
READ_TIMEOUT = 25.0
CONNECT_TIMEOUT = 10.0
WRITE_TIMEOUT = 20.0
CONNECTIONS = 128
KEEPALIVE = 60.0

T = TypeVar("T")


class NeverSent(NetworkError):
    """The request was not sent, because there was no connection."""


class Uncertain(TimedOut):
    """The request may have been processed: a read time-out, a reset, a 5xx, a body that is not JSON."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


def _given(value: ODVInput[float], default: float) -> float:
    return value if isinstance(value, int | float) else default


class AiohttpRequest(BaseRequest):
    """A pool of connections. Sends and long polls use one each, so a poll takes no connection from a send.

    `read_timeout` is in seconds. `proxy` is the URL of an HTTP proxy; the environment's variables for proxies
    are ignored.
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
        """Make one HTTP request; returns its status and body. Raises NeverSent and Uncertain."""
        if self._session is None:
            raise NeverSent("the connection to Telegram is closed")
        connect = _given(connect_timeout, CONNECT_TIMEOUT)
        until_connected = connect + _given(pool_timeout, CONNECT_TIMEOUT)
        read = _given(read_timeout, self._read_timeout)
        timeout = aiohttp.ClientTimeout(
            # aiohttp has no time-out for writing, so the total allows for it.
            total=until_connected + _given(write_timeout, WRITE_TIMEOUT) + read,
            connect=until_connected,
            sock_connect=connect,
            sock_read=read,
        )
        try:
            # Telegram never redirects. A captive portal may, and must not get the token.
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
            # Only the exception's type, because its text may contain the URL and with it the token.
            raise Uncertain(f"the connection to Telegram broke: {type(exc).__name__}") from exc
        is_file = method == "GET"  # files alone are fetched with GET
        if response.status >= 500 or not (is_file or _is_answer(response.status, payload)):
            raise Uncertain(f"Telegram answered {response.status} without a result")
        return response.status, payload


async def call(bot: Bot, method: str, given: Mapping[str, object]) -> object:
    """Call a method of the Bot API; returns its `result` as plain JSON. Raises TelegramError."""
    parameters = [RequestParameter.from_input(k, v) for k, v in given.items() if v is not None]
    return await bot.request.post(f"{bot.base_url}/{method}", RequestData(parameters))


def _is_answer(status: int, payload: bytes) -> bool:
    """Whether a body is an answer of the Bot API: a proxy or captive portal may have answered instead."""
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
    form = aiohttp.FormData(quote_fields=False)  # quoted file names would show percent signs
    for name, value in request_data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime_type) in request_data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=mime_type)
    return form
