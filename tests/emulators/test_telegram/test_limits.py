"""Flood control and latency, with a clock that moves only when somebody sleeps."""

import aiohttp
import pytest
from telegram import InputMediaPhoto
from telegram.error import RetryAfter

from tests.emulators.telegram import Chat, Latency, Limits, TelegramEmulator
from tests.emulators.test_telegram.clients import make_bot

# The library emits a deprecation warning whenever it raises RetryAfter.
pytestmark = pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")

SENT = (200, None)


class Watch:
    """A clock that moves on when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def emulator(watch: Watch, limits: Limits | None, latency: Latency | None = None) -> TelegramEmulator:
    return TelegramEmulator(limits=limits, latency=latency, clock=watch, sleep=watch.sleep)


async def send(tg: TelegramEmulator, chat: Chat) -> tuple[int, str | None]:
    body = {"chat_id": chat.id, "text": "x"}
    session = aiohttp.ClientSession()
    async with session, session.post(f"{tg.url}/bot{tg.token}/sendMessage", json=body) as got:
        return got.status, got.headers.get("Retry-After")


async def test_a_group_gets_twenty_a_minute() -> None:
    watch = Watch()
    async with emulator(watch, Limits()) as tg:
        group = tg.group("Group")
        assert [await send(tg, group) for _ in range(21)] == [SENT] * 20 + [(429, "60")]
        assert await send(tg, tg.group("Other")) == SENT
        assert len(tg.messages(group)) == 20


async def test_a_short_wait_is_held_in_silence() -> None:
    watch = Watch()
    async with emulator(watch, Limits(group=1)) as tg:
        group = tg.group("Group")
        await send(tg, group)
        watch.now = 51.5
        assert await send(tg, group) == (429, "9")
        assert watch.now == 51.5
        watch.now = 52.0
        assert await send(tg, group) == SENT
        assert watch.now == 60.0
        assert tg.flood and (tg.flood.holds, tg.flood.refusals) == (1, 1)


async def test_a_private_chat_gets_a_burst_and_then_one_a_second() -> None:
    watch = Watch()
    async with emulator(watch, Limits()) as tg:
        chat = tg.private(tg.user("Ann"))
        times = []
        for _ in range(6):
            assert await send(tg, chat) == SENT
            times.append(watch.now)
        assert times == [0, 0, 0, 1, 2, 3]


async def test_thirty_a_second_overall() -> None:
    watch = Watch()
    async with emulator(watch, Limits(hold=0)) as tg:
        chats = [tg.private(tg.user(str(n))) for n in range(31)]
        assert [await send(tg, chat) for chat in chats] == [SENT] * 30 + [(429, "1")]
        watch.now = 1.0
        assert await send(tg, chats[30]) == SENT


async def test_every_item_of_an_album_counts() -> None:
    watch = Watch()
    async with emulator(watch, Limits(group=3, hold=0)) as tg, make_bot(tg) as bot:
        group = tg.group("Group")
        photos = [InputMediaPhoto("https://example.org/b.jpg")] * 2
        await bot.send_media_group(group.id, photos)
        with pytest.raises(RetryAfter):
            await bot.send_media_group(group.id, photos)
        await bot.send_message(group.id, "x")
        watch.now = 61.0  # the window has left the first album and the single message behind
        await bot.send_media_group(group.id, photos)


async def test_an_album_waits_until_all_its_items_fit() -> None:
    watch = Watch()
    async with emulator(watch, Limits(group=3, hold=0)) as tg, make_bot(tg) as bot:
        group = tg.group("Group")
        for watch.now in (0.0, 10.0, 20.0):
            await bot.send_message(group.id, "x")
        watch.now = 65.0
        with pytest.raises(RetryAfter, match="Retry in 5 seconds"):
            await bot.send_media_group(group.id, [InputMediaPhoto("https://example.org/b.jpg")] * 2)


async def test_latency_is_the_same_for_the_same_seed() -> None:
    async def elapsed(latency: Latency) -> float:
        watch = Watch()
        async with emulator(watch, None, latency) as tg:
            await send(tg, tg.group("Group"))
        return watch.now

    assert await elapsed(Latency(0.05)) == 0.05
    first = await elapsed(Latency(0.05, 0.03, seed=1))
    assert 0.05 < first < 0.08
    assert first == await elapsed(Latency(0.05, 0.03, seed=1))
    assert first != await elapsed(Latency(0.05, 0.03, seed=2))
