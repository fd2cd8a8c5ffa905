"""What Discord's errors become. What follows from each class is tested in test_sending."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest

from bot.platforms.discord.errors import is_late, send_error
from scheduler.errors import (
    Ambiguous,
    ChatGone,
    ChatPaused,
    ContentRejected,
    PlatformStopped,
    RateLimited,
    RateScope,
    Refused,
    SendError,
)
from tests.emulators.discord.content import read_draft
from tests.emulators.discord.faults import REFUSALS
from tests.emulators.discord.mentions import EVERYTHING
from tests.emulators.discord.types import COMPONENTS_V2, ApiError, Json


def gallery(url: str) -> Json:
    return {"type": 12, "items": [{"media": {"url": url}}]}


def http_error(status: int, data: Any, **headers: str) -> discord.HTTPException:
    response: Any = SimpleNamespace(status=status, reason="", headers=headers)
    return discord.HTTPException(response, data)


def coded(code: int) -> discord.HTTPException:
    status, message = REFUSALS[code]
    return http_error(status, {"code": code, "message": message}, Via="1.1 google")


CLASSES: dict[type[SendError], tuple[int, ...]] = {
    ChatGone: (10003, 10004, 50007, 50278),
    ChatPaused: (50001, 50013, 160005, 50008, 50024, 40067),
    ContentRejected: (50035, 50006, 40005, 200000, 240000),
    RateLimited: (20016, 20028, 40062),
    Refused: (130000,),
}


@pytest.mark.parametrize(("meaning", "code"), [(m, code) for m, codes in CLASSES.items() for code in codes])
def test_a_refusal_means(meaning: type[SendError], code: int) -> None:
    error = send_error(coded(code))
    assert type(error) is meaning
    assert isinstance(error, RateLimited) or REFUSALS[code][1] in str(error)
    if isinstance(error, ContentRejected):
        assert error.final == (code in (200000, 240000))


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
def test_a_proxys_page_is_an_unknown_outcome_in_one_line(status: int) -> None:
    error = send_error(http_error(status, "<html>\n<h1>Bad</h1>\n</html>"))
    assert isinstance(error, Ambiguous)
    assert str(error) == f"Discord answered {status}"


def test_a_page_that_refuses_says_its_status() -> None:
    error = send_error(http_error(403, "<html>\nAccess denied</html>"))
    assert isinstance(error, ChatPaused)
    assert str(error) == "HTTP 403"


def test_the_faults_of_a_form_are_one_line() -> None:
    known = {"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length."}
    data = {"code": 50035, "message": "Invalid Form Body", "errors": {"content": {"_errors": [known]}}}
    error = send_error(http_error(400, data))
    assert isinstance(error, ContentRejected)
    assert str(error) == "Invalid Form Body In content: Must be 2000 or fewer in length."


@pytest.mark.parametrize(
    ("body", "media"),
    [
        ({"flags": COMPONENTS_V2, "components": [gallery("https://[::1")]}, True),
        ({"flags": COMPONENTS_V2, "components": [gallery("attachment://a.png")]}, True),
        ({"embeds": [{"description": "a", "image": {"url": "data:x"}}]}, True),
        ({"flags": COMPONENTS_V2, "components": [gallery("data:x"), {"type": 10, "content": ""}]}, False),
        ({"embeds": [{"description": "x" * 5000, "image": {"url": "https://e.org/i.png"}}]}, False),
    ],
)
def test_only_wrong_pictures_leave_the_rest_of_the_message(body: Json, media: bool) -> None:
    with pytest.raises(ApiError) as refused:
        read_draft(body, (), EVERYTHING)
    error = send_error(http_error(refused.value.status, refused.value.body))
    assert isinstance(error, ContentRejected) and error.media is media


@pytest.mark.parametrize(
    ("code", "scope"), [(0, RateScope.PLATFORM), (20016, RateScope.CHAT), (40062, RateScope.CHAT)]
)
def test_a_rate_limit_with_a_code_is_that_of_a_channel(code: int, scope: RateScope) -> None:
    error = send_error(http_error(429, {"code": code, "message": "slow"}, Via="x", **{"Retry-After": "7.5"}))
    assert isinstance(error, RateLimited)
    assert (error.scope, error.retry_after) == (scope, timedelta(seconds=7.5))


def test_a_block_of_the_address_is_waited_out_longer() -> None:
    error = send_error(http_error(429, "error code: 1015"))
    assert isinstance(error, RateLimited)
    assert (error.scope, error.retry_after) == (RateScope.PLATFORM, timedelta(minutes=1))


def test_an_overload_has_done_nothing() -> None:
    assert isinstance(send_error(coded(130000)), Refused)


@pytest.mark.parametrize("code", [40001, 50014])
def test_a_refused_token_says_what_to_do(code: int) -> None:
    error = send_error(coded(code))
    assert isinstance(error, PlatformStopped)
    assert "SKYWAVE_DISCORD_TOKEN" in str(error)


def test_what_never_left_is_not_unknown() -> None:
    key: Any = SimpleNamespace(host="discord.com", port=443, ssl=True)
    assert isinstance(send_error(aiohttp.ClientConnectorError(key, OSError())), Refused)
    assert isinstance(send_error(aiohttp.ServerDisconnectedError()), Ambiguous)
    assert isinstance(send_error(TimeoutError()), Ambiguous)


def test_nobody_waits_for_late_replies() -> None:
    assert [code for code in REFUSALS if is_late(coded(code))] == [10008, 10015, 10062, 40060, 50027]
