"""Faults, outages, and the errors that the client raises."""

import asyncio
import errno
import json
from collections.abc import Callable

import aiohttp
import pytest
from telegram import Bot
from telegram.error import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from tests.emulators.base import Fault
from tests.emulators.telegram import Chat, TelegramEmulator, faults
from tests.emulators.test_telegram.clients import make_bot

# The library emits a deprecation warning whenever it raises RetryAfter.
pytestmark = pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")

KNOWN = {400: BadRequest, 401: InvalidToken, 403: Forbidden, 404: InvalidToken, 409: Conflict}


async def test_each_error_is_raised_as_the_library_knows_it(
    tg: TelegramEmulator, bot: Bot, chat: Chat
) -> None:
    for kind, (status, *_) in faults.REFUSALS.items():
        tg.faults.add(faults.named(kind), "sendMessage", chat.id)
        with pytest.raises(TelegramError) as caught:
            await bot.send_message(chat.id, "x")
        assert isinstance(caught.value, KNOWN.get(status, NetworkError)), kind
    assert tg.messages(chat) == []


async def test_too_many_requests_say_how_long(tg: TelegramEmulator, bot: Bot, chat: Chat) -> None:
    tg.faults.add(faults.named("retry-after-7"), "sendMessage")
    with pytest.raises(RetryAfter) as caught:
        await bot.send_message(chat.id, "x")
    assert caught.value.retry_after == 7
    tg.faults.add(faults.named("retry-after-7"))
    async with aiohttp.ClientSession() as http, http.get(f"{tg.url}/bot{tg.token}/getMe") as got:
        assert (got.status, got.headers["Retry-After"]) == (429, "7")
        assert (await got.json())["parameters"] == {"retry_after": 7}


def test_a_migration_names_the_new_chat() -> None:
    answer = faults.named("migrated--100123").answer
    assert answer and json.loads(answer.body)["parameters"] == {"migrate_to_chat_id": -100123}


@pytest.mark.parametrize(
    ("kind", "delivered"),
    [("drop", 0), ("delivered-drop", 1), ("bad-gateway", 0), ("html", 0), ("delivered-server-error", 1)],
)
async def test_what_the_client_cannot_tell_apart(
    tg: TelegramEmulator, bot: Bot, chat: Chat, kind: str, delivered: int
) -> None:
    tg.faults.add(faults.named(kind), "sendMessage", chat.id)
    with pytest.raises(TelegramError) as caught:
        await bot.send_message(chat.id, "x")
    assert not isinstance(caught.value, BadRequest | Forbidden)
    assert len(tg.messages(chat)) == delivered
    (request,) = tg.requests("sendMessage")
    assert request.outcome and len(request.outcome.delivered) == delivered
    assert (request.outcome.status is None) == kind.endswith("drop")


async def test_a_dropped_connection_is_reset_not_closed(tg: TelegramEmulator) -> None:
    tg.faults.add(faults.dropped(), "getMe")
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientOSError) as caught:
            await http.post(f"{tg.url}/bot{tg.token}/getMe")
    assert caught.value.errno == errno.ECONNRESET


@pytest.mark.parametrize(("make", "at_once"), [(faults.held, 0), (faults.delayed, 1)])
async def test_a_request_that_timed_out_is_delivered_all_the_same(
    tg: TelegramEmulator, chat: Chat, make: Callable[[asyncio.Event], Fault], at_once: int
) -> None:
    until = asyncio.Event()
    tg.faults.add(make(until), "sendMessage")
    async with make_bot(tg, read_timeout=0.05) as hasty:
        with pytest.raises(TimedOut):
            await hasty.send_message(chat.id, "x")
    assert len(tg.messages(chat)) == at_once
    until.set()
    await tg.wait_for(lambda: tg.messages(chat))
    assert len(tg.requests("sendMessage")) == 1


async def test_faults_are_used_up_and_keep_to_their_chat(tg: TelegramEmulator, bot: Bot, chat: Chat) -> None:
    other = tg.private(tg.user("Ben"))
    tg.faults.add(faults.refused("blocked"), "sendMessage", chat.id, times=2)
    await bot.send_message(other.id, "x")
    for _ in range(2):
        with pytest.raises(Forbidden):
            await bot.send_message(chat.id, "x")
    await bot.send_message(chat.id, "x")
    tg.faults.add(faults.refused("blocked"), "sendMessage", times=None)
    for _ in range(3):
        with pytest.raises(Forbidden):
            await bot.send_message(other.id, "x")
    tg.faults.clear()
    await bot.send_message(other.id, "x")


def test_a_fault_without_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="needs an answer"):
        Fault(processed=False)


async def test_an_outage_keeps_what_was_known(tg: TelegramEmulator, bot: Bot, chat: Chat) -> None:
    await bot.send_message(chat.id, "before")
    await tg.stop()
    with pytest.raises(NetworkError):
        await bot.send_message(chat.id, "meanwhile")
    await tg.start()
    await bot.send_message(chat.id, "after")
    assert [m.text for m in tg.messages(chat)] == ["before", "after"]


async def test_waiting_in_vain_shows_what_happened(tg: TelegramEmulator, bot: Bot, chat: Chat) -> None:
    await bot.send_message(chat.id, "a clue")
    with pytest.raises(TimeoutError, match="a clue"):
        await tg.wait_for(lambda: tg.messages(chat)[1:], timeout=0.01)
