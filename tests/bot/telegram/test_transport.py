"""The HTTP of the bot: what was sent, what may have been, and that the token stays out of sight."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from aiohttp import BodyPartReader, encode_basic_auth, web
from telegram import Bot, InputFile
from telegram.error import TelegramError
from telegram.request import RequestData
from telegram.request._requestparameter import RequestParameter

from bot.logs import NOISY
from bot.platforms.telegram.transport import READ_TIMEOUT, AiohttpRequest, NeverSent, Uncertain
from tests.emulators.base import Answer, Fault
from tests.emulators.telegram import TelegramEmulator
from tests.emulators.telegram.faults import (
    bad_gateway,
    delayed,
    delivered_then_dropped,
    dropped,
    html,
    refused,
)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

SHORT = 0.2  # seconds


@pytest_asyncio.fixture
async def request_() -> AsyncIterator[AiohttpRequest]:
    made = AiohttpRequest()
    await made.initialize()
    yield made
    await made.shutdown()


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """A server that answers with this handler; its URL."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def get_me(request: AiohttpRequest, tg: TelegramEmulator) -> tuple[int, bytes]:
    return await request.do_request(f"{tg.url}/bot{tg.token}/getMe", "POST")


async def test_a_request_brings_status_and_body(request_: AiohttpRequest, tg: TelegramEmulator) -> None:
    status, body = await get_me(request_, tg)
    assert (status, json.loads(body)["result"]["username"]) == (200, "skywave_test_bot")
    tg.faults.add(refused("chat-not-found"))
    status, body = await get_me(request_, tg)
    assert (status, json.loads(body)["description"]) == (400, "Bad Request: chat not found")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(
    request_: AiohttpRequest, tg: TelegramEmulator, status: int
) -> None:
    answer = Answer(status, b"<html>Sign in</html>", "text/html", (("Location", "/elsewhere"),))
    tg.faults.add(Fault(processed=False, answer=answer))
    with pytest.raises(Uncertain):
        await get_me(request_, tg)
    assert len(tg.transcript.entries) == 1


@pytest.mark.parametrize(
    "fault",
    [
        dropped(),
        delivered_then_dropped(),
        bad_gateway(),
        html(),
        refused("server-error"),
        Fault(processed=False, answer=Answer(503, b'{"ok":false}')),
        Fault(processed=False, answer=Answer(200, b"[1]")),
        Fault(processed=False, answer=Answer(200, b"")),
        Fault(processed=False, answer=Answer(200, b'{"ok":true}')),
        Fault(processed=False, answer=Answer(404, b"<html>", "text/html")),
    ],
    ids=["reset", "reset-after", "502", "html", "500", "503", "list", "empty", "bare", "404-html"],
)
async def test_what_is_no_answer_is_uncertain(
    request_: AiohttpRequest, tg: TelegramEmulator, fault: Fault
) -> None:
    tg.faults.add(fault)
    with pytest.raises(Uncertain):
        await get_me(request_, tg)


async def test_a_late_answer_is_uncertain(request_: AiohttpRequest, tg: TelegramEmulator) -> None:
    late = asyncio.Event()
    tg.faults.add(delayed(late))
    with pytest.raises(Uncertain, match="SocketTimeoutError"):
        await request_.do_request(f"{tg.url}/bot{tg.token}/getMe", "POST", None, SHORT, SHORT, SHORT, SHORT)
    late.set()


async def test_a_refused_connection_was_never_sent(request_: AiohttpRequest, tg: TelegramEmulator) -> None:
    await tg.stop()
    with pytest.raises(NeverSent):
        await get_me(request_, tg)


async def test_no_free_connection_was_never_sent(tg: TelegramEmulator) -> None:
    request, hold = AiohttpRequest(connections=1), asyncio.Event()
    await request.initialize()
    tg.faults.add(Fault(hold=hold))
    first = asyncio.create_task(get_me(request, tg))
    await tg.wait_for(lambda: tg.requests("getMe") or None)
    with pytest.raises(NeverSent):
        await request.do_request(f"{tg.url}/bot{tg.token}/getMe", "POST", None, SHORT, SHORT, SHORT, SHORT)
    hold.set()
    assert (await first)[0] == 200
    assert len(tg.requests("getMe")) == 1
    await request.shutdown()


async def test_a_closed_transport_sends_nothing(tg: TelegramEmulator) -> None:
    request = AiohttpRequest()
    with pytest.raises(NeverSent):
        await get_me(request, tg)
    await request.initialize()
    await request.shutdown()
    await request.shutdown()
    with pytest.raises(NeverSent):
        await get_me(request, tg)


