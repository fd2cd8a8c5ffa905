"""Telegram's answers as errors of the scheduler: every row of what the Bot API is known to say."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from telegram import Bot
from telegram.error import BadRequest, Conflict, InvalidToken, NetworkError, TelegramError

from bot.platforms.telegram.errors import TOGETHER, FloodScope, send_error
from bot.platforms.telegram.transport import AiohttpRequest, NeverSent, Uncertain
from scheduler.errors import (
    Ambiguous,
    ChatGone,
    ChatMoved,
    ChatPaused,
    ContentRejected,
    PlatformStopped,
    RateLimited,
    RateScope,
    Refused,
    SendError,
)
from scheduler.types import Message, Place
from tests.bot.telegram.live import platform_of
from tests.emulators.telegram import Chat, TelegramEmulator
from tests.emulators.telegram.faults import REFUSALS, answers, migrated, refused, too_many

MEANINGS: dict[type[SendError], tuple[str, ...]] = {
    ChatGone: (
        *("blocked", "deactivated", "cannot-initiate", "kicked-group", "kicked-supergroup"),
        *("kicked-channel", "not-member-group", "not-member-supergroup", "not-member-channel"),
        *("group-deleted", "chat-not-found"),
    ),
    ChatPaused: (
        *("thread-not-found", "topic-closed", "no-rights", "need-admin"),
        *("no-write-access", "write-forbidden"),
    ),
    ContentRejected: (
        *("cannot-parse", "too-long", "caption-too-long", "empty", "wrong-file", "url-unreachable"),
        *("photo-dimensions", "webpage-media", "reply-not-found", "edit-not-found", "edit-forbidden"),
        *("delete-not-found", "not-modified", "query-too-old", "rich-photo", "rich-photo-url"),
        *("not-admin", "rich-rights", "photo-rights", "rich-depth", "rich-block"),
    ),
    PlatformStopped: ("unauthorized", "not-found", "method-not-found"),
    Ambiguous: ("server-error", "conflict"),
}

MEDIA_OR_NOT = [
    *(("photo-dimensions", True), ("rich-photo", True), ("rich-photo-url", True), ("rich-rights", True)),
    *(("photo-rights", True), ("wrong-file", True), ("url-unreachable", True), ("webpage-media", True)),
    *(("too-long", False), ("rich-depth", False), ("rich-block", False)),
]


@pytest_asyncio.fixture
async def bot(tg: TelegramEmulator) -> AsyncIterator[Bot]:
    request = AiohttpRequest()
    await request.initialize()
    yield Bot(tg.token, base_url=f"{tg.url}/bot", request=request)
    await request.shutdown()


async def asked(bot: Bot) -> SendError:
    """The error of a request that goes wrong at Telegram."""
    try:
        await bot.send_message(1, "hello")
    except TelegramError as exc:
        return send_error(exc)
    raise AssertionError("nothing went wrong")


def test_every_refusal_has_a_meaning() -> None:
    assert sorted(kind for kinds in MEANINGS.values() for kind in kinds) == sorted(REFUSALS)


async def test_what_each_refusal_means(tg: TelegramEmulator, bot: Bot) -> None:
    meant: dict[str, type[SendError]] = {}
    for kind in REFUSALS:
        tg.faults.add(refused(kind))
        meant[kind] = type(await asked(bot))
    assert meant == {kind: meaning for meaning, kinds in MEANINGS.items() for kind in kinds}


@pytest.mark.parametrize(("kind", "topic_only"), [("topic-closed", True), ("no-rights", False)])
async def test_only_a_topic_is_paused_alone(
    tg: TelegramEmulator, bot: Bot, kind: str, topic_only: bool
) -> None:
    tg.faults.add(refused(kind))
    error = await asked(bot)
    assert isinstance(error, ChatPaused)
    assert error.topic_only is topic_only


async def test_the_picture_is_told_from_the_text(tg: TelegramEmulator, bot: Bot) -> None:
    found = []
    for kind, _ in MEDIA_OR_NOT:
        tg.faults.add(refused(kind))
        error = await asked(bot)
        assert isinstance(error, ContentRejected)
        found.append((kind, error.media))
    assert found == MEDIA_OR_NOT


@pytest.mark.parametrize("seconds", [1, 10072])
async def test_a_flood_wait_is_taken_at_its_word(tg: TelegramEmulator, bot: Bot, seconds: int) -> None:
    tg.faults.add(answers(too_many(seconds)))
    error = await asked(bot)
    assert isinstance(error, RateLimited)
    assert error.retry_after.total_seconds() == seconds


async def test_a_migration_tells_the_new_address(tg: TelegramEmulator, bot: Bot) -> None:
    tg.faults.add(answers(migrated(-1001)))
    error = await asked(bot)
    assert isinstance(error, ChatMoved)
    assert error.address == "-1001"


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (NeverSent("no way"), Refused),
        (Uncertain("who knows"), Ambiguous),
        (NetworkError("?"), Ambiguous),
        (Conflict("two"), Ambiguous),
        (TelegramError("?"), Ambiguous),
        (BadRequest("Something new"), ContentRejected),
    ],
)
def test_what_the_transport_and_the_library_raise(error: TelegramError, meaning: type[SendError]) -> None:
    assert type(send_error(error)) is meaning


def test_a_refused_token_is_not_quoted() -> None:
    error = send_error(InvalidToken("The token `123456:SECRET` was rejected by the server."))
    assert str(error) == "Telegram refuses the token: check SKYWAVE_TELEGRAM_TOKEN"


def test_one_chat_alone_is_too_fast() -> None:
    scope = FloodScope()
    assert [scope.of("1", now, now) for now in (0.0, 0.5, 1.0)] == [RateScope.CHAT] * 3


def test_who_leaves_after_a_flood_wait_and_draws_one_tells_that_it_is_the_bot() -> None:
    scope = FloodScope()
    assert scope.of("1", 0.0, 0.1) is RateScope.CHAT
    assert scope.of("2", 0.2, 0.3) is RateScope.PLATFORM
    assert scope.of("1", 0.3 + TOGETHER, 2.0) is RateScope.PLATFORM
    assert scope.of("2", 2.5 + TOGETHER, 5.0) is RateScope.CHAT


def test_who_left_before_tells_nothing() -> None:
    scope = FloodScope()
    assert scope.of("1", 0.0, 1.0) is RateScope.CHAT
    scope.accepted(0.9)
    assert scope.of("2", 0.9, 1.1) is RateScope.CHAT
    assert scope.of("3", 1.2, 1.3) is RateScope.PLATFORM


def test_an_accepted_message_in_between_tells_that_it_is_not_the_bot() -> None:
    scope = FloodScope()
    assert scope.of("1", 0.0, 1.0) is RateScope.CHAT
    scope.accepted(1.0)
    assert scope.of("2", 1.1, 1.2) is RateScope.CHAT


async def test_the_sender_tells_the_scope_of_flood_waits(tg: TelegramEmulator) -> None:
    first, second, third = (tg.private(tg.user(name)) for name in ("Ann", "Bob", "Cleo"))
    for chat in (first, second):
        tg.faults.add(answers(too_many(5)), "sendMessage", chat.id, times=2)
    message = Message({"text": "hello", "entities": [], "link_preview_options": {}})

    async with platform_of(tg) as platform:

        async def scope(chat: Chat) -> RateScope | None:
            try:
                await platform.say(Place("telegram", str(chat.id)), message)
            except RateLimited as exc:
                return exc.scope
            return None

        asked = [await scope(chat) for chat in (first, second, third, first)]
    assert asked == [RateScope.CHAT, RateScope.PLATFORM, None, RateScope.CHAT]