def test_a_silent_hold_is_outlasted() -> None:
    """The server holds a request for up to 8 s before it refuses it; many of them may queue behind."""
    assert AiohttpRequest().read_timeout == READ_TIMEOUT >= 20


async def test_a_file_is_uploaded(request_: AiohttpRequest) -> None:
    received: dict[str, tuple[str | None, str | None, bytes]] = {}

    async def take(request: web.BaseRequest) -> web.StreamResponse:
        reader = await request.multipart()
        while (part := await reader.next()) is not None:
            assert isinstance(part, BodyPartReader)
            received[str(part.name)] = (part.filename, part.headers.get("Content-Type"), await part.read())
        return web.json_response({"ok": True, "result": True})

    photo = InputFile(b"\x89PNG\r\n\x1a\n\x00\xff", filename="天线.png")
    parameters = [RequestParameter.from_input("chat_id", 7), RequestParameter.from_input("photo", photo)]
    async with serving(take) as url:
        status, _ = await request_.do_request(f"{url}/sendPhoto", "POST", RequestData(parameters))
    assert status == 200
    _, _, chat_id = received.pop("chat_id")
    assert chat_id == b"7"
    (upload,) = received.values()
    assert upload == ("天线.png", "image/png", b"\x89PNG\r\n\x1a\n\x00\xff")


async def test_proxies_of_the_environment_are_not_used(
    request_: AiohttpRequest, tg: TelegramEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert (await get_me(request_, tg))[0] == 200


async def test_the_token_is_in_no_error_and_no_log(
    tg: TelegramEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in NOISY:
        caplog.set_level(logging.WARNING, name)  # as logs.configure does
    request = AiohttpRequest(read_timeout=0.2)
    await request.initialize()
    bot = Bot(tg.token, base_url=f"{tg.url}/bot", request=request)
    late = asyncio.Event()
    troubles = [dropped(), bad_gateway(), html(), delayed(late), refused("conflict"), refused("server-error")]
    told: list[str] = []
    for fault in troubles:
        tg.faults.add(fault)
        told.append(await _trouble(bot))
    await tg.stop()
    told.append(await _trouble(bot))
    await request.shutdown()
    told.append(await _trouble(bot))
    late.set()
    assert len(told) == len(troubles) + 2
    secret = tg.token.partition(":")[2]
    assert not [text for text in (*told, caplog.text) if secret in text]


async def _trouble(bot: Bot) -> str:
    """All that an error and its causes say."""
    with pytest.raises(TelegramError) as caught:
        await bot.send_message(1, "hello")
    told: list[str] = []
    error: BaseException | None = caught.value
    while error is not None:
        told += [str(error), repr(error)]
        error = error.__cause__ or error.__context__
    return " ".join(told)


async def test_every_request_goes_through_the_proxy_that_is_set(tg: TelegramEmulator) -> None:
    asked: list[tuple[str, str]] = []

    async def pass_on(request: web.BaseRequest) -> web.Response:
        asked.append((str(request.raw_path), request.headers.get("Proxy-Authorization", "")))
        return web.json_response({"ok": True, "result": {"via": "proxy"}})

    async with serving(pass_on) as proxy:
        request = AiohttpRequest(proxy=proxy.replace("//", "//reader:word@"))
        await request.initialize()
        _, body = await get_me(request, tg)
        await request.shutdown()
    assert json.loads(body)["result"] == {"via": "proxy"}
    assert asked == [(f"{tg.url}/bot{tg.token}/getMe", encode_basic_auth("reader", "word"))]
    assert not tg.requests("getMe")


@pytest.mark.parametrize("status", [403, 407])
async def test_what_a_proxy_refuses_did_not_leave(status: int) -> None:
    async def refuse(request: web.BaseRequest) -> web.Response:
        return web.Response(status=status)

    async with serving(refuse) as proxy:
        request = AiohttpRequest(proxy=proxy)
        await request.initialize()
        with pytest.raises(NeverSent, match=f"SKYWAVE_PROXY refuses Telegram with {status}"):
            await request.do_request("https://api.telegram.org/bot1:TEST/getMe", "POST")
        await request.shutdown()


async def test_a_proxy_that_is_not_there_is_told_and_its_password_is_not() -> None:
    async with serving(_never) as gone:
        pass
    request = AiohttpRequest(proxy=gone.replace("//", "//reader:word@"))
    await request.initialize()
    with pytest.raises(NeverSent, match="SKYWAVE_PROXY cannot be reached") as caught:
        await request.do_request("https://api.telegram.org/bot1:TEST/getMe", "POST")
    await request.shutdown()
    assert "word" not in str(caught.value)


async def _never(request: web.BaseRequest) -> web.Response:
    raise AssertionError
